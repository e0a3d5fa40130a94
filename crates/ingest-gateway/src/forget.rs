//! Answers are kept for a day, as `Idempotency-Key` promises.

use std::sync::Arc;
use std::time::Duration;

use ports::clock::Clock;
use ports::idempotency::IdempotencyStore;
use tokio_util::sync::CancellationToken;

/// How long an answer is replayed.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The pause between two rounds of forgetting.
const INTERVAL: Duration = Duration::from_secs(10 * 60);

/// Forgets answers older than a day, until `shutdown`.
pub async fn forget_old_answers(
    store: Arc<dyn IdempotencyStore>,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
) {
    let mut beat = tokio::time::interval(INTERVAL);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = beat.tick() => {}
        }
        if let Err(cause) = store.forget_before(clock.now().minus(KEPT)).await {
            tracing::warn!(error = &cause as &dyn std::error::Error, "failed to forget old answers");
        }
    }
}
