//! Deleting what is past its time, a little at a time.

use std::sync::Arc;
use std::time::Duration;

use domain::retention::Retention;
use domain::source_state::Period;
use ports::analytics::AnalyticsStore;
use ports::clock::Clock;
use ports::ledger::Ledger;
use ports::sources::SourceWatch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Sweeps the ledger and analytics on a timer.
pub struct Sweeper {
    /// Swept of events, resolved quarantine and old sessions.
    pub ledger: Arc<dyn Ledger>,
    /// Swept of counts nobody asks about any more.
    pub sources: Arc<dyn SourceWatch>,
    /// Swept of old rollups.
    pub analytics: Arc<dyn AnalyticsStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How long things are kept.
    pub retention: Retention,
    /// The pause between two sweeps.
    pub interval: Duration,
}

/// Rows deleted in one transaction: few enough for writing to go on meanwhile.
const STEP: u32 = 5_000;

impl Sweeper {
    /// Sweeps until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut beat = tokio::time::interval(self.interval);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = beat.tick() => {}
            }
            self.sweep(&shutdown).await;
        }
    }

    async fn sweep(&self, shutdown: &CancellationToken) {
        let now = self.clock.now();
        let (events, rollups) = (now.minus(self.retention.events), now.minus(self.retention.rollups));
        let mut swept = 0;
        while !shutdown.is_cancelled() {
            match self.ledger.sweep(events, rollups, STEP).await {
                Ok(0) => break,
                Ok(rows) => swept += rows,
                Err(cause) => {
                    warn!(error = &cause as &dyn std::error::Error, "failed to sweep the ledger");
                    break;
                }
            }
        }
        match self.sources.forget_periods(Period::oldest_kept(now)).await {
            Ok(rows) => swept += rows,
            Err(cause) => {
                warn!(error = &cause as &dyn std::error::Error, "failed to forget counts of sources")
            }
        }
        match self.analytics.sweep(rollups).await {
            Ok(rows) => swept += rows,
            Err(cause) => warn!(error = &cause as &dyn std::error::Error, "failed to sweep analytics"),
        }
        if swept > 0 {
            info!(rows = swept, "deleted what was past its time");
        }
    }
}
