//! What runs on a timer.

use std::sync::Arc;
use std::time::Duration;

use bus_consumer::backlog::BacklogMeter;
use http_kit::keyring::Keyring;
use ingest_gateway::Refusals;
use ports::analytics::AnalyticsStore;
use ports::bus::{EventBus, Group, Topic};
use ports::clock::Clock;
use ports::idempotency::IdempotencyStore;
use ports::ledger::Ledger;
use ports::sources::SourceWatch;
use prometheus::Registry;
use service_runtime::supervisor::Supervisor;
use storage_writer::retention::Sweeper;

const MEASURE_EVERY: Duration = Duration::from_secs(15);
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);

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
