//! Sealed and onto the bus: after this the sender may forget what it sent.

use bytes::Bytes;
use domain::event::Digest;
use domain::id::ReceiptId;
use domain::registry::{Source, SourceKind};
use domain::timestamp::Timestamp;
use event_schema::codec::RawDelivery;
use http_kit::problem::{Problem, ProblemKind};
use ports::bus::{BusError, Message, Partition, Topic};
use privacy::TenantKeys;

use crate::Gateway;

/// Something to publish, still in the clear.
pub(crate) struct Accepted<'a> {
    /// The bytes received.
    pub(crate) body: &'a [u8],
    /// Their digest.
    pub(crate) payload_digest: Digest,
    /// The part of the topic its conversation goes through.
    pub(crate) partition: Partition,
}

/// Seals what was accepted.
pub(crate) fn seal(
    source: &Source,
    kind: SourceKind,
    keys: &TenantKeys,
    received_at: Timestamp,
    accepted: &Accepted<'_>,
) -> Message {
    let receipt = ReceiptId::generate();
    let delivery = RawDelivery {
        receipt,
        tenant: source.tenant.clone(),
        source: source.id.clone(),
        kind,
        received_at,
        payload_digest: accepted.payload_digest,
        sealed_body: keys.seal_body(receipt, accepted.body),
    };
    let payload: Bytes = delivery.encode();
    Message { tenant: source.tenant.clone(), partition: accepted.partition, payload, origin: None }
}

/// Publishes all of a request in one call; returns once it is durable.
pub(crate) async fn publish(gateway: &Gateway, messages: Vec<Message>) -> Result<(), Problem> {
    gateway.bus.publish(Topic::Raw, messages).await.map_err(|error| refuse(gateway, &error))
}

/// What the sender hears when the bus cannot.
pub(crate) fn refuse(gateway: &Gateway, error: &BusError) -> Problem {
    let kind = match error {
        BusError::Full => ProblemKind::BusFull,
        BusError::Unavailable(_) | BusError::Corrupt(_) => ProblemKind::BusUnavailable,
    };
    let error: &dyn std::error::Error = error;
    tracing::error!(error, "failed to publish");
    Problem::new(kind).retry_after(gateway.config.retry_after)
}
