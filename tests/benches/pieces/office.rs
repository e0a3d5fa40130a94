//! One tenant with its keys, and what the services do for it, call by call as they do it.

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use domain::event::Digest;
use domain::id::{ReceiptId, SourceId, TenantId};
use domain::observation::Observation;
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use event_schema::codec::{EventBatch, RawDelivery};
use event_schema::public;
use privacy::{MasterKeys, Receipt, TenantKeys, Vault};
use serde_json::Value;

use crate::bodies::Body;

pub(crate) struct Office {
    vault: Vault,
    tenant: TenantId,
    pub(crate) source: SourceId,
    received_at: Timestamp,
}

impl Office {
    pub(crate) fn new() -> Self {
        let office = Self {
            vault: vault(),
            tenant: tenant("salon"),
            source: SourceId::parse("salon-bot").expect("it is a slug"),
            received_at: Timestamp::parse("2026-03-01T10:20:31Z").expect("it is an instant"),
        };
        // Deriving the keys is a piece of its own: here they are known, as they are after the first event.
        drop(office.keys());
        office
    }

    pub(crate) fn keys(&self) -> Arc<TenantKeys> {
        self.vault.tenant(&self.tenant)
    }

    /// What the gateway does to one body: `intake.rs` there for an event, `hooks.rs` for a messenger's delivery.
    pub(crate) fn accept(&self, body: &Body) -> Bytes {
        let (text, keys) = (body.text.as_str(), self.keys());
        let payload_digest = match body.kind {
            SourceKind::Events => {
                let observation = parse_and_validate(text);
                let payload_digest = keys.payload_digest(text.as_bytes());
                black_box(keys.identify(&self.source, &observation, &payload_digest));
                payload_digest
            }
            _ => {
                drop(black_box(read(text)));
                keys.payload_digest(text.as_bytes())
            }
        };
        self.deliver(&keys, body, payload_digest).encode()
    }

    /// What the gateway puts on the bus.
    pub(crate) fn delivery(&self, body: &Body) -> RawDelivery {
        let keys = self.keys();
        let payload_digest = keys.payload_digest(body.text.as_bytes());
        self.deliver(&keys, body, payload_digest)
    }

    fn deliver(&self, keys: &TenantKeys, body: &Body, payload_digest: Digest) -> RawDelivery {
        let receipt = ReceiptId::generate();
        RawDelivery {
            receipt,
            tenant: self.tenant.clone(),
            source: self.source.clone(),
            kind: body.kind,
            received_at: self.received_at,
            payload_digest,
            sealed_body: keys.seal_body(receipt, body.text.as_bytes()),
            refusal: None,
            mapping: None,
        }
    }

    /// What the normalizer does to one delivery.
    pub(crate) fn normalize(&self, payload: Bytes) -> Bytes {
        let raw = RawDelivery::decode(payload).expect("it was encoded here");
        let keys = self.vault.tenant(&raw.tenant);
        let body = open(&keys, &raw);
        let receipt = receipt(&raw);
        let observations = parse(&raw, &body).into_iter();
        let events = observations.map(|observation| keys.protect(observation, &receipt)).collect();
        let RawDelivery { receipt, tenant, source, received_at, .. } = raw;
        EventBatch { receipt, tenant, source, received_at, events }.encode()
    }

    /// What the normalizer puts on the bus.
    pub(crate) fn batch(&self, body: &Body) -> EventBatch {
        let wire = self.normalize(self.delivery(body).encode());
        EventBatch::decode(wire).expect("it was encoded here")
    }
}

pub(crate) fn vault() -> Vault {
    Vault::new(MasterKeys::generate().expect("a machine that measures gives random bytes"))
}

pub(crate) fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).expect("it is a slug")
}

pub(crate) fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("the body is JSON")
}

pub(crate) fn parse_and_validate(text: &str) -> Observation {
    public::parse_str(text).unwrap_or_else(|error| panic!("the body is an event: {error:?}"))
}

pub(crate) fn open(keys: &TenantKeys, raw: &RawDelivery) -> Vec<u8> {
    keys.open_body(raw.receipt, &raw.sealed_body).expect("it was sealed here")
}

pub(crate) fn parse(raw: &RawDelivery, body: &[u8]) -> Vec<Observation> {
    channels::parse(raw.kind, body, raw.received_at).expect("the body is of its channel")
}

pub(crate) fn receipt(raw: &RawDelivery) -> Receipt {
    Receipt {
        id: raw.receipt,
        tenant: raw.tenant.clone(),
        source: raw.source.clone(),
        received_at: raw.received_at,
        payload_digest: raw.payload_digest,
    }
}
