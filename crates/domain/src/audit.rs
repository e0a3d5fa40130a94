//! Who opened what was sealed, when and why.

use crate::event::Sealed;
use crate::id::{ReceiptId, TenantId};
use crate::quarantine::Stage;
use crate::timestamp::Timestamp;

/// Something sealed that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Whose it is.
    pub tenant: TenantId,
    /// Who opened it: the public half of a key, or the account on the machine of the command line.
    pub who: Who,
    /// The entry of the quarantine whose body it was.
    pub receipt: ReceiptId,
    /// The stage of that entry.
    pub stage: Stage,
    /// Why, in the words of who opened it ([`Reason`]): sealed, for they may well name somebody.
    pub reason: Sealed,
}

/// Who opened something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Somebody with this key.
    Key(String),
    /// Somebody at the command line, under this account.
    Account(String),
}

impl Who {
    /// The word used in JSON and in tables, and the name.
    #[must_use]
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Key(id) => ("key", id),
            Self::Account(name) => ("account", name),
        }
    }

    /// Reads the word and the name.
    #[must_use]
    pub fn of(word: &str, name: String) -> Option<Self> {
        match word {
            "key" => Some(Self::Key(name)),
            "account" => Some(Self::Account(name)),
            _ => None,
        }
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
    use super::*;

    #[test]
    fn a_reason_says_something() {
        assert_eq!(Reason::parse(" жалоба клиента ").unwrap().as_str(), "жалоба клиента");
        for text in ["", "  ", "a\u{0}b", "a\nb", &"я".repeat(501)] {
            assert_eq!(Reason::parse(text), None, "{text:?}");
        }
    }
}
