//! Readiness: the last results of real probes, and whether the process is on its way out.

use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use tracing::warn;

type Probed = Pin<Box<dyn Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send>>;

/// A real read and write to one dependency.
pub struct Probe {
    /// The dependency's name, as shown by `/readyz`.
    pub name: &'static str,
    /// Whether the process can do nothing for anybody without it.
    is_required: bool,
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
        Self { name, is_required: true, run: Box::new(run) }
    }

    /// Shown by `/readyz`, and no reason to send requests elsewhere: the process has work it can do without it.
    #[must_use]
    pub fn advisory(self) -> Self {
        Self { is_required: false, ..self }
    }

    /// Whether it succeeded, in time.
    async fn succeeds(&self) -> bool {
        let well = matches!(tokio::time::timeout(TIMEOUT, (self.run)()).await, Ok(Ok(())));
        if !well {
            warn!(dependency = self.name, "a dependency does not answer its probe");
        }
        well
    }
}

/// How often probes run, and how long one may take.
const INTERVAL: Duration = Duration::from_secs(5);
const SOON: Duration = Duration::from_millis(500);
const TIMEOUT: Duration = Duration::from_secs(2);
/// A result older than this counts as a failure: the prober itself hangs.
const STALE: Duration = Duration::from_secs(15);

/// Runs probes on a timer; the endpoint only reads what they said last.
#[derive(Clone)]
pub struct Readiness {
    last: Arc<RwLock<BTreeMap<&'static str, (Instant, bool)>>>,
    required: Arc<[&'static str]>,
    leaving: CancellationToken,
}

impl Readiness {
    /// Ready while every required one of `probes` succeeds, until `leaving`. Drive it with [`Self::run`].
    #[must_use]
    pub fn new(probes: &[Probe], leaving: CancellationToken) -> Self {
        let required = probes.iter().filter(|probe| probe.is_required).map(|probe| probe.name).collect();
        Self { last: Arc::default(), required, leaving }
    }

    /// Probes until the process leaves: all at once, so that one that hangs does not delay the others.
    pub async fn run(self, probes: Vec<Probe>) {
        join_all(probes.iter().map(|probe| self.keep_probing(probe))).await;
    }

    async fn keep_probing(&self, probe: &Probe) {
        let mut beat = tokio::time::interval(SOON);
        loop {
            tokio::select! {
                () = self.leaving.cancelled() => return,
                _ = beat.tick() => {}
            }
            let well = probe.succeeds().await;
            // One that is down is asked again sooner: whoever waits for it waits for us.
            beat.reset_after(if well { INTERVAL } else { SOON });
            let mut last = self.last.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            last.insert(probe.name, (Instant::now(), well));
        }
    }

    /// Whether requests should be sent here, and how each dependency fares.
    #[must_use]
    pub fn report(&self) -> Report {
        let last = self.last.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let dependencies: BTreeMap<_, _> =
            last.iter().map(|(name, (at, well))| (*name, *well && at.elapsed() < STALE)).collect();
        let all_well = self.required.iter().all(|name| dependencies.get(name).copied().unwrap_or_default());
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
        after_one_round_of(well, |probe| probe).await
    }

    async fn after_one_round_of(
        well: bool,
        adjust: impl FnOnce(Probe) -> Probe,
    ) -> (Readiness, CancellationToken) {
        let leaving = CancellationToken::new();
        let probed = Arc::new(AtomicBool::new(false));
        let mark = probed.clone();
        let probes = vec![adjust(Probe::new("bus", move || {
            mark.store(true, Ordering::SeqCst);
            async move { if well { Ok(()) } else { Err(io::Error::other("down")) } }
        }))];
        let readiness = Readiness::new(&probes, leaving.clone());
        let prober = tokio::task::JoinSet::from_iter([readiness.clone().run(probes)]);
        while readiness.report().dependencies.is_empty() {
            tokio::task::yield_now().await;
        }
        assert!(probed.load(Ordering::SeqCst));
        drop(prober);
        (readiness, leaving)
    }

    #[test]
    fn not_ready_before_the_first_probe() {
        let probes = [Probe::new("bus", || async { Ok::<_, io::Error>(()) })];
        assert!(!Readiness::new(&probes, CancellationToken::new()).report().ready);
    }

    #[tokio::test]
    async fn ready_while_only_an_advisory_probe_fails_and_says_so() {
        let (readiness, _leaving) = after_one_round_of(false, Probe::advisory).await;
        let report = readiness.report();
        assert!(report.ready);
        assert_eq!(report.dependencies, BTreeMap::from([("bus", false)]));
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
