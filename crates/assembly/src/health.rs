//! Readiness of a process: real reads and writes to what it depends on.

use std::sync::Arc;

use http_kit::keyring::Keyring;
use ports::analytics::AnalyticsStore;
use ports::bus::EventBus;
use ports::ledger::Ledger;
use ports::registry::Registry;
use service_runtime::readiness::{Probe, Readiness};
use service_runtime::supervisor::Supervisor;

/// The bus.
pub fn bus(bus: Arc<dyn EventBus>) -> Probe {
    Probe::new("bus", move || {
        let bus = bus.clone();
        async move { bus.probe().await }
    })
}

/// The ledger.
pub fn ledger(ledger: Arc<dyn Ledger>) -> Probe {
    Probe::new("ledger", move || {
        let ledger = ledger.clone();
        async move { ledger.probe().await }
    })
}

/// Analytics.
pub fn analytics(analytics: Arc<dyn AnalyticsStore>) -> Probe {
    Probe::new("analytics", move || {
        let analytics = analytics.clone();
        async move { analytics.probe().await }
    })
}

/// The registry itself. Whoever works from the keyring's copy can do without it for a while.
pub fn registry(registry: Arc<dyn Registry>) -> Probe {
    Probe::new("registry", move || {
        let registry = registry.clone();
        async move { registry.version().await.map(|_version| ()) }
    })
}

/// The keyring's copy of the registry: there once it was read, however long ago.
pub fn keys(keyring: Arc<Keyring>) -> Probe {
    Probe::new("keys", move || {
        let keyring = keyring.clone();
        async move { if keyring.is_loaded() { Ok(()) } else { Err(NotLoaded) } }
    })
}

#[derive(Debug, thiserror::Error)]
#[error("the registry was never read since the start")]
struct NotLoaded;

/// Starts probing; the readiness is what `/readyz` shows.
pub fn watch(probes: Vec<Probe>, supervisor: &mut Supervisor) -> Readiness {
    let readiness = Readiness::new(&probes, supervisor.leaving());
    let probing = readiness.clone().run(probes);
    supervisor.spawn("readiness", async move {
        probing.await;
        Ok(())
    });
    readiness
}
