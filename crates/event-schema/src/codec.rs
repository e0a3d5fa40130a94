//! Protobuf forms: what travels on the bus and lies in the ledger, from and to the domain.
//!
//! Decoding is total: any bytes give a value or a [`DecodeError`], never a panic. Encoding is deterministic: one value
//! has one form, and golden files keep that form readable and unchanged.

mod event;
mod field;

use bytes::Bytes;
use domain::event::{Digest, Event, Sealed};
use domain::id::{ReceiptId, SourceId, TenantId};
use domain::quarantine::{Reason, ReasonClass};
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use prost::Message as _;

use crate::wire;

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
    event::to_wire(event).encode_to_vec().into()
}

/// Reads back what [`encode_event`] gave.
pub fn decode_event(bytes: Bytes) -> Result<Event, DecodeError> {
    event::from_wire(wire::Event::decode(bytes).map_err(DecodeError::Malformed)?)
}

impl RawDelivery {
    /// The protobuf form.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let message = wire::RawDelivery {
            receipt: field::bytes(self.receipt.as_bytes()),
            tenant: self.tenant.to_string(),
            source: self.source.to_string(),
            kind: self.kind.as_str().to_owned(),
            received_at_micros: self.received_at.unix_micros(),
            payload_digest: field::bytes(self.payload_digest.as_bytes()),
            sealed_body: field::bytes(self.sealed_body.as_bytes()),
        };
        message.encode_to_vec().into()
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
        })
    }
}

impl EventBatch {
    /// The protobuf form.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let message = wire::EventBatch {
            receipt: field::bytes(self.receipt.as_bytes()),
            tenant: self.tenant.to_string(),
            source: self.source.to_string(),
            received_at_micros: self.received_at.unix_micros(),
            events: self.events.iter().map(event::to_wire).collect(),
        };
        message.encode_to_vec().into()
    }

    /// Reads back what [`Self::encode`] gave.
    pub fn decode(bytes: Bytes) -> Result<Self, DecodeError> {
        let message = wire::EventBatch::decode(bytes).map_err(DecodeError::Malformed)?;
        Ok(Self {
            receipt: field::read(ReceiptId::from_slice(&message.receipt), "receipt")?,
            tenant: field::read(TenantId::parse(&message.tenant), "tenant")?,
            source: field::read(SourceId::parse(&message.source), "source")?,
            received_at: field::instant(message.received_at_micros, "received_at_micros")?,
            events: message.events.into_iter().map(event::from_wire).collect::<Result<_, _>>()?,
        })
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
