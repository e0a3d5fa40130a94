//! One module per channel: verify what a messenger sends, and say what it means.
//!
//! Nothing here does I/O or looks at a clock, and no body makes it panic: a body is a list of observations, or one
//! reason why not. Neither quotes values out of the body.
//!
//! Adding a channel: a module with `verify` and `parse`, a [`SourceKind`], and an arm in each of the functions below.

mod events;
mod json;
mod standard_webhooks;
mod telegram;

use domain::observation::Observation;
use domain::quarantine::ReasonClass;
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;

/// Looks up a header of the delivery by its lower-case name.
pub type Headers<'a> = dyn Fn(&str) -> Option<&'a [u8]> + 'a;

/// Why a delivery does not prove that it comes from its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The header that carries the proof is not there.
    #[error("header {header} is missing")]
    MissingProof {
        /// Its name, lower case.
        header: &'static str,
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

/// Checks that `body` was sent by whoever shares one of the live `secrets` with us. Takes the same time whether the
/// proof is nearly right or plainly wrong.
pub fn verify(
    kind: SourceKind,
    headers: &Headers<'_>,
    body: &[u8],
    secrets: &[&[u8]],
    now: Timestamp,
) -> Result<(), VerifyError> {
    match kind {
        SourceKind::Events => standard_webhooks::verify(headers, body, secrets, now),
        SourceKind::Telegram => telegram::verify(headers, secrets),
    }
}

/// Says what a body means: at least one observation. `received_at` stands in for the time of what carries none.
pub fn parse(kind: SourceKind, body: &[u8], received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
    match kind {
        SourceKind::Events => events::parse(body),
        SourceKind::Telegram => telegram::parse(body, received_at),
    }
}
