//! Components, signals, and stopping in order.
//!
//! A process is a set of named components. It stops when it gets SIGTERM or SIGINT, or when a component ends by
//! itself, which is a fault. Stopping first cancels `leaving` (unready, accepting nothing new) and then gives every
//! component the grace period to finish what it has in hand.

use std::future::Future;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// The components of a process.
pub struct Supervisor {
    leaving: CancellationToken,
    components: JoinSet<(&'static str, anyhow::Result<()>)>,
    grace: Duration,
}

impl Supervisor {
    /// No components yet; each gets `grace` to finish once the process leaves.
    #[must_use]
    pub fn new(grace: Duration) -> Self {
        Self { leaving: CancellationToken::new(), components: JoinSet::new(), grace }
    }

    /// Cancelled when the process is to stop: what every component waits for beside its work.
    #[must_use]
    pub fn leaving(&self) -> CancellationToken {
        self.leaving.clone()
    }

    /// Starts a component. It should end once [`Self::leaving`] is cancelled; ending earlier stops the process.
    pub fn spawn(
        &mut self,
        name: &'static str,
        component: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        self.components.spawn(async move { (name, component.await) });
    }

    /// Runs until a signal comes or a component ends; then stops everything. Fails when a component failed, ended by
    /// itself, or did not finish within the grace period.
    pub async fn run_until_stopped(mut self) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut failure = None;
        tokio::select! {
            // In this order: a component that ends because the process leaves has not ended by itself.
            biased;
            _ = terminate.recv() => info!("SIGTERM: finishing what is in hand"),
            _ = interrupt.recv() => info!("SIGINT: finishing what is in hand"),
            () = self.leaving.cancelled() => {}
            Some(ended) = self.components.join_next() => failure = Some(describe(ended, true)),
        }
        self.leaving.cancel();
        let finished = tokio::time::timeout(self.grace, async {
            while let Some(ended) = self.components.join_next().await {
                let late = describe(ended, false);
                if let Err(cause) = late
                    && failure.is_none()
                {
                    failure = Some(Err(cause));
                }
            }
        })
        .await;
        if finished.is_err() {
            error!(components = self.components.len(), "did not finish within the grace period");
            anyhow::bail!("{} components did not finish within the grace period", self.components.len());
        }
        info!("stopped");
        failure.unwrap_or(Ok(()))
    }
}

type Ended = Result<(&'static str, anyhow::Result<()>), tokio::task::JoinError>;

fn describe(ended: Ended, early: bool) -> anyhow::Result<()> {
    match ended {
        Ok((name, Ok(()))) if early => Err(anyhow::anyhow!("component {name} ended by itself")),
        Ok((_, Ok(()))) => Ok(()),
        Ok((name, Err(cause))) => Err(cause.context(format!("component {name} failed"))),
        Err(cause) => Err(anyhow::Error::new(cause).context("a component panicked")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_component_that_ends_by_itself_stops_the_others_and_is_named() {
        let mut supervisor = Supervisor::new(Duration::from_secs(5));
        let leaving = supervisor.leaving();
        supervisor.spawn("short", async { Ok(()) });
        supervisor.spawn("long", async move {
            leaving.cancelled().await;
            Ok(())
        });
        let error = supervisor.run_until_stopped().await.unwrap_err();
        assert_eq!(error.to_string(), "component short ended by itself");
    }

    #[tokio::test]
    async fn leaving_lets_components_finish_their_work() {
        let mut supervisor = Supervisor::new(Duration::from_secs(5));
        let leaving = supervisor.leaving();
        let (finished, was_finished) = tokio::sync::oneshot::channel();
        supervisor.spawn("worker", async move {
            leaving.cancelled().await;
            tokio::task::yield_now().await;
            finished.send(()).map_err(|()| anyhow::anyhow!("nobody waits"))
        });
        supervisor.leaving().cancel();
        supervisor.run_until_stopped().await.unwrap();
        was_finished.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_component_that_hangs_is_reported_after_the_grace_period() {
        let mut supervisor = Supervisor::new(Duration::from_secs(5));
        supervisor.spawn("hung", std::future::pending());
        supervisor.leaving().cancel();
        assert!(supervisor.run_until_stopped().await.is_err());
    }
}
