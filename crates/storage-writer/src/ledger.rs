//! Group `ledger`: events into the record of truth, and what failed into quarantine.

use std::sync::Arc;

use bus_consumer::{Handler, Verdict};
use bytes::Bytes;
use domain::quarantine::{QuarantineEntry, QuarantineState, Reason, ReasonClass, Stage};
use event_schema::codec::{DecodeError, EventBatch, Quarantined, RawDelivery, pack};
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
        let mut receipts: Vec<ReceiptBatch> = Vec::with_capacity(batch.len());
        let mut verdicts = Vec::with_capacity(batch.len());
        for delivery in batch {
            verdicts.push(match parts_of(delivery, receipt_batch) {
                Ok(parts) => {
                    receipts.extend(parts);
                    Verdict::Done(Vec::new())
                }
                Err(verdict) => verdict,
            });
        }
        match self.ledger.record(&receipts, self.clock.now()).await {
            Ok(outcomes) => self.metrics.count_recorded(&outcomes),
            Err(cause) => return retry_all(batch, cause),
        }
        verdicts
    }
}

/// Reads the parts of a message of the topic `events`. One of several that keeps failing, or of which a part cannot be
/// read, is taken apart: the other group that reads the topic then meets its parts twice, which changes nothing.
pub(crate) fn parts_of<T>(
    delivery: &Delivery,
    read: impl Fn(Bytes) -> Result<T, DecodeError>,
) -> Result<Vec<T>, Verdict> {
    let message = &delivery.message;
    let parts = pack::parts(&message.payload).map_err(|cause| reject(&cause))?;
    if parts.len() > 1 && delivery.is_alone() {
        return Err(Verdict::apart(Topic::Events, message, parts));
    }
    match parts.iter().cloned().map(read).collect() {
        Ok(read) => Ok(read),
        Err(_one_of_them) if parts.len() > 1 => Err(Verdict::apart(Topic::Events, message, parts)),
        Err(cause) => Err(reject(&cause)),
    }
}

fn receipt_batch(message: Bytes) -> Result<ReceiptBatch, DecodeError> {
    let (batch, forms) = EventBatch::decode_with_forms(message.clone())?;
    let EventBatch { receipt, tenant, source, received_at, events } = batch;
    let events = events.into_iter().zip(forms).map(|(event, wire)| LedgerEntry { event, wire }).collect();
    Ok(ReceiptBatch { receipt, tenant, source, received_at, events, message })
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
        let mut entries: Vec<QuarantineEntry> = Vec::with_capacity(batch.len());
        let mut verdicts = Vec::with_capacity(batch.len());
        for delivery in batch {
            verdicts.push(match self.entries(&delivery.message) {
                Ok(read) => {
                    entries.extend(read);
                    Verdict::Done(Vec::new())
                }
                Err(cause) => reject(&cause),
            });
        }
        match self.ledger.quarantine(&entries).await {
            Ok(()) => verdicts,
            Err(cause) => retry_all(batch, cause),
        }
    }
}

impl WriteQuarantine {
    /// An entry for each receipt, so that each can be replayed by itself.
    fn entries(&self, message: &Message) -> Result<Vec<QuarantineEntry>, DecodeError> {
        match &message.origin {
            None => Ok(vec![self.not_understood(message.payload.clone())?]),
            Some(origin) => {
                let parts = pack::parts(&message.payload)?;
                parts.into_iter().map(|part| self.dead_letter(part, origin)).collect()
            }
        }
    }

    fn not_understood(&self, payload: Bytes) -> Result<QuarantineEntry, DecodeError> {
        let Quarantined { receipt, tenant, source, received_at, reason, message } =
            Quarantined::decode(payload)?;
        let came = Came { receipt, tenant, source, received_at };
        Ok(self.open_entry(came, Stage::Normalize, reason, message.to_vec()))
    }

    /// What a handler gave up on: it lies here as it was, to be sent to where it stopped.
    fn dead_letter(&self, payload: Bytes, origin: &Origin) -> Result<QuarantineEntry, DecodeError> {
        let message = payload.to_vec();
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
        Ok(self.open_entry(came, stage, reason, message))
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

fn reject(cause: &DecodeError) -> Verdict {
    Verdict::Reject { reason: format!("not a message of this topic: {cause}") }
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
