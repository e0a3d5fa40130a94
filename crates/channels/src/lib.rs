//! One module per channel: verify what a messenger sends, and say what it means.
//!
//! Nothing here does I/O or looks at a clock, and no body makes it panic: a body is a list of observations, or one
//! reason why not. Neither quotes values out of the body.
//!
//! Adding a channel: a module with `parse`, a [`SourceKind`], and an arm in each of the functions below.

mod answer;
mod avito;
mod batch;
pub mod cloudevents;
mod events;
mod form;
mod greeting;
mod instagram;
mod jivo;
mod json;
mod mapping;
mod max;
mod opt_out;
pub mod otlp;
mod proof;
mod referral;
mod seen;
mod standard_webhooks;
mod telegram;
mod vk;
mod wazzup;
mod whatsapp;
mod yclients;

use std::borrow::Cow;

pub use answer::{Answer, Told, can_answer, told};
pub use greeting::{Reply, handshake, small_talk, thanks, token_for_meta};
pub use mapping::{Fault, MAX_BYTES as MAX_MAPPING_BYTES, Mapping, MappingError, Mappings};

use domain::observation::Observation;
use domain::quarantine::ReasonClass;
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;

/// What was delivered, as it came.
pub struct Delivery<'a> {
    /// Looks up a header by its lower-case name.
    pub header: &'a dyn Fn(&str) -> Option<&'a [u8]>,
    /// Looks up a parameter of the address.
    pub query: &'a dyn Fn(&str) -> Option<Cow<'a, str>>,
    /// The bytes of the body, as they were received.
    pub body: &'a [u8],
}

/// Why a delivery does not prove that it comes from its source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// What carries the proof is not there.
    #[error("{place} {name} is missing")]
    MissingProof {
        /// Where it should be: a header, a parameter of the address, a member of the body.
        place: &'static str,
        /// Its name; of a header, lower case.
        name: Cow<'static, str>,
    },
    /// The proof was made with another secret, or over another body.
    #[error("the proof does not fit")]
    WrongProof,
    /// The proof is right and too old, or from the future: a replay, or a clock that is wrong.
    #[error("the delivery was signed more than five minutes away from now")]
    Expired,
    /// The source has no secret, so nothing can be proved.
    #[error("the source has no secret")]
    NoSecret,
}

impl VerifyError {
    /// The proof should be here, and nothing is.
    pub(crate) fn missing(place: &'static str, name: &str) -> Self {
        Self::MissingProof { place, name: name.to_owned().into() }
    }
}

/// Why a body means nothing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unparsed {
    /// [`ReasonClass::Unreadable`] or [`ReasonClass::Invalid`].
    pub class: ReasonClass,
    /// JSON pointer (RFC 6901) to the spot, where there is one.
    pub pointer: Option<String>,
    /// What was expected there. Never a value out of the body.
    pub detail: String,
}

/// Checks that a delivery was sent by whoever shares one of the live `secrets` with us. Takes the same time whether the
/// proof is nearly right or plainly wrong.
pub fn verify(
    kind: SourceKind,
    delivery: &Delivery<'_>,
    secrets: &[&[u8]],
    now: Timestamp,
) -> Result<(), VerifyError> {
    match kind {
        SourceKind::Events => standard_webhooks::verify(delivery, secrets, now),
        SourceKind::Telegram => telegram::verify(delivery, secrets),
        SourceKind::Whatsapp | SourceKind::Instagram => proof::by_hub_signature(delivery, secrets),
        SourceKind::Vk => vk::verify(delivery.body, secrets),
        SourceKind::Max => max::verify(delivery, secrets),
        SourceKind::Wazzup | SourceKind::Otlp => proof::by_bearer_or_in_address(delivery, secrets),
        SourceKind::Cloudevents => proof::by_bearer_or_token(delivery, secrets),
        SourceKind::Avito | SourceKind::Jivo | SourceKind::Yclients | SourceKind::Mapping => {
            proof::in_address(delivery, secrets)
        }
    }
}

/// Like [`verify`], where the source has a mapping, which may say itself how that is done.
pub fn verify_mapped(
    kind: SourceKind,
    mapping: &Mapping,
    delivery: &Delivery<'_>,
    secrets: &[&[u8]],
    now: Timestamp,
) -> Result<(), VerifyError> {
    match kind {
        SourceKind::Mapping => mapping.verify(delivery, secrets, now),
        _ => verify(kind, delivery, secrets, now),
    }
}

/// Says what a body means: at least one observation. `received_at` stands in for the time of what carries none.
pub fn parse(kind: SourceKind, body: &[u8], received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
    let mut observations = read(kind, body, received_at)?;
    // Our own event, in an envelope or without one, says of consents what there is to say; and what it says is what tells it from
    // others (ADR 10).
    if !matches!(kind, SourceKind::Events | SourceKind::Cloudevents) {
        opt_out::heed(&mut observations);
    }
    Ok(observations)
}

fn read(kind: SourceKind, body: &[u8], received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
    match kind {
        SourceKind::Events => events::parse(body),
        SourceKind::Telegram => telegram::parse(body, received_at),
        SourceKind::Whatsapp => whatsapp::parse(body, received_at),
        SourceKind::Instagram => instagram::parse(body, received_at),
        SourceKind::Vk => vk::parse(body, received_at),
        SourceKind::Max => max::parse(body, received_at),
        SourceKind::Wazzup => wazzup::parse(body, received_at),
        SourceKind::Avito => avito::parse(body, received_at),
        SourceKind::Jivo => jivo::parse(body, received_at),
        SourceKind::Yclients => yclients::parse(body, received_at),
        SourceKind::Otlp => otlp::parse(body, received_at),
        SourceKind::Cloudevents => cloudevents::parse(body, received_at),
        SourceKind::Mapping => Err(json::unreadable("", "must come with a mapping, and its source has none")),
    }
}

/// Like [`parse`], where a mapping came with the body. Kinds that are not read by one do without it.
pub fn parse_mapped(
    kind: SourceKind,
    mapping: &Mapping,
    body: &[u8],
    received_at: Timestamp,
) -> Result<Vec<Observation>, Unparsed> {
    match kind {
        SourceKind::Mapping => {
            let mut observations = mapping.read(body, received_at)?;
            opt_out::heed(&mut observations);
            Ok(observations)
        }
        SourceKind::Cloudevents => cloudevents::parse_mapped(mapping, body, received_at),
        _ => parse(kind, body, received_at),
    }
}

/// A delivery that was kept, opened.
#[derive(Clone, Copy)]
pub struct Kept<'k> {
    /// What its source speaks.
    pub kind: SourceKind,
    /// When the gateway took it.
    pub received_at: Timestamp,
    /// The bytes received.
    pub body: &'k [u8],
}

/// What would become of deliveries that were kept, if they were read by this mapping: one answer for each, in their order.
/// Changes nothing; who likes the answers sends the deliveries through again with it.
pub fn preview<'k>(
    mapping: &Mapping,
    kept: impl IntoIterator<Item = Kept<'k>>,
) -> Vec<Result<Vec<Observation>, Unparsed>> {
    let read = |kept: Kept<'_>| parse_mapped(kept.kind, mapping, kept.body, kept.received_at);
    kept.into_iter().map(read).collect()
}
