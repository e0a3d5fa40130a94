//! Group `ledger`: events into the record of truth, and what failed into quarantine.

use std::sync::Arc;

use bus_consumer::{Handler, Verdict};
use domain::quarantine::{QuarantineEntry, QuarantineState, Reason, ReasonClass, Stage};
use event_schema::codec::{self, DecodeError, EventBatch, Quarantined, RawDelivery};
use ports::bus::{Delivery, Group, Message, Origin, Topic};
use ports::clock::Clock;
use ports::ledger::{Ledger, LedgerEntry, ReceiptBatch};

use crate::metrics::WriterMetrics;

/// The handler of event batches, for the ledger.
pub struct WriteLedger {
    /// Where to.
    pub ledger: Arc<dyn Ledger>,
    /// What time it is stored at.
    pub clock: Arc<dyn Clock>,
    /// Where it is counted.
    pub metrics: WriterMetrics,
}

impl Handler for WriteLedger {
    async fn handle(&self, batch: &[Delivery]) -> Vec<Verdict> {
        let decoded: Vec<_> = batch.iter().map(|delivery| receipt_batch(&delivery.message)).collect();
        let readable: Vec<ReceiptBatch> =
            decoded.iter().filter_map(|one| one.as_ref().ok()).cloned().collect();
        let recorded = self.ledger.record(&readable, self.clock.now()).await;
        match recorded {
            Ok(outcomes) => self.metrics.count_recorded(&outcomes),
            Err(cause) => return retry_all(batch, cause),
        }
        decoded.into_iter().map(|one| verdict_of(one.map(|_batch| ()))).collect()
    }
}

fn receipt_batch(message: &Message) -> Result<ReceiptBatch, DecodeError> {
    let EventBatch { receipt, tenant, source, received_at, events } =
        EventBatch::decode(message.payload.clone())?;
    let entry = |event| LedgerEntry { wire: codec::encode_event(&event), event };
    let events = events.into_iter().map(entry).collect();
    Ok(ReceiptBatch { receipt, tenant, source, received_at, events, message: message.payload.clone() })
}

/// The handler of the quarantine topic.
pub struct WriteQuarantine {
    /// Where to.
    pub ledger: Arc<dyn Ledger>,
    /// What time it is put there.
    pub clock: Arc<dyn Clock>,
}

impl Handler for WriteQuarantine {
    async fn handle(&self, batch: &[Delivery]) -> Vec<Verdict> {
        let decoded: Vec<_> = batch.iter().map(|delivery| self.entry(&delivery.message)).collect();
        let entries: Vec<QuarantineEntry> =
            decoded.iter().filter_map(|one| one.as_ref().ok()).cloned().collect();
        if let Err(cause) = self.ledger.quarantine(&entries).await {
            return retry_all(batch, cause);
        }
        decoded.into_iter().map(|one| verdict_of(one.map(|_entry| ()))).collect()
    }
}

impl WriteQuarantine {
    fn entry(&self, message: &Message) -> Result<QuarantineEntry, DecodeError> {
        match &message.origin {
            None => {
                let quarantined = Quarantined::decode(message.payload.clone())?;
                let Quarantined { receipt, tenant, source, received_at, reason, message } = quarantined;
                let came = Came { receipt, tenant, source, received_at };
                Ok(self.open_entry(came, Stage::Normalize, reason, message.to_vec()))
            }
            Some(origin) => self.dead_letter(message, origin),
        }
    }

    /// A message that a handler gave up on: it lies here as it was, to be sent to where it stopped.
    fn dead_letter(&self, message: &Message, origin: &Origin) -> Result<QuarantineEntry, DecodeError> {
        let payload = message.payload.clone();
        let (came, stage) = match (origin.topic, origin.group) {
            (Topic::Events, group) => {
                let EventBatch { receipt, tenant, source, received_at, .. } = EventBatch::decode(payload)?;
                let stage = if group == Group::Analytics { Stage::Analyse } else { Stage::Record };
                (Came { receipt, tenant, source, received_at }, stage)
            }
            _ => {
                let RawDelivery { receipt, tenant, source, received_at, .. } = RawDelivery::decode(payload)?;
                (Came { receipt, tenant, source, received_at }, Stage::Normalize)
            }
        };
        let detail = format!("{} (after {} attempts)", origin.reason, origin.attempts);
        let reason = Reason { class: ReasonClass::HandlerFailed, pointer: None, detail };
        Ok(self.open_entry(came, stage, reason, message.payload.to_vec()))
    }

    fn open_entry(&self, came: Came, stage: Stage, reason: Reason, message: Vec<u8>) -> QuarantineEntry {
        QuarantineEntry {
            receipt: came.receipt,
            stage,
            tenant: came.tenant,
            source: came.source,
            reason,
            received_at: came.received_at,
            quarantined_at: self.clock.now(),
            message,
            state: QuarantineState::Open,
            replays: 0,
        }
    }
}

/// The acceptance something came with.
struct Came {
    receipt: domain::id::ReceiptId,
    tenant: domain::id::TenantId,
    source: domain::id::SourceId,
    received_at: domain::timestamp::Timestamp,
}

fn verdict_of(read: Result<(), DecodeError>) -> Verdict {
    match read {
        Ok(()) => Verdict::Done(Vec::new()),
        Err(cause) => Verdict::Reject { reason: format!("not a message of this topic: {cause}") },
    }
}

/// The store is down for all of them alike; the first carries the cause to the log.
pub(crate) fn retry_all(
    batch: &[Delivery],
    cause: impl std::error::Error + Send + Sync + 'static,
) -> Vec<Verdict> {
    let mut first = Some(Box::new(cause));
    let verdict = |_delivery| match first.take() {
        Some(cause) => Verdict::Retry(cause),
        None => Verdict::Retry("the store is unavailable".into()),
    };
    batch.iter().map(verdict).collect()
}

#[cfg(test)]
mod tests;
