//! Answers already given, so that a repeated request gets the same one.

use async_trait::async_trait;
use domain::event::Digest;
use domain::id::SourceId;
use domain::timestamp::Timestamp;

use crate::bus::BusError;

/// Remembers, per source and idempotency key, the body it came with and the answer it got.
///
/// Lives beside the bus, in the gateway's own durable domain, so that a ledger outage does not stop ingestion.
///
/// Contract: of several `begin` with one key, those with the first body get `New` or `InProgress` until `finish`, then
/// `Done` with the answer first finished; those with another body get `Conflict`. A key begun before `forget_before`
/// is new again. Doing the work of an `InProgress` key again is harmless by the event ids; a process that died between
/// `begin` and `finish` therefore blocks nobody.
#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Opens a key, or says what is known of it.
    async fn begin(&self, key: &IdempotencyKey, body: Digest, now: Timestamp) -> Result<Begun, BusError>;

    /// Keeps the answer, unless one is kept already; returns the one that is kept.
    async fn finish(&self, key: &IdempotencyKey, answer: StoredAnswer) -> Result<StoredAnswer, BusError>;

    /// Forgets keys begun before an instant; returns how many.
    async fn forget_before(&self, instant: Timestamp) -> Result<u64, BusError>;
}

/// A sender's idempotency key: kept as a keyed digest, for senders put anything into it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// The source that used it; two sources may use the same word.
    pub source: SourceId,
    /// Digest of the key's text.
    pub key: Digest,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Not seen before: go on.
    New,
    /// Seen with this body, no answer yet: go on.
    InProgress,
    /// Answered: say the same again.
    Done(StoredAnswer),
    /// Seen with another body: refuse.
    Conflict,
}

/// An answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: Vec<u8>,
}
