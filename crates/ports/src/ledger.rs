//! The ledger: the record of truth, each event in it exactly once.

use async_trait::async_trait;
use bytes::Bytes;
use domain::channel::Channel;
use domain::event::Event;
use domain::id::{LeadId, ReceiptId, SessionId, SourceId, TenantId};
use domain::quarantine::QuarantineEntry;
use domain::rollup::{Moment, SessionRollup};
use domain::session::Outcome;
use domain::timestamp::Timestamp;

use crate::Cause;

/// Writes events and quarantine, and keeps the books.
///
/// Contract (checked by `contract-tests`):
///
/// - Everything one call does is one transaction: events, sessions, marks of receipts, quarantine, books, and what new
///   events say of their sources ([`crate::sources::SourceWatch`]).
/// - An event is kept once per tenant and event id. A second with the same content digest is a duplicate; one with
///   another digest is a conflict: the first stays as it is, and the batch goes to quarantine.
/// - Every receipt has exactly one outcome in the books, whichever way and however often it is reported. A quarantined
///   receipt that a replay brings home moves from `quarantined` to its new outcome; no other outcome ever changes.
/// - The order of calls, and of batches within a call, changes nothing but which of two conflicting events was first.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Records batches of events; one verdict a batch, in the same order.
    async fn record(&self, batches: &[ReceiptBatch], now: Timestamp) -> Result<Vec<Recorded>, LedgerError>;

    /// Puts what could not be understood or handled into quarantine. An entry whose receipt came home already is
    /// ignored, except at stage `Analyse`, which says nothing about the ledger.
    async fn quarantine(&self, entries: &[QuarantineEntry]) -> Result<(), LedgerError>;

    /// Deletes events, marks of receipts, and what was resolved or dismissed in quarantine, received before `events`, and
    /// sessions without events left whose last event was before `rollups`; at most about `limit` rows, so that writing is not
    /// held up. Of what waits in quarantine the messages are deleted and the entries stay, with their reasons. The books stay.
    async fn sweep(&self, events: Timestamp, rollups: Timestamp, limit: u32) -> Result<u64, LedgerError>;

    /// Reads and writes for real, to say whether the ledger can be used.
    async fn probe(&self) -> Result<(), LedgerError>;
}

/// The events of one receipt.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiptBatch {
    /// The acceptance that brought them.
    pub receipt: ReceiptId,
    /// Whose they are.
    pub tenant: TenantId,
    /// Where they came from.
    pub source: SourceId,
    /// When the gateway took them.
    pub received_at: Timestamp,
    /// The events. Several with one id count as one; none at all counts as stored.
    pub events: Vec<LedgerEntry>,
    /// The message as it was on the bus: what quarantine keeps of a conflict.
    pub message: Bytes,
}

/// An event and its wire form.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerEntry {
    /// What the ledger's columns are taken from.
    pub event: Event,
    /// The event in the wire form of `event-schema`; kept whole and given back as it is.
    pub wire: Bytes,
}

/// What became of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recorded {
    /// At least one event of it was new.
    Stored,
    /// All its events were there already.
    Duplicate,
    /// An event of it contradicts one that was there: it is in quarantine.
    Conflict,
    /// This receipt has its outcome already: a redelivery.
    Already,
}

/// Reads what the ledger holds. Every question names its tenant.
#[async_trait]
pub trait LedgerReader: Send + Sync {
    /// Sessions, the one with the latest event first. What holds nothing but a ruling on who is who is none.
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionRow>, LedgerError>;

    /// The session known under any of these ids, which are the forms one typed id can have.
    async fn session(&self, tenant: &TenantId, ids: &[SessionId]) -> Result<Option<SessionRow>, LedgerError>;

    /// Events of a session, oldest first, after a moment.
    async fn timeline(
        &self,
        tenant: &TenantId,
        session: &SessionId,
        after: Option<Moment>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, LedgerError>;

    /// Events that name a lead, oldest first, after a moment.
    async fn lead_events(
        &self,
        tenant: &TenantId,
        lead: LeadId,
        after: Option<Moment>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, LedgerError>;

    /// The books of every tenant that has any.
    async fn books(&self) -> Result<Vec<Books>, LedgerError>;
}

/// Which sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionQuery {
    /// Whose.
    pub tenant: TenantId,
    /// Only those that began at this door.
    pub channel: Option<Channel>,
    /// Only those with this outcome.
    pub outcome: Option<Outcome>,
    /// Only those whose last event is not before this.
    pub from: Option<Timestamp>,
    /// Only those whose last event is before this.
    pub until: Option<Timestamp>,
    /// Only those that come after this place in the order: the last row of the page before.
    pub after: Option<SessionCursor>,
    /// How many at the most.
    pub limit: u32,
}

/// A place in the order of sessions: by last event, then by id, both descending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionCursor {
    /// When the session's last event was.
    pub last_at: Timestamp,
    /// Which session.
    pub session: SessionId,
}

/// A session as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// What is known of it.
    pub rollup: SessionRollup,
    /// How many events of it are, or were, in the ledger.
    pub events: u64,
}

/// An event as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// When the ledger took it.
    pub stored_at: Timestamp,
    /// The wire form it was recorded with.
    pub wire: Bytes,
}

/// How a tenant's receipts ended. `accepted = stored + duplicate + quarantined + in flight`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Books {
    /// Whose.
    pub tenant: TenantId,
    /// Receipts that brought something new.
    pub stored: u64,
    /// Receipts that brought nothing new.
    pub duplicate: u64,
    /// Receipts that wait in quarantine.
    pub quarantined: u64,
}

/// Why the ledger could not do it.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The ledger does not answer or cannot write. Try again later.
    #[error("the ledger is unavailable")]
    Unavailable(#[source] Cause),
    /// What the ledger holds cannot be read back.
    #[error("the ledger holds something unreadable: {0}")]
    Corrupt(&'static str),
}
