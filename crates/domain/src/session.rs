//! How a session ended, in one word.

use std::fmt;

use crate::appointment::State;
use crate::rollup::{Mark, SessionRollup};

/// How a session ended, or where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The client came.
    Visited,
    /// The client was booked and did not come.
    NoShow,
    /// The booking was called off.
    Cancelled,
    /// The client is booked.
    Booked,
    /// The client said no.
    Refused,
    /// A human took over.
    HandedOff,
    /// A lead exists, no booking.
    Lead,
    /// The assistant refused, or did not understand, and nothing better followed.
    NotServed,
    /// Nothing of the above.
    Open,
}

impl Outcome {
    /// All outcomes, best first.
    pub const ALL: [Self; 9] = [
        Self::Visited,
        Self::NoShow,
        Self::Cancelled,
        Self::Booked,
        Self::Refused,
        Self::HandedOff,
        Self::Lead,
        Self::NotServed,
        Self::Open,
    ];

    /// The outcome of a session. A booking speaks before everything else, and its last step decides.
    #[must_use]
    pub fn of(session: &SessionRollup) -> Self {
        if let Some(step) = &session.step {
            return match step.value.leads_to() {
                State::Booked => Self::Booked,
                State::Cancelled => Self::Cancelled,
                State::Attended => Self::Visited,
                State::NoShow => Self::NoShow,
            };
        }
        let has = |mark| session.marks.has(mark);
        if has(Mark::Refused) {
            Self::Refused
        } else if has(Mark::HandedOff) {
            Self::HandedOff
        } else if has(Mark::Lead) {
            Self::Lead
        } else if has(Mark::Declined) || has(Mark::Fallback) {
            Self::NotServed
        } else {
            Self::Open
        }
    }

    /// The word used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visited => "visited",
            Self::NoShow => "no_show",
            Self::Cancelled => "cancelled",
            Self::Booked => "booked",
            Self::Refused => "refused",
            Self::HandedOff => "handed_off",
            Self::Lead => "lead",
            Self::NotServed => "not_served",
            Self::Open => "open",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
