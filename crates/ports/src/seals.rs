//! Everything that is kept under seal, row by row, so that it can be sealed anew under another key.

use async_trait::async_trait;
use bytes::Bytes;
use domain::id::{EventId, ReceiptId, SessionId, SourceId, TenantId};
use domain::quarantine::Stage;
use domain::timestamp::Timestamp;

use crate::ledger::LedgerError;

/// Gives out what has seals in it, and takes it back.
///
/// Contract (checked by `contract-tests`):
///
/// - Reading all pages of a place gives every row that was there before and is there after, once.
/// - A row is replaced only while it holds what was read: one that changed meanwhile keeps its change.
/// - Replacing changes what readers of the row get, and nothing else of it: no state, no count, no order.
#[async_trait]
pub trait SealedStore: Send + Sync {
    /// How many rows a place has, about.
    async fn count_sealed(&self, place: Place) -> Result<u64, LedgerError>;

    /// Rows of a place, after one of them, in an order that replacing does not change.
    async fn sealed(
        &self,
        place: Place,
        after: Option<&SealedAt>,
        limit: u32,
    ) -> Result<Vec<SealedRow>, LedgerError>;

    /// Replaces rows; returns how many still held what was read.
    async fn replace_sealed(&self, rows: &[Replacement]) -> Result<u64, LedgerError>;
}

/// Where something lies under seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Events in their wire form, with what was said and the contact.
    Events,
    /// Messages in quarantine: deliveries and batches of events.
    Quarantine,
    /// Secrets of sources.
    Secrets,
    /// Addresses of the bots behind sources.
    Forwards,
    /// Why something was opened.
    Reasons,
}

impl Place {
    /// All places; what is small and needed first comes first.
    pub const ALL: [Self; 5] = [Self::Secrets, Self::Forwards, Self::Reasons, Self::Quarantine, Self::Events];

    /// The word used in lists and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Quarantine => "quarantine",
            Self::Secrets => "secrets",
            Self::Forwards => "forwards",
            Self::Reasons => "reasons",
        }
    }
}

/// A row of a place: what it is found by, and what its seal belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SealedAt {
    /// In [`Place::Events`].
    Event {
        /// Whose.
        tenant: TenantId,
        /// The conversation.
        session: SessionId,
        /// When it happened.
        occurred_at: Timestamp,
        /// Which event.
        id: EventId,
        /// When it was received.
        received_at: Timestamp,
    },
    /// In [`Place::Quarantine`].
    Quarantined {
        /// The acceptance.
        receipt: ReceiptId,
        /// Where it stopped: what its message is.
        stage: Stage,
    },
    /// In [`Place::Secrets`].
    Secret {
        /// Of which source.
        source: SourceId,
        /// Which of its secrets, as the store counts them.
        number: i64,
    },
    /// In [`Place::Forwards`].
    Forward {
        /// Of which source.
        source: SourceId,
    },
    /// In [`Place::Reasons`].
    Reason {
        /// Whose.
        tenant: TenantId,
        /// What was opened.
        receipt: ReceiptId,
        /// Which entry, as the store counts them.
        number: i64,
    },
}

impl SealedAt {
    /// The place it is a row of.
    #[must_use]
    pub const fn place(&self) -> Place {
        match self {
            Self::Event { .. } => Place::Events,
            Self::Quarantined { .. } => Place::Quarantine,
            Self::Secret { .. } => Place::Secrets,
            Self::Forward { .. } => Place::Forwards,
            Self::Reason { .. } => Place::Reasons,
        }
    }
}

/// A row with something sealed in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRow {
    /// Which.
    pub at: SealedAt,
    /// A seal, or a message with seals in it.
    pub content: Bytes,
}

/// What is to take the place of a row's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// Which row.
    pub at: SealedAt,
    /// What was read.
    pub before: Bytes,
    /// What is to be there.
    pub after: Bytes,
}
