//! Group `analytics`: events into rollups.

use std::sync::Arc;

use bus_consumer::{Handler, Verdict};
use event_schema::codec::EventBatch;
use ports::analytics::AnalyticsStore;
use ports::bus::Delivery;

use crate::ledger::retry_all;

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
            verdicts.push(match EventBatch::decode(delivery.message.payload.clone()) {
                Ok(decoded) => {
                    events.extend(decoded.events);
                    Verdict::Done(Vec::new())
                }
                Err(cause) => Verdict::Reject { reason: format!("not a batch of events: {cause}") },
            });
        }
        match self.analytics.absorb(&events).await {
            Ok(()) => verdicts,
            Err(cause) => retry_all(batch, cause),
        }
    }
}
