//! What a bot answers to a delivery that was passed on to it.

use domain::registry::SourceKind;
use domain::timestamp::Timestamp;

use crate::telegram;

/// The answer of a bot to one delivery.
pub struct Answer<'a> {
    /// What it says its body is.
    pub content_type: Option<&'a str>,
    /// Its body.
    pub body: &'a [u8],
    /// When it came.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// What an answer tells the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Nothing.
    Nothing,
    /// This: a delivery of the same kind of source, which [`parse`](crate::parse) reads like any other.
    Said(Vec<u8>),
    /// Something, perhaps, in a form that cannot be read.
    Unreadable,
}

/// Whether the answer to a delivery of this kind can say something to the client, so that passing deliveries on is of use.
#[must_use]
pub fn can_answer(kind: SourceKind) -> bool {
    kind == SourceKind::Telegram
}

/// Says what a bot told the client in its answer to a delivery. The same answer to the same delivery is one event, however
/// often it is told.
#[must_use]
pub fn told(kind: SourceKind, delivery: &[u8], answer: &Answer<'_>) -> Told {
    if can_answer(kind) { telegram::wrap(delivery, answer) } else { Told::Nothing }
}
