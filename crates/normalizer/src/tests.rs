use bytes::Bytes;
use domain::id::{ReceiptId, SourceId, TenantId};
use domain::registry::{MappingText, SourceKind};
use domain::timestamp::Timestamp;
use ports::bus::{DeliveryTag, Partition};
use privacy::MasterKeys;
use prometheus::Registry;
use serde_json::json;

use super::*;

struct World {
    normalize: Normalize,
    receipt: ReceiptId,
}

impl World {
    fn new() -> Self {
        let vault = Arc::new(Vault::new(MasterKeys::generate().unwrap()));
        let metrics = NormalizerMetrics::register(&Registry::new()).unwrap();
        Self { normalize: Normalize::new(vault, metrics), receipt: ReceiptId::generate() }
    }

    fn raw(&self, kind: SourceKind, body: &[u8]) -> RawDelivery {
        let tenant = TenantId::parse("salon").unwrap();
        let keys = self.normalize.vault.tenant(&tenant);
        RawDelivery {
            receipt: self.receipt,
            source: SourceId::parse("bot").unwrap(),
            kind,
            received_at: Timestamp::parse("2026-01-01T12:00:00Z").unwrap(),
            payload_digest: keys.payload_digest(body),
            sealed_body: keys.seal_body(self.receipt, body),
            refusal: None,
            mapping: None,
            tenant,
        }
    }

    async fn handle(&self, payload: Bytes) -> Verdict {
        self.handle_again(1, payload).await
    }

    async fn handle_again(&self, attempt: u32, payload: Bytes) -> Verdict {
        let delivery = Delivery {
            tag: DeliveryTag("1".to_owned()),
            attempt,
            published_at: Timestamp::EPOCH,
            message: Message::new(TenantId::parse("salon").unwrap(), Partition::from_index(3), payload),
        };
        self.normalize.handle(&[delivery]).await.remove(0)
    }

    async fn output(&self, raw: &RawDelivery) -> (Topic, Message) {
        match self.handle(raw.encode()).await {
            Verdict::Done(mut outputs) if outputs.len() == 1 => outputs.remove(0),
            other => panic!("{other:?}"),
        }
    }
}

fn event() -> Vec<u8> {
    json!({"timestamp": "2026-01-01T15:00:00+03:00", "channel": "site", "session_id": "s-1", "action": "book"})
        .to_string()
        .into_bytes()
}

#[tokio::test]
async fn a_delivery_becomes_one_batch_that_keeps_receipt_times_and_partition() {
    let world = World::new();
    let raw = world.raw(SourceKind::Events, &event());
    let (topic, message) = world.output(&raw).await;
    assert_eq!((topic, message.partition), (Topic::Events, Partition::from_index(3)));
    let batch = EventBatch::decode(message.payload).unwrap();
    assert_eq!((batch.receipt, batch.received_at), (raw.receipt, raw.received_at));
    assert_eq!(batch.events[0].session.as_str(), "s-1");
}

#[tokio::test]
async fn the_same_delivery_always_becomes_the_same_event() {
    let world = World::new();
    let raw = world.raw(SourceKind::Events, &event());
    let ids: Vec<_> = [world.output(&raw).await, world.output(&raw).await]
        .into_iter()
        .map(|(_, message)| EventBatch::decode(message.payload).unwrap().events[0].id)
        .collect();
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn what_cannot_be_read_goes_to_quarantine_with_reason_pointer_and_the_sealed_body() {
    let world = World::new();
    let raw = world.raw(SourceKind::Telegram, br#"{"no_update_id": true}"#);
    let (topic, message) = world.output(&raw).await;
    assert_eq!(topic, Topic::Quarantine);
    let quarantined = Quarantined::decode(message.payload).unwrap();
    assert_eq!(quarantined.reason.class, ReasonClass::Unreadable);
    assert_eq!(quarantined.reason.pointer.as_deref(), Some("/update_id"));
    assert_eq!(quarantined.message, raw.encode());
}

#[tokio::test]
async fn what_the_gateway_refused_goes_to_quarantine_with_its_reason_even_if_it_can_be_read() {
    let world = World::new();
    let detail = "signature-invalid: the signature does not match".to_owned();
    let reason = Reason { class: ReasonClass::Invalid, pointer: None, detail };
    let raw = RawDelivery { refusal: Some(reason.clone()), ..world.raw(SourceKind::Events, &event()) };
    let (topic, message) = world.output(&raw).await;
    assert_eq!(topic, Topic::Quarantine);
    let quarantined = Quarantined::decode(message.payload).unwrap();
    assert_eq!((quarantined.reason, quarantined.message), (reason, raw.encode()));
}

#[tokio::test]
async fn a_body_sealed_under_an_unknown_key_is_unopenable_not_lost() {
    let (world, elsewhere) = (World::new(), World::new());
    let raw = elsewhere.raw(SourceKind::Events, &event());
    let (topic, message) = world.output(&raw).await;
    assert_eq!(topic, Topic::Quarantine);
    assert_eq!(Quarantined::decode(message.payload).unwrap().reason.class, ReasonClass::Unopenable);
}

#[tokio::test]
async fn bytes_that_are_no_delivery_are_rejected() {
    let verdict = World::new().handle(Bytes::from_static(b"\xff\xff")).await;
    assert!(matches!(verdict, Verdict::Reject { .. }));
}

#[tokio::test]
async fn receipts_that_came_together_go_on_together_but_for_those_that_cannot_be_read() {
    let world = World::new();
    let good = [world.raw(SourceKind::Events, &event()), world.raw(SourceKind::Events, &event())];
    let bad = world.raw(SourceKind::Telegram, b"{}");
    let packed = pack::join(vec![good[0].encode(), bad.encode(), good[1].encode()]);
    let Verdict::Done(outputs) = world.handle(packed).await else { panic!("not done") };
    let [(Topic::Quarantine, entry), (Topic::Events, events)] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    assert_eq!(Quarantined::decode(entry.payload.clone()).unwrap().message, bad.encode());
    assert_eq!((entry.receipts.get(), events.receipts.get()), (1, 2));
    let batches = pack::parts(&events.payload).unwrap().into_iter();
    assert_eq!(batches.map(|batch| EventBatch::decode(batch).unwrap().events.len()).sum::<usize>(), 2);
}

#[tokio::test]
async fn what_came_together_is_taken_apart_when_it_comes_alone_or_when_a_part_is_no_delivery() {
    let world = World::new();
    let parts = vec![world.raw(SourceKind::Events, &event()).encode(), Bytes::from_static(b"\x0a\x00")];
    for attempt in [1, 4] {
        let Verdict::Done(outputs) = world.handle_again(attempt, pack::join(parts.clone())).await else {
            panic!("not done")
        };
        assert!(outputs.iter().all(|(topic, message)| *topic == Topic::Apart && message.receipts.get() == 1));
        assert!(outputs.iter().map(|(_, message)| &message.payload).eq(&parts), "attempt {attempt}");
    }
    let alone = world.handle_again(4, parts[0].clone()).await;
    assert!(matches!(alone, Verdict::Done(outputs) if outputs[0].0 == Topic::Events));
}

fn mapping(session: &str) -> MappingText {
    let set = json!({"channel": "site", "session_id": session, "action": "message"});
    let file = json!({"version": 1, "events": [{"set": set}]});
    channels::Mapping::parse(&file.to_string()).unwrap().text().clone()
}

#[tokio::test]
async fn what_did_not_fit_its_mapping_fits_the_mended_one_with_receipt_and_times_kept() {
    let world = World::new();
    let raw = world.raw(SourceKind::Mapping, br#"{"who": "a"}"#).remapped(mapping("/nobody"));
    let (topic, message) = world.output(&raw).await;
    assert_eq!(topic, Topic::Quarantine);
    let entry = Quarantined::decode(message.payload).unwrap();
    assert_eq!(
        (entry.reason.class, entry.reason.pointer.as_deref()),
        (ReasonClass::Invalid, Some("/nobody"))
    );

    let mended = RawDelivery::decode(entry.message).unwrap().remapped(mapping("/who"));
    let (topic, message) = world.output(&mended).await;
    assert_eq!(topic, Topic::Events);
    let batch = EventBatch::decode(message.payload).unwrap();
    assert_eq!((batch.receipt, batch.received_at), (raw.receipt, raw.received_at));
    assert_eq!(batch.events[0].session.as_str(), "a");
}

#[tokio::test]
async fn a_mapping_of_another_release_and_one_that_is_missing_put_a_delivery_aside() {
    let world = World::new();
    let raw = world.raw(SourceKind::Mapping, b"{}");
    let strange = raw.clone().remapped(MappingText::from_text(r#"{"version":9}"#));
    for raw in [raw, strange] {
        let (topic, message) = world.output(&raw).await;
        assert_eq!(topic, Topic::Quarantine);
        assert_eq!(Quarantined::decode(message.payload).unwrap().reason.class, ReasonClass::Unreadable);
    }
}
