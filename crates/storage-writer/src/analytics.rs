//! Group `analytics`: events into rollups.

use std::sync::Arc;

use bus_consumer::{Handler, Verdict};
use event_schema::codec::EventBatch;
use ports::analytics::AnalyticsStore;
use ports::bus::Delivery;

use crate::ledger::{parts_of, retry_all};

/// The handler of event batches, for analytics.
pub struct WriteAnalytics {
    /// Where to.
    pub analytics: Arc<dyn AnalyticsStore>,
}

impl Handler for WriteAnalytics {
    async fn handle(&self, batch: &[Delivery]) -> Vec<Verdict> {
        let mut events = Vec::with_capacity(batch.len());
        let mut verdicts = Vec::with_capacity(batch.len());
        for delivery in batch {
            verdicts.push(match parts_of(delivery, EventBatch::decode) {
                Ok(parts) => {
                    events.extend(parts.into_iter().flat_map(|part| part.events));
                    Verdict::Done(Vec::new())
                }
                Err(verdict) => verdict,
            });
        }
        match self.analytics.absorb(&events).await {
            Ok(()) => verdicts,
            Err(cause) => retry_all(batch, cause),
        }
    }
}
