//! Sealed and onto the bus: after this the sender may forget what it sent.

use bytes::Bytes;
use domain::event::Digest;
use domain::id::ReceiptId;
use domain::quarantine::Reason;
use domain::registry::{Source, SourceKind};
use domain::timestamp::Timestamp;
use event_schema::codec::RawDelivery;
use http_kit::problem::Problem;
use ports::bus::BusError;
use privacy::TenantKeys;

use crate::press::Refusal;
use crate::{Door, Gateway};

/// Something to publish, still in the clear.
#[derive(Clone, Copy)]
pub(crate) struct Accepted<'a> {
    /// The bytes received.
    pub(crate) body: &'a [u8],
    /// Their digest.
    pub(crate) payload_digest: Digest,
}

/// Something to publish, whether it is taken or refused.
pub(crate) struct Material<'a> {
    /// What it is.
    pub(crate) accepted: Accepted<'a>,
    /// How to read it.
    pub(crate) kind: SourceKind,
    /// Why it goes to quarantine, when nothing else would send it there.
    pub(crate) refusal: Option<&'a Reason>,
}

/// Seals what was accepted, and encodes it for the bus.
pub(crate) fn seal(
    source: &Source,
    kind: SourceKind,
    keys: &TenantKeys,
    received_at: Timestamp,
    accepted: &Accepted<'_>,
) -> Bytes {
    seal_material(source, keys, received_at, &Material { accepted: *accepted, kind, refusal: None })
}

/// The same for what may have been refused.
pub(crate) fn seal_material(
    source: &Source,
    keys: &TenantKeys,
    received_at: Timestamp,
    material: &Material<'_>,
) -> Bytes {
    let Material { accepted, kind, refusal } = material;
    let receipt = ReceiptId::generate();
    RawDelivery {
        receipt,
        tenant: source.tenant.clone(),
        source: source.id.clone(),
        kind: *kind,
        received_at,
        payload_digest: accepted.payload_digest,
        sealed_body: keys.seal_body(receipt, accepted.body),
        refusal: refusal.cloned(),
        mapping: source.mapping.clone().filter(|_| kind.takes_mapping()),
    }
    .encode()
}

/// Publishes all of a request; returns once it is durable.
pub(crate) async fn publish(door: &Door, source: &Source, sealed: Vec<Bytes>) -> Result<(), Problem> {
    let published = door.press.publish(&source.tenant, sealed).await;
    published.map_err(|refusal| refuse(&door.gateway, refusal))
}

/// What the sender hears when the bus does not answer about a key.
pub(crate) fn unanswered(gateway: &Gateway, error: &BusError) -> Problem {
    let refusal = Refusal::from(error);
    let error: &dyn std::error::Error = error;
    tracing::error!(error, "failed to ask the bus");
    refuse(gateway, refusal)
}

fn refuse(gateway: &Gateway, refusal: Refusal) -> Problem {
    Problem::new(refusal.kind()).retry_after(gateway.config.retry_after)
}
