//! Opens what the gateway sealed, asks the channel what it means, pseudonymises, and publishes canonical events.
//!
//! Reads the topics `raw` and `replay`, each with a consumer of its own. One delivery becomes one message: a batch of
//! events, or an entry for the quarantine. The bus publishes it and settles the delivery in one breath, so that each
//! delivery has exactly one outcome even if the process dies here.
//!
//! Knows no clock and keeps no state: the same delivery always becomes the same events.

mod metrics;

pub use metrics::NormalizerMetrics;

use std::sync::Arc;

use bus_consumer::{Handler, Verdict};
use domain::event::Event;
use domain::quarantine::{Reason, ReasonClass};
use event_schema::codec::{EventBatch, Quarantined, RawDelivery};
use ports::bus::{Delivery, Message, Topic};
use privacy::{OpenError, Receipt, Vault};

/// The handler of raw deliveries.
pub struct Normalize {
    /// The tenants' keys.
    pub vault: Arc<Vault>,
    /// Where it is counted.
    pub metrics: NormalizerMetrics,
}

impl Handler for Normalize {
    async fn handle(&self, batch: &[Delivery]) -> Vec<Verdict> {
        batch.iter().map(|delivery| self.normalize(&delivery.message)).collect()
    }
}

impl Normalize {
    fn normalize(&self, message: &Message) -> Verdict {
        let raw = match RawDelivery::decode(message.payload.clone()) {
            Ok(raw) => raw,
            Err(cause) => return Verdict::Reject { reason: format!("not a raw delivery: {cause}") },
        };
        let (topic, payload) = match self.understand(&raw) {
            Ok(events) => {
                self.metrics.count_events(&events);
                let RawDelivery { receipt, tenant, source, received_at, .. } = raw;
                (Topic::Events, EventBatch { receipt, tenant, source, received_at, events }.encode())
            }
            Err(reason) => {
                self.metrics.count_quarantined(reason.class);
                let RawDelivery { receipt, tenant, source, received_at, .. } = raw;
                let message = message.payload.clone();
                (
                    Topic::Quarantine,
                    Quarantined { receipt, tenant, source, received_at, reason, message }.encode(),
                )
            }
        };
        let Message { tenant, partition, .. } = message.clone();
        Verdict::Done(vec![(topic, Message { tenant, partition, payload, origin: None })])
    }

    fn understand(&self, raw: &RawDelivery) -> Result<Vec<Event>, Reason> {
        let keys = self.vault.tenant(&raw.tenant);
        let body = keys.open_body(raw.receipt, &raw.sealed_body).map_err(|cause| unopenable(&cause))?;
        let observations = channels::parse(raw.kind, &body, raw.received_at).map_err(|unparsed| Reason {
            class: unparsed.class,
            pointer: unparsed.pointer,
            detail: unparsed.detail,
        })?;
        let receipt = Receipt {
            id: raw.receipt,
            tenant: raw.tenant.clone(),
            source: raw.source.clone(),
            received_at: raw.received_at,
            payload_digest: raw.payload_digest,
        };
        Ok(observations.into_iter().map(|observation| keys.protect(observation, &receipt)).collect())
    }
}

fn unopenable(cause: &OpenError) -> Reason {
    Reason { class: ReasonClass::Unopenable, pointer: None, detail: cause.to_string() }
}

#[cfg(test)]
mod tests;
