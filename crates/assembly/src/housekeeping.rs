//! What runs on a timer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bus_consumer::backlog::BacklogMeter;
use console::reseal::{Pass, Resealer};
use http_kit::keyring::Keyring;
use ingest_gateway::Refusals;
use ports::analytics::AnalyticsStore;
use ports::bus::{EventBus, Group, Topic};
use ports::clock::Clock;
use ports::idempotency::IdempotencyStore;
use ports::ledger::{Ledger, LedgerError};
use ports::seals::Place;
use ports::sources::SourceWatch;
use prometheus::Registry;
use service_runtime::supervisor::Supervisor;
use storage_writer::retention::Sweeper;
use tracing::{info, warn};

const MEASURE_EVERY: Duration = Duration::from_secs(15);
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
/// The pause before a store is asked again that failed while things were sealed anew.
const RESEAL_AGAIN: Duration = Duration::from_secs(30);
/// How often it is said how far that is.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Measures how far behind some groups are.
pub fn measure_backlogs(
    bus: Arc<dyn EventBus>,
    readers: &[(Topic, Group)],
    clock: &Arc<dyn Clock>,
    metrics: &Registry,
    supervisor: &mut Supervisor,
) -> anyhow::Result<()> {
    let meter = BacklogMeter::register(metrics, bus, clock.clone())?;
    let measuring = meter.run(readers.to_vec(), MEASURE_EVERY, supervisor.leaving());
    supervisor.spawn("backlog meter", async move {
        measuring.await;
        Ok(())
    });
    Ok(())
}

/// Deletes what is past its time.
pub fn sweep(
    ledger: Arc<dyn Ledger>,
    sources: Arc<dyn SourceWatch>,
    analytics: Arc<dyn AnalyticsStore>,
    clock: &Arc<dyn Clock>,
    retention: domain::retention::Retention,
    supervisor: &mut Supervisor,
) {
    let clock = clock.clone();
    let sweeper = Sweeper { ledger, sources, analytics, clock, retention, interval: SWEEP_EVERY };
    let sweeping = sweeper.run(supervisor.leaving());
    supervisor.spawn("sweeper", async move {
        sweeping.await;
        Ok(())
    });
}

/// Forgets answers that are not repeated any more.
pub fn forget_answers(
    idempotency: Arc<dyn IdempotencyStore>,
    clock: &Arc<dyn Clock>,
    supervisor: &mut Supervisor,
) {
    let forgetting = ingest_gateway::forget_old_answers(idempotency, clock.clone(), supervisor.leaving());
    supervisor.spawn("idempotency sweeper", async move {
        forgetting.await;
        Ok(())
    });
}

/// Seals anew what earlier master keys sealed, if there are any in the key file, and rests as long as it works. Says how
/// far it is; done, it waits for the process to leave.
pub fn reseal(resealer: Resealer, supervisor: &mut Supervisor) {
    let leaving = supervisor.leaving();
    let keys = resealer.vault.masters();
    if keys.former().is_empty() {
        return;
    }
    if !keys.opens_contacts() {
        warn!("nothing is sealed anew: the key file is one for services, which opens no contacts");
        return;
    }
    supervisor.spawn("resealing", async move {
        let _left_before_it_was_done = leaving.run_until_cancelled(reseal_all(&resealer)).await;
        leaving.cancelled().await;
        Ok(())
    });
}

async fn reseal_all(resealer: &Resealer) {
    loop {
        match reseal_once(resealer).await {
            Ok(0) => {
                info!("nothing is left under former master keys: letopis master-key retire ends them");
                return;
            }
            Ok(rows) => info!(rows, "sealed anew under the current master key: looking once more"),
            Err(cause) => {
                warn!(error = &cause as &dyn std::error::Error, "failed to seal anew: beginning again");
                tokio::time::sleep(RESEAL_AGAIN).await;
            }
        }
    }
}

/// Returns how many rows were under a former key.
async fn reseal_once(resealer: &Resealer) -> Result<u64, LedgerError> {
    let (total, mut looked_at, mut former) = (resealer.rows().await?, 0, 0);
    let mut said = Instant::now();
    for place in Place::ALL {
        let tell = |rows| {
            looked_at += rows;
            if said.elapsed() >= SAY_EVERY {
                said = Instant::now();
                info!(looked_at, total, "sealing anew under the current master key");
            }
        };
        former += resealer.pass(place, Pass::ResealGently, tell).await?.former;
    }
    Ok(former)
}

/// Tells the store what the door refuses, by source.
pub fn tell_refusals(refusals: &Arc<Refusals>, watch: Arc<dyn SourceWatch>, supervisor: &mut Supervisor) {
    let telling = refusals.clone().tell(watch, supervisor.leaving());
    supervisor.spawn("refusals", async move {
        telling.await;
        Ok(())
    });
}

/// Keeps the keyring's copy of the registry fresh.
pub fn follow_registry(keyring: &Arc<Keyring>, supervisor: &mut Supervisor) {
    let polling = keyring.clone().run(supervisor.leaving());
    supervisor.spawn("keyring", async move {
        polling.await;
        Ok(())
    });
}
