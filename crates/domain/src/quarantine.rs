//! What could not be understood: kept, visible, replayable.

use std::fmt;

use crate::id::{ReceiptId, SourceId, TenantId};
use crate::timestamp::Timestamp;

/// Why something is in quarantine. The class groups causes for a person; the pointer and detail lead to the spot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReasonClass {
    /// The sealed body could not be opened: its key is unknown here.
    Unopenable,
    /// The body is not what its channel sends.
    Unreadable,
    /// The body is of the channel, a value in it is not acceptable.
    Invalid,
    /// An event with this id and another content is already in the ledger.
    Conflict,
    /// Handling it failed again and again.
    HandlerFailed,
}

impl ReasonClass {
    /// All classes.
    pub const ALL: [Self; 5] =
        [Self::Unopenable, Self::Unreadable, Self::Invalid, Self::Conflict, Self::HandlerFailed];

    /// The word used in JSON and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unopenable => "unopenable",
            Self::Unreadable => "unreadable",
            Self::Invalid => "invalid",
            Self::Conflict => "conflict",
            Self::HandlerFailed => "handler_failed",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }
}

impl fmt::Display for ReasonClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why, in words that hold no content of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The kind of cause.
    pub class: ReasonClass,
    /// JSON pointer (RFC 6901) to the spot, where there is one.
    pub pointer: Option<String>,
    /// What was expected there. Never a value out of the body.
    pub detail: String,
}

/// One entry of the quarantine. Its id is the receipt that brought it and the stage it failed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineEntry {
    /// The acceptance it came with.
    pub receipt: ReceiptId,
    /// Where it stopped, and so where a replay starts.
    pub stage: Stage,
    /// Whose it is.
    pub tenant: TenantId,
    /// Where it came from.
    pub source: SourceId,
    /// Why it is here.
    pub reason: Reason,
    /// When the gateway took it: kept by a replay.
    pub received_at: Timestamp,
    /// When it was put here last.
    pub quarantined_at: Timestamp,
    /// The message as it was on the bus: sealed body or sealed event. What a replay publishes again. Empty once it has
    /// expired: a message has its receipt at least.
    pub message: Vec<u8>,
    /// Whether it still waits for somebody.
    pub state: QuarantineState,
    /// How often it was sent through again.
    pub replays: u32,
}

impl QuarantineEntry {
    /// Whether its message is gone, which is kept as long as everything else: it can neither be opened nor sent through
    /// again.
    #[must_use]
    pub const fn is_expired(&self) -> bool {
        self.message.is_empty()
    }
}

/// An entry as lists have it: all but the message, which may be megabytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedEntry {
    /// The acceptance it came with.
    pub receipt: ReceiptId,
    /// Where it stopped, and so where a replay starts.
    pub stage: Stage,
    /// Whose it is.
    pub tenant: TenantId,
    /// Where it came from.
    pub source: SourceId,
    /// Why it is here.
    pub reason: Reason,
    /// When the gateway took it: kept by a replay.
    pub received_at: Timestamp,
    /// When it was put here last.
    pub quarantined_at: Timestamp,
    /// How long the message is; zero once it has expired.
    pub message_bytes: u64,
    /// Whether it still waits for somebody.
    pub state: QuarantineState,
    /// How often it was sent through again.
    pub replays: u32,
}

impl ListedEntry {
    /// As [`QuarantineEntry::is_expired`].
    #[must_use]
    pub const fn is_expired(&self) -> bool {
        self.message_bytes == 0
    }

    /// The whole entry.
    #[must_use]
    pub fn with(self, message: Vec<u8>) -> QuarantineEntry {
        let Self {
            receipt, stage, tenant, source, reason, received_at, quarantined_at, state, replays, ..
        } = self;
        QuarantineEntry {
            receipt,
            stage,
            tenant,
            source,
            reason,
            received_at,
            quarantined_at,
            message,
            state,
            replays,
        }
    }
}

impl From<&QuarantineEntry> for ListedEntry {
    fn from(entry: &QuarantineEntry) -> Self {
        Self {
            receipt: entry.receipt,
            stage: entry.stage,
            tenant: entry.tenant.clone(),
            source: entry.source.clone(),
            reason: entry.reason.clone(),
            received_at: entry.received_at,
            quarantined_at: entry.quarantined_at,
            message_bytes: u64::try_from(entry.message.len()).unwrap_or(u64::MAX),
            state: entry.state,
            replays: entry.replays,
        }
    }
}

/// What entries have in common that stopped for one cause: what a person deals with at once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause {
    /// Where they came from.
    pub source: SourceId,
    /// Where they stopped.
    pub stage: Stage,
    /// The kind of cause.
    pub class: ReasonClass,
    /// The spot.
    pub pointer: Option<String>,
    /// What was expected there.
    pub detail: String,
}

impl Cause {
    /// The same for spots that differ only in their place in a list, and details that differ only in a number.
    #[must_use]
    pub fn normalised(&self) -> Self {
        let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        let pointer = self.pointer.as_ref().map(|pointer| {
            let parts = pointer.split('/').map(|part| if is_number(part) { "*" } else { part });
            parts.collect::<Vec<_>>().join("/")
        });
        let words = self.detail.split(' ').map(|word| if is_number(word) { "#" } else { word });
        let detail = words.collect::<Vec<_>>().join(" ");
        Self { pointer, detail, ..self.clone() }
    }
}

/// How many entries wait for one cause, or how many of one cause were dismissed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CauseCount {
    /// Which cause.
    pub cause: Cause,
    /// Entries nobody has dealt with.
    pub open: u64,
    /// Entries that were sent through again and have no outcome yet.
    pub replaying: u64,
    /// Entries that were dismissed; they are counted apart from those that wait.
    pub dismissed: u64,
    /// How many of these have no message any more: they can only be dismissed.
    pub expired: u64,
    /// When the first of them was received.
    pub first_at: Timestamp,
    /// When the last of them was received.
    pub last_at: Timestamp,
    /// One of them: the one that was received last.
    pub example: ReceiptId,
}

/// Where a message stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Between gateway and normalizer: the message is a raw delivery.
    Normalize,
    /// At the ledger: the message is a batch of events.
    Record,
    /// At analytics: the message is a batch of events the ledger already has.
    Analyse,
}

impl Stage {
    /// All stages.
    pub const ALL: [Self; 3] = [Self::Normalize, Self::Record, Self::Analyse];

    /// The word used in JSON and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normalize => "normalize",
            Self::Record => "record",
            Self::Analyse => "analyse",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == word)
    }
}

/// Whether an entry still waits for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuarantineState {
    /// Nobody has dealt with it.
    Open,
    /// Sent through again; no outcome yet.
    Replaying,
    /// A replay brought it home.
    Resolved,
    /// Somebody said that it need not come home. It counts in the books as before, and is kept as long as everything else.
    Dismissed,
}

impl QuarantineState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Open, Self::Replaying, Self::Resolved, Self::Dismissed];

    /// The word used in JSON and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replaying => "replaying",
            Self::Resolved => "resolved",
            Self::Dismissed => "dismissed",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// What a person says of entries nobody can or need mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dismissal {
    /// They need not come home.
    Dismiss,
    /// They shall wait again.
    TakeBack,
}

impl Dismissal {
    /// The states it is said of. What was sent through again may be dismissed, too, for its message may have been lost: if it
    /// comes home all the same, that counts, and if it fails again it waits again.
    #[must_use]
    pub const fn from(self) -> &'static [QuarantineState] {
        match self {
            Self::Dismiss => &[QuarantineState::Open, QuarantineState::Replaying],
            Self::TakeBack => &[QuarantineState::Dismissed],
        }
    }

    /// The state it leads to.
    #[must_use]
    pub const fn to(self) -> QuarantineState {
        match self {
            Self::Dismiss => QuarantineState::Dismissed,
            Self::TakeBack => QuarantineState::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_that_differ_only_in_a_number_are_one() {
        let cause = |pointer: &str, detail: &str| {
            Cause {
                source: SourceId::parse("bot").unwrap(),
                stage: Stage::Normalize,
                class: ReasonClass::Invalid,
                pointer: Some(pointer.to_owned()),
                detail: detail.to_owned(),
            }
            .normalised()
        };
        let one = cause("/messages/0/date", "it is not UTF-8 from byte 17 on");
        assert_eq!(one, cause("/messages/12/date", "it is not UTF-8 from byte 2048 on"));
        assert_eq!(one.pointer.as_deref(), Some("/messages/*/date"));
        assert_eq!(one.detail, "it is not UTF-8 from byte # on");
        assert_ne!(one, cause("/messages/0/date2", "it is not UTF-8 from byte 17 on"));
    }
}
