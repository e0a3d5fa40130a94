use bytes::Bytes;
use domain::id::{ReceiptId, SourceId, TenantId};
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use ports::bus::{DeliveryTag, Partition};
use privacy::MasterKey;
use prometheus::Registry;
use serde_json::json;

use super::*;

struct World {
    normalize: Normalize,
    receipt: ReceiptId,
}

impl World {
    fn new() -> Self {
        let vault = Arc::new(Vault::new(MasterKey::generate().unwrap(), Vec::new()));
        let metrics = NormalizerMetrics::register(&Registry::new()).unwrap();
        Self { normalize: Normalize { vault, metrics }, receipt: ReceiptId::generate() }
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
            tenant,
        }
    }

    async fn handle(&self, payload: Bytes) -> Verdict {
        let delivery = Delivery {
            tag: DeliveryTag("1".to_owned()),
            attempt: 1,
            published_at: Timestamp::EPOCH,
            message: Message {
                tenant: TenantId::parse("salon").unwrap(),
                partition: Partition::from_index(3),
                payload,
                origin: None,
            },
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
