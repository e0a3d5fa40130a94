//! Protobuf forms: what travels on the bus and lies in the ledger, from and to the domain.
//!
//! Decoding is total: any bytes give a value or a [`DecodeError`], never a panic. Encoding is deterministic: one value
//! has one form, and golden files keep that form readable and unchanged.

mod event;
mod field;
pub mod pack;
mod write;

use bytes::Bytes;
use domain::event::{Digest, Event, Sealed};
use domain::id::{ReceiptId, SourceId, TenantId};
use domain::quarantine::{Reason, ReasonClass};
use domain::registry::{MappingText, SourceKind};
use domain::timestamp::Timestamp;
use prost::Message as _;

use crate::wire;
use write::Fields;

/// What the gateway accepted: a message of the topics `raw` and `replay`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawDelivery {
    /// The acceptance.
    pub receipt: ReceiptId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Where it came from.
    pub source: SourceId,
    /// How to read the body.
    pub kind: SourceKind,
    /// When the gateway took it.
    pub received_at: Timestamp,
    /// Keyed digest of the bytes received.
    pub payload_digest: Digest,
    /// The bytes received, sealed.
    pub sealed_body: Sealed,
    /// Why the gateway refused it, when nobody waited to be told: it goes to quarantine, whatever the body is.
    pub refusal: Option<Reason>,
    /// How the source's bodies were to be read when this one came, where the tenant says so.
    pub mapping: Option<MappingText>,
}

/// The events of one receipt: a message of the topic `events`.
#[derive(Clone, Debug, PartialEq)]
pub struct EventBatch {
    /// The acceptance.
    pub receipt: ReceiptId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Where it came from.
    pub source: SourceId,
    /// When the gateway took it.
    pub received_at: Timestamp,
    /// What the receipt turned out to say.
    pub events: Vec<Event>,
}

/// What could not be understood: a message of the topic `quarantine`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The acceptance.
    pub receipt: ReceiptId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Where it came from.
    pub source: SourceId,
    /// When the gateway took it.
    pub received_at: Timestamp,
    /// Why it is here.
    pub reason: Reason,
    /// The message as it was on the bus.
    pub message: Bytes,
}

/// How many bytes a message takes at most beside what it carries: what is set aside for them.
const HEAD_BYTES: usize = 256;

/// Why bytes are not a message of ours. Names the field, never its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not protobuf of this message.
    #[error("the bytes are not a protobuf message of this kind")]
    Malformed(#[source] prost::DecodeError),
    /// Protobuf, with a field the domain does not accept.
    #[error("field {0} holds nothing the domain knows")]
    Field(&'static str),
}

/// The protobuf form of one event: what the ledger keeps.
#[must_use]
pub fn encode_event(event: &Event) -> Bytes {
    let mut bytes = Vec::with_capacity(event::expected_bytes(event));
    event::write(event, &mut Fields::into(&mut bytes));
    bytes.into()
}

/// Reads back what [`encode_event`] gave.
pub fn decode_event(bytes: Bytes) -> Result<Event, DecodeError> {
    event::from_wire(wire::Event::decode(bytes).map_err(DecodeError::Malformed)?)
}

impl RawDelivery {
    /// The protobuf form.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let body = self.sealed_body.as_bytes();
        let mapping = self.mapping.as_ref().map(MappingText::as_str);
        let mut bytes = Vec::with_capacity(HEAD_BYTES + body.len() + mapping.map_or(0, str::len));
        let mut fields = Fields::into(&mut bytes);
        fields.bytes(1, self.receipt.as_bytes());
        fields.text(2, self.tenant.as_str());
        fields.text(3, self.source.as_str());
        fields.text(4, self.kind.as_str());
        fields.int64(5, self.received_at.unix_micros());
        fields.bytes(6, self.payload_digest.as_bytes());
        fields.bytes(7, body);
        if let Some(Reason { class, pointer, detail }) = &self.refusal {
            fields.message(8, |fields| {
                fields.text(1, class.as_str());
                fields.given_text(2, pointer.as_deref());
                fields.text(3, detail);
            });
        }
        if let Some(mapping) = mapping {
            fields.text(9, mapping);
        }
        bytes.into()
    }

    /// Reads back what [`Self::encode`] gave.
    pub fn decode(bytes: Bytes) -> Result<Self, DecodeError> {
        let message = wire::RawDelivery::decode(bytes).map_err(DecodeError::Malformed)?;
        Ok(Self {
            receipt: field::read(ReceiptId::from_slice(&message.receipt), "receipt")?,
            tenant: field::read(TenantId::parse(&message.tenant), "tenant")?,
            source: field::read(SourceId::parse(&message.source), "source")?,
            kind: field::read(SourceKind::parse(&message.kind), "kind")?,
            received_at: field::instant(message.received_at_micros, "received_at_micros")?,
            payload_digest: field::read(Digest::from_slice(&message.payload_digest), "payload_digest")?,
            sealed_body: Sealed::from_bytes(message.sealed_body.into()),
            refusal: message.refusal.map(refusal_from_wire).transpose()?,
            mapping: message.mapping.as_deref().map(MappingText::from_text),
        })
    }

    /// The same delivery, to be read by another mapping from now on.
    #[must_use]
    pub fn remapped(self, mapping: MappingText) -> Self {
        Self { mapping: Some(mapping), ..self }
    }
}

fn refusal_from_wire(refusal: wire::Refusal) -> Result<Reason, DecodeError> {
    let wire::Refusal { reason, pointer, detail } = refusal;
    Ok(Reason { class: field::read(ReasonClass::parse(&reason), "refusal.reason")?, pointer, detail })
}

/// The fields of [`wire::EventBatch`], with the events as they lie there: on the wire a message inside is its bytes.
#[derive(Clone, PartialEq, prost::Message)]
struct UnreadBatch {
    #[prost(bytes = "bytes", tag = "1")]
    receipt: Bytes,
    #[prost(string, tag = "2")]
    tenant: String,
    #[prost(string, tag = "3")]
    source: String,
    #[prost(int64, tag = "4")]
    received_at_micros: i64,
    #[prost(bytes = "bytes", repeated, tag = "5")]
    events: Vec<Bytes>,
}

impl EventBatch {
    /// The protobuf form.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let events: usize = self.events.iter().map(event::expected_bytes).sum();
        let mut bytes = Vec::with_capacity(HEAD_BYTES + events);
        let mut fields = Fields::into(&mut bytes);
        fields.bytes(1, self.receipt.as_bytes());
        fields.text(2, self.tenant.as_str());
        fields.text(3, self.source.as_str());
        fields.int64(4, self.received_at.unix_micros());
        for event in &self.events {
            fields.message(5, |fields| event::write(event, fields));
        }
        bytes.into()
    }

    /// Reads back what [`Self::encode`] gave.
    pub fn decode(bytes: Bytes) -> Result<Self, DecodeError> {
        Self::decode_with_forms(bytes).map(|(batch, _forms)| batch)
    }

    /// Like [`Self::decode`], with the protobuf form of each event beside it: the bytes as they lie in `bytes`, which
    /// are what [`encode_event`] gives when the batch was encoded here, and share its memory.
    pub fn decode_with_forms(bytes: Bytes) -> Result<(Self, Vec<Bytes>), DecodeError> {
        let message = UnreadBatch::decode(bytes).map_err(DecodeError::Malformed)?;
        let batch = Self {
            receipt: field::read(ReceiptId::from_slice(&message.receipt), "receipt")?,
            tenant: field::read(TenantId::parse(&message.tenant), "tenant")?,
            source: field::read(SourceId::parse(&message.source), "source")?,
            received_at: field::instant(message.received_at_micros, "received_at_micros")?,
            events: message.events.iter().cloned().map(decode_event).collect::<Result<_, _>>()?,
        };
        Ok((batch, message.events))
    }
}

impl Quarantined {
    /// The protobuf form.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let message = wire::Quarantined {
            receipt: field::bytes(self.receipt.as_bytes()),
            tenant: self.tenant.to_string(),
            source: self.source.to_string(),
            received_at_micros: self.received_at.unix_micros(),
            reason: self.reason.class.as_str().to_owned(),
            pointer: self.reason.pointer.clone(),
            detail: self.reason.detail.clone(),
            message: self.message.clone(),
        };
        message.encode_to_vec().into()
    }

    /// Reads back what [`Self::encode`] gave.
    pub fn decode(bytes: Bytes) -> Result<Self, DecodeError> {
        let message = wire::Quarantined::decode(bytes).map_err(DecodeError::Malformed)?;
        Ok(Self {
            receipt: field::read(ReceiptId::from_slice(&message.receipt), "receipt")?,
            tenant: field::read(TenantId::parse(&message.tenant), "tenant")?,
            source: field::read(SourceId::parse(&message.source), "source")?,
            received_at: field::instant(message.received_at_micros, "received_at_micros")?,
            reason: Reason {
                class: field::read(ReasonClass::parse(&message.reason), "reason")?,
                pointer: message.pointer,
                detail: message.detail,
            },
            message: message.message,
        })
    }
}
