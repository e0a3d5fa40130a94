//! Opens what the gateway sealed, asks the channel what it means, pseudonymises, and publishes canonical events.
//!
//! Reads the topics `raw`, `replay` and `apart`, each with a consumer of its own. Each receipt becomes a batch of events
//! or an entry for the quarantine. The bus publishes what a message became and settles it in one breath, so that each
//! receipt has exactly one outcome even if the process dies here.
//!
//! What the gateway refused goes to quarantine as it is, with the gateway's reason.
//!
//! Receipts that came in one message go on in one. A message of several that keeps failing is taken apart.
//!
//! Knows no clock and keeps no state: the same delivery always becomes the same events.

mod metrics;

pub use metrics::NormalizerMetrics;

use std::sync::Arc;

use bus_consumer::{Handler, Verdict};
use bytes::Bytes;
use channels::Mappings;
use domain::event::Event;
use domain::quarantine::{Reason, ReasonClass};
use event_schema::codec::{DecodeError, EventBatch, Quarantined, RawDelivery, pack};
use ports::bus::{Delivery, Message, Topic};
use privacy::{OpenError, Receipt, Vault};

/// The handler of raw deliveries.
pub struct Normalize {
    vault: Arc<Vault>,
    /// Those that came with deliveries lately.
    mappings: Mappings,
    metrics: NormalizerMetrics,
}

impl Handler for Normalize {
    async fn handle(&self, batch: &[Delivery]) -> Vec<Verdict> {
        batch.iter().map(|delivery| self.normalize(delivery)).collect()
    }
}

impl Normalize {
    /// A handler that opens bodies with the tenants' keys of `vault` and counts in `metrics`.
    #[must_use]
    pub fn new(vault: Arc<Vault>, metrics: NormalizerMetrics) -> Self {
        Self { vault, mappings: Mappings::default(), metrics }
    }

    fn normalize(&self, delivery: &Delivery) -> Verdict {
        let message = &delivery.message;
        let rejected = |cause| Verdict::Reject { reason: format!("not a raw delivery: {cause}") };
        let parts = match pack::parts(&message.payload) {
            Ok(parts) => parts,
            Err(cause) => return rejected(cause),
        };
        if parts.len() > 1 && delivery.is_alone() {
            return Verdict::apart(Topic::Apart, message, parts);
        }
        let receipts: Result<Vec<_>, DecodeError> = parts.iter().cloned().map(RawDelivery::decode).collect();
        match receipts {
            Ok(receipts) => Verdict::Done(self.outcomes(message, receipts, parts)),
            Err(_one_of_them) if parts.len() > 1 => Verdict::apart(Topic::Apart, message, parts),
            Err(cause) => rejected(cause),
        }
    }

    /// What the receipts of one message become: those that are understood go on together.
    fn outcomes(
        &self,
        message: &Message,
        receipts: Vec<RawDelivery>,
        parts: Vec<Bytes>,
    ) -> Vec<(Topic, Message)> {
        let Message { tenant, partition, .. } = message;
        let mut outcomes = Vec::with_capacity(1);
        let mut understood = Vec::with_capacity(receipts.len());
        for (raw, part) in receipts.into_iter().zip(parts) {
            let outcome = self.understand(&raw);
            let RawDelivery { receipt, tenant: whose, source, received_at, .. } = raw;
            match outcome {
                Ok(events) => {
                    self.metrics.count_events(&events);
                    let batch = EventBatch { receipt, tenant: whose, source, received_at, events };
                    understood.push(batch.encode());
                }
                Err(reason) => {
                    self.metrics.count_quarantined(reason.class);
                    let entry =
                        Quarantined { receipt, tenant: whose, source, received_at, reason, message: part };
                    let entry = Message::new(tenant.clone(), *partition, entry.encode());
                    outcomes.push((Topic::Quarantine, entry));
                }
            }
        }
        if !understood.is_empty() {
            let receipts = understood.len();
            let together = Message::new(tenant.clone(), *partition, pack::join(understood));
            outcomes.push((Topic::Events, together.with_receipts(receipts)));
        }
        outcomes
    }

    fn understand(&self, raw: &RawDelivery) -> Result<Vec<Event>, Reason> {
        if let Some(refusal) = &raw.refusal {
            return Err(refusal.clone());
        }
        let keys = self.vault.tenant(&raw.tenant);
        let body = keys.open_body(raw.receipt, &raw.sealed_body).map_err(|cause| unopenable(&cause))?;
        let observations = match &raw.mapping {
            None => channels::parse(raw.kind, &body, raw.received_at),
            Some(text) => {
                let mapping = self.mappings.read(text).map_err(|_wrong| unmappable())?;
                channels::parse_mapped(raw.kind, &mapping, &body, raw.received_at)
            }
        };
        let observations = observations.map_err(|unparsed| Reason {
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

/// Another release wrote it, whose language this one does not know.
fn unmappable() -> Reason {
    let detail = "must come with a mapping that this release can read".to_owned();
    Reason { class: ReasonClass::Unreadable, pointer: None, detail }
}

fn unopenable(cause: &OpenError) -> Reason {
    Reason { class: ReasonClass::Unopenable, pointer: None, detail: cause.to_string() }
}

#[cfg(test)]
mod tests;
