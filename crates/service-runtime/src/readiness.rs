//! Readiness: the last results of real probes, and whether the process is on its way out.

use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tracing::warn;

type Probed = Pin<Box<dyn Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send>>;

/// A real read and write to one dependency.
pub struct Probe {
    /// The dependency's name, as shown by `/readyz`.
    pub name: &'static str,
    run: Box<dyn Fn() -> Probed + Send + Sync>,
}

impl Probe {
    /// A probe of a dependency.
    pub fn new<F, E>(name: &'static str, probe: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Error + Send + Sync + 'static,
    {
        let run = move || -> Probed {
            let probed = probe();
            Box::pin(async move { probed.await.map_err(Into::into) })
        };
        Self { name, run: Box::new(run) }
    }
}

/// How often probes run, and how long one may take.
const INTERVAL: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(2);
/// A result older than this counts as a failure: the prober itself hangs.
const STALE: Duration = Duration::from_secs(15);

/// Runs probes on a timer; the endpoint only reads what they said last.
#[derive(Clone)]
pub struct Readiness {
    last: Arc<RwLock<BTreeMap<&'static str, (Instant, bool)>>>,
    expected: usize,
    leaving: CancellationToken,
}

impl Readiness {
    /// Ready once each of `probes` has succeeded, until `leaving`. Drive it with [`Self::run`].
    #[must_use]
    pub fn new(probes: &[Probe], leaving: CancellationToken) -> Self {
        Self { last: Arc::default(), expected: probes.len(), leaving }
    }

    /// Probes until the process leaves.
    pub async fn run(self, probes: Vec<Probe>) {
        let mut beat = tokio::time::interval(INTERVAL);
        loop {
            tokio::select! {
                () = self.leaving.cancelled() => return,
                _ = beat.tick() => {}
            }
            for probe in &probes {
                let well = matches!(tokio::time::timeout(TIMEOUT, (probe.run)()).await, Ok(Ok(())));
                if !well {
                    warn!(dependency = probe.name, "a dependency does not answer its probe");
                }
                let mut last = self.last.write().unwrap_or_else(std::sync::PoisonError::into_inner);
                last.insert(probe.name, (Instant::now(), well));
            }
        }
    }

    /// Whether requests should be sent here, and how each dependency fares.
    #[must_use]
    pub fn report(&self) -> Report {
        let last = self.last.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let dependencies: BTreeMap<_, _> =
            last.iter().map(|(name, (at, well))| (*name, *well && at.elapsed() < STALE)).collect();
        let all_well = dependencies.len() == self.expected && dependencies.values().all(|well| *well);
        Report { ready: all_well && !self.leaving.is_cancelled(), dependencies }
    }
}

/// What `/readyz` says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Whether requests should be sent here.
    pub ready: bool,
    /// Each dependency probed so far, and whether it answered.
    pub dependencies: BTreeMap<&'static str, bool>,
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    async fn after_one_round(well: bool) -> (Readiness, CancellationToken) {
        let leaving = CancellationToken::new();
        let probed = Arc::new(AtomicBool::new(false));
        let mark = probed.clone();
        let probes = vec![Probe::new("bus", move || {
            mark.store(true, Ordering::SeqCst);
            async move { if well { Ok(()) } else { Err(io::Error::other("down")) } }
        })];
        let readiness = Readiness::new(&probes, leaving.clone());
        assert!(!readiness.report().ready, "not ready before the first probe");
        let prober = tokio::task::JoinSet::from_iter([readiness.clone().run(probes)]);
        while readiness.report().dependencies.is_empty() {
            tokio::task::yield_now().await;
        }
        assert!(probed.load(Ordering::SeqCst));
        drop(prober);
        (readiness, leaving)
    }

    #[tokio::test]
    async fn ready_when_every_probe_succeeds_and_not_while_leaving() {
        let (readiness, leaving) = after_one_round(true).await;
        assert!(readiness.report().ready);
        leaving.cancel();
        assert!(!readiness.report().ready);
    }

    #[tokio::test]
    async fn not_ready_when_a_probe_fails() {
        let (readiness, _leaving) = after_one_round(false).await;
        assert_eq!(readiness.report().dependencies, BTreeMap::from([("bus", false)]));
        assert!(!readiness.report().ready);
    }
}
