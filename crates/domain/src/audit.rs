//! Who opened or read what was sealed, when and why.

use std::fmt;

use crate::event::Sealed;
use crate::id::{LeadId, ReceiptId, SessionId, SourceId, TenantId};
use crate::quarantine::Stage;
use crate::subject::{Identity, IdentityKind};
use crate::timestamp::Timestamp;

/// Something that somebody answers for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Whose it is.
    pub tenant: TenantId,
    /// Who did it.
    pub who: Who,
    /// What was done.
    pub deed: Deed,
    /// What it was done with.
    pub about: About,
    /// Why, in the words of who did it ([`Reason`]): sealed, for they may well name somebody. Reading asks for none: what
    /// was asked for says why.
    pub reason: Option<Sealed>,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Somebody with this key, by its public half.
    Key(String),
    /// Somebody at the command line, under this account of the machine.
    Account(String),
    /// A visitor without a key, where the demo lets them in.
    Visitor,
}

impl Who {
    /// The word used in JSON and in tables, and the name.
    #[must_use]
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Key(id) => ("key", id),
            Self::Account(name) => ("account", name),
            Self::Visitor => ("visitor", ""),
        }
    }

    /// Reads the word and the name.
    #[must_use]
    pub fn of(word: &str, name: String) -> Option<Self> {
        match word {
            "key" => Some(Self::Key(name)),
            "account" => Some(Self::Account(name)),
            "visitor" => Some(Self::Visitor),
            _ => None,
        }
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deed {
    /// A body was opened as it was received.
    Opened,
    /// What was said was read.
    Read,
    /// What waits for a cause was dismissed.
    Dismissed,
    /// What was dismissed was made to wait again.
    TookBack,
}

impl Deed {
    /// All deeds.
    pub const ALL: [Self; 4] = [Self::Opened, Self::Read, Self::Dismissed, Self::TookBack];

    /// The word used in JSON, in tables and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Read => "read",
            Self::Dismissed => "dismissed",
            Self::TookBack => "took_back",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|deed| deed.as_str() == word)
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What something was done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// An entry of the quarantine.
    Entry {
        /// The receipt that brought it.
        receipt: ReceiptId,
        /// Where it stopped.
        stage: Stage,
    },
    /// All that waits in quarantine for one cause.
    Cause {
        /// The cause, as the quarantine names it.
        group: String,
        /// The receipt of one of them, under which the reason is sealed.
        example: ReceiptId,
    },
    /// A conversation.
    Session(SessionId),
    /// Everything that named a lead.
    Lead(LeadId),
    /// The history of a client, known by this and more.
    Client(Identity),
    /// The last event of a source.
    Source(SourceId),
}

impl About {
    /// The words that may stand for it.
    pub const WORDS: [&'static str; 6] = ["entry", "cause", "session", "lead", "client", "source"];

    /// The word used in JSON and in tables.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Entry { .. } => "entry",
            Self::Cause { .. } => "cause",
            Self::Session(_) => "session",
            Self::Lead(_) => "lead",
            Self::Client(_) => "client",
            Self::Source(_) => "source",
        }
    }

    /// Its id, as it is kept: what [`Self::of`] reads.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Entry { receipt, stage } => format!("{receipt} {}", stage.as_str()),
            Self::Cause { group, example } => format!("{group} {example}"),
            Self::Session(id) => id.to_string(),
            Self::Lead(id) => id.to_string(),
            Self::Client(identity) => identity.to_string(),
            Self::Source(id) => id.to_string(),
        }
    }

    /// The receipt under whose id the reason is sealed; where there is none, no reason is kept.
    #[must_use]
    pub const fn receipt(&self) -> Option<ReceiptId> {
        match self {
            Self::Entry { receipt, .. } => Some(*receipt),
            Self::Cause { example, .. } => Some(*example),
            Self::Session(_) | Self::Lead(_) | Self::Client(_) | Self::Source(_) => None,
        }
    }

    /// Everything that a word and an id as lists show it may stand for; nothing for a cause, whose id names it only as long as
    /// something waits for it, and for what is no id of such a thing.
    #[must_use]
    pub fn shown_as(word: &str, id: &str) -> Vec<Self> {
        match word {
            "entry" => Stage::ALL
                .into_iter()
                .filter_map(|stage| Some(Self::Entry { receipt: id.parse().ok()?, stage }))
                .collect(),
            "client" => IdentityKind::ALL
                .into_iter()
                .filter_map(|kind| Some(Self::Client(Identity::parse(kind, id).ok()?)))
                .collect(),
            "cause" => Vec::new(),
            word => Self::of(word, id).into_iter().collect(),
        }
    }

    /// Reads the word and the id.
    #[must_use]
    pub fn of(word: &str, id: &str) -> Option<Self> {
        Some(match word {
            "entry" => {
                let (receipt, stage) = id.split_once(' ')?;
                Self::Entry { receipt: receipt.parse().ok()?, stage: Stage::parse(stage)? }
            }
            "cause" => {
                let (group, example) = id.split_once(' ')?;
                Self::Cause { group: group.to_owned(), example: example.parse().ok()? }
            }
            "session" => Self::Session(SessionId::parse(id).ok()?),
            "lead" => Self::Lead(id.parse().ok()?),
            "client" => Self::Client(id.parse().ok()?),
            "source" => Self::Source(SourceId::parse(id).ok()?),
            _ => return None,
        })
    }
}

/// Why something is opened: a few words, not none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// The longest.
    pub const MAX_CHARS: usize = 500;

    /// Takes words that are not blank and not too long.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_usable = !text.is_empty()
            && text.chars().count() <= Self::MAX_CHARS
            && !text.chars().any(char::is_control);
        is_usable.then(|| Self(text.to_owned()))
    }

    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_reason_says_something() {
        assert_eq!(Reason::parse(" жалоба клиента ").unwrap().as_str(), "жалоба клиента");
        for text in ["", "  ", "a\u{0}b", "a\nb", &"я".repeat(501)] {
            assert_eq!(Reason::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_it_was_about_reads_back() {
        let all = [
            About::Entry { receipt: ReceiptId::from_uuid(Uuid::nil()), stage: Stage::Normalize },
            About::Cause { group: "00ff".to_owned(), example: ReceiptId::from_uuid(Uuid::nil()) },
            About::Session(SessionId::parse("сессия 7").unwrap()),
            About::Lead(LeadId::from_number(7)),
            About::Client(Identity::parse(IdentityKind::Phone, "v1:p").unwrap()),
            About::Source(SourceId::parse("bot").unwrap()),
        ];
        assert_eq!(all.each_ref().map(About::as_str), About::WORDS);
        for about in all {
            assert_eq!(About::of(about.as_str(), &about.id()), Some(about));
        }
        let shown = |word, id: &str| About::shown_as(word, id);
        assert_eq!(shown("session", "s 7"), [About::Session(SessionId::parse("s 7").unwrap())]);
        assert_eq!(shown("entry", &Uuid::nil().to_string()).len(), Stage::ALL.len());
        assert!(
            shown("client", "v1:p")
                .contains(&About::Client(Identity::parse(IdentityKind::Phone, "v1:p").unwrap()))
        );
        assert!([shown("entry", "x"), shown("cause", "00ff"), shown("thing", "x")].concat().is_empty());
        assert_eq!(About::of("entry", "nothing"), None);
        assert_eq!(About::of("thing", "x"), None);
    }
}
