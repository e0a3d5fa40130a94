use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use domain::event::{Digest, Sealed};
use domain::id::{ReceiptId, SourceId, TenantId};
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use ports::bus::{DeliveryTag, Partition};
use ports::clock::SystemClock;
use ports::ledger::{LedgerError, Recorded};
use prometheus::Registry;

use super::*;

/// A ledger that keeps what it is told, or is down.
#[derive(Default)]
struct Told {
    entries: Mutex<Vec<QuarantineEntry>>,
    batches: Mutex<Vec<ReceiptBatch>>,
    is_down: bool,
}

impl Told {
    fn answer<T>(&self, answer: T) -> Result<T, LedgerError> {
        if self.is_down { Err(LedgerError::Unavailable("down".into())) } else { Ok(answer) }
    }
}

#[async_trait]
impl Ledger for Told {
    async fn record(&self, batches: &[ReceiptBatch], _now: Timestamp) -> Result<Vec<Recorded>, LedgerError> {
        self.batches.lock().unwrap().extend_from_slice(batches);
        self.answer(batches.iter().map(|_batch| Recorded::Stored).collect())
    }
    async fn quarantine(&self, entries: &[QuarantineEntry]) -> Result<(), LedgerError> {
        self.entries.lock().unwrap().extend_from_slice(entries);
        self.answer(())
    }
    async fn sweep(&self, _events: Timestamp, _rollups: Timestamp, _limit: u32) -> Result<u64, LedgerError> {
        self.answer(0)
    }
    async fn probe(&self) -> Result<(), LedgerError> {
        self.answer(())
    }
}

fn tenant() -> TenantId {
    TenantId::parse("salon").unwrap()
}

fn source() -> SourceId {
    SourceId::parse("bot").unwrap()
}

fn raw(receipt: ReceiptId) -> Bytes {
    let payload_digest = Digest::from_bytes([1; 32]);
    let sealed_body = Sealed::from_bytes(vec![1, 2, 3]);
    let (tenant, source, received_at) = (tenant(), source(), Timestamp::EPOCH);
    let kind = SourceKind::Telegram;
    RawDelivery {
        receipt,
        tenant,
        source,
        kind,
        received_at,
        payload_digest,
        sealed_body,
        refusal: None,
        mapping: None,
    }
    .encode()
}

fn events(receipt: ReceiptId) -> Bytes {
    let (tenant, source, received_at) = (tenant(), source(), Timestamp::EPOCH);
    EventBatch { receipt, tenant, source, received_at, events: Vec::new() }.encode()
}

fn delivery(payload: Bytes, origin: Option<(Topic, Group)>) -> Delivery {
    let origin =
        origin.map(|(topic, group)| Origin { topic, group, attempts: 6, reason: "it broke".to_owned() });
    let message = Message { origin, ..Message::new(tenant(), Partition::FIRST, payload) };
    Delivery { tag: DeliveryTag("1".to_owned()), attempt: 1, published_at: Timestamp::EPOCH, message }
}

async fn quarantined(deliveries: &[Delivery]) -> (Vec<Verdict>, Vec<QuarantineEntry>) {
    let ledger = Arc::new(Told::default());
    let writer = WriteQuarantine { ledger: ledger.clone(), clock: Arc::new(SystemClock) };
    let verdicts = writer.handle(deliveries).await;
    let entries = ledger.entries.lock().unwrap().clone();
    (verdicts, entries)
}

#[tokio::test]
async fn what_the_normalizer_could_not_read_waits_with_its_reason_to_be_normalised_again() {
    let receipt = ReceiptId::generate();
    let reason = Reason {
        class: ReasonClass::Unreadable,
        pointer: Some("/update_id".to_owned()),
        detail: "is required".to_owned(),
    };
    let (tenant, source, received_at) = (tenant(), source(), Timestamp::EPOCH);
    let message = raw(receipt);
    let told = Quarantined {
        receipt,
        tenant,
        source,
        received_at,
        reason: reason.clone(),
        message: message.clone(),
    };
    let (_, entries) = quarantined(&[delivery(told.encode(), None)]).await;
    assert_eq!((entries[0].stage, &entries[0].reason), (Stage::Normalize, &reason));
    assert_eq!((entries[0].receipt, &entries[0].message[..]), (receipt, &message[..]));
}

#[tokio::test]
async fn a_dead_letter_waits_where_it_stopped() {
    let receipt = ReceiptId::generate();
    for (payload, origin, stage) in [
        (raw(receipt), (Topic::Raw, Group::Normalizer), Stage::Normalize),
        (raw(receipt), (Topic::Replay, Group::Normalizer), Stage::Normalize),
        (events(receipt), (Topic::Events, Group::Ledger), Stage::Record),
        (events(receipt), (Topic::Events, Group::Analytics), Stage::Analyse),
    ] {
        let (_, entries) = quarantined(&[delivery(payload.clone(), Some(origin))]).await;
        assert_eq!((entries[0].receipt, entries[0].stage), (receipt, stage), "{origin:?}");
        assert_eq!(entries[0].reason.class, ReasonClass::HandlerFailed);
        assert_eq!(entries[0].reason.detail, "it broke (after 6 attempts)");
        assert_eq!(entries[0].message, payload);
    }
}

#[tokio::test]
async fn what_is_not_even_an_entry_is_rejected_and_its_neighbours_are_kept() {
    let receipt = ReceiptId::generate();
    let garbage = delivery(Bytes::from_static(b"\xff"), None);
    let letter = delivery(raw(receipt), Some((Topic::Raw, Group::Normalizer)));
    let (verdicts, entries) = quarantined(&[garbage, letter]).await;
    assert!(matches!(verdicts.as_slice(), [Verdict::Reject { .. }, Verdict::Done(_)]), "{verdicts:?}");
    assert_eq!(entries.len(), 1);
}

#[tokio::test]
async fn a_batch_keeps_its_message_for_the_case_of_a_conflict() {
    let receipt = ReceiptId::generate();
    let ledger = Arc::new(Told::default());
    let metrics = WriterMetrics::register(&Registry::new()).unwrap();
    let writer = WriteLedger { ledger: ledger.clone(), clock: Arc::new(SystemClock), metrics };
    let verdicts = writer.handle(&[delivery(events(receipt), None)]).await;
    assert!(matches!(verdicts.as_slice(), [Verdict::Done(outputs)] if outputs.is_empty()));
    let batches = ledger.batches.lock().unwrap();
    assert_eq!((batches[0].receipt, &batches[0].message), (receipt, &events(receipt)));
}

#[tokio::test]
async fn while_the_ledger_is_down_everything_is_retried() {
    let ledger = Arc::new(Told { is_down: true, ..Told::default() });
    let metrics = WriterMetrics::register(&Registry::new()).unwrap();
    let writer = WriteLedger { ledger, clock: Arc::new(SystemClock), metrics };
    let batch =
        [delivery(events(ReceiptId::generate()), None), delivery(events(ReceiptId::generate()), None)];
    let verdicts = writer.handle(&batch).await;
    assert!(matches!(verdicts.as_slice(), [Verdict::Retry(_), Verdict::Retry(_)]), "{verdicts:?}");
}

#[tokio::test]
async fn receipts_that_came_together_are_recorded_each_with_its_own_message() {
    let receipts = [ReceiptId::generate(), ReceiptId::generate()];
    let ledger = Arc::new(Told::default());
    let metrics = WriterMetrics::register(&Registry::new()).unwrap();
    let writer = WriteLedger { ledger: ledger.clone(), clock: Arc::new(SystemClock), metrics };
    let packed = pack::join(receipts.map(events).to_vec());
    writer.handle(&[delivery(packed, None)]).await;
    let batches = ledger.batches.lock().unwrap();
    assert!(batches.iter().map(|batch| batch.receipt).eq(receipts));
    assert!(batches.iter().map(|batch| batch.message.clone()).eq(receipts.map(events)));
}

#[tokio::test]
async fn what_came_together_is_taken_apart_when_it_comes_alone_or_when_a_part_cannot_be_read() {
    let ledger = Arc::new(Told::default());
    let metrics = WriterMetrics::register(&Registry::new()).unwrap();
    let writer = WriteLedger { ledger: ledger.clone(), clock: Arc::new(SystemClock), metrics };
    let readable = vec![events(ReceiptId::generate()), events(ReceiptId::generate())];
    let damaged = vec![events(ReceiptId::generate()), Bytes::from_static(b"\x0a\x00")];
    for (attempt, parts) in [(4, readable), (1, damaged)] {
        let packed = Delivery { attempt, ..delivery(pack::join(parts.clone()), None) };
        let verdicts = writer.handle(&[packed]).await;
        let [Verdict::Done(outputs)] = verdicts.as_slice() else { panic!("{verdicts:?}") };
        assert!(
            outputs.iter().all(|(topic, message)| *topic == Topic::Events && message.receipts.get() == 1)
        );
        assert!(outputs.iter().map(|(_, message)| &message.payload).eq(&parts));
    }
    assert!(ledger.batches.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_dead_letter_of_several_receipts_is_an_entry_for_each() {
    let receipts = [ReceiptId::generate(), ReceiptId::generate()];
    let packed = pack::join(receipts.map(raw).to_vec());
    let (_, entries) = quarantined(&[delivery(packed, Some((Topic::Raw, Group::Normalizer)))]).await;
    assert!(entries.iter().map(|entry| entry.receipt).eq(receipts));
    assert!(entries.iter().map(|entry| entry.message.clone()).eq(receipts.map(|one| raw(one).to_vec())));
}
