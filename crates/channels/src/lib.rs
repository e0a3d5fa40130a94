//! One module per channel: verify what a messenger sends, and say what it means.
//!
//! Nothing here does I/O or looks at a clock, and no body makes it panic: a body is a list of observations, or one
//! reason why not. Neither quotes values out of the body.
//!
//! Adding a channel: a module with `parse`, a [`SourceKind`], and an arm in each of the functions below.

mod answer;
mod avito;
mod events;
mod form;
mod greeting;
mod instagram;
mod jivo;
mod json;
mod max;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// What carries the proof is not there.
    #[error("{place} {name} is missing")]
    MissingProof {
        /// Where it should be: a header, a parameter of the address, a member of the body.
        place: &'static str,
        /// Its name; of a header, lower case.
        name: &'static str,
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
        SourceKind::Wazzup => wazzup::verify(delivery, secrets),
        SourceKind::Avito | SourceKind::Jivo | SourceKind::Yclients => proof::in_address(delivery, secrets),
    }
}

/// Says what a body means: at least one observation. `received_at` stands in for the time of what carries none.
pub fn parse(kind: SourceKind, body: &[u8], received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
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
    }
}
