//! Identifiers: one type each, so that a session is never passed where a lead is meant.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// Why a text is not an identifier of the kind asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseIdError {
    /// Nothing was given.
    #[error("must not be empty")]
    Empty,
    /// Longer than the kind allows.
    #[error("must be at most {max} characters")]
    TooLong {
        /// The limit, in characters.
        max: usize,
    },
    /// A character outside the kind's alphabet.
    #[error("must consist of {expected}")]
    Alphabet {
        /// The alphabet, for a person.
        expected: &'static str,
    },
    /// Not a UUID.
    #[error("must be a UUID such as 0190b3a4-7c1e-7a3b-9d57-5f3c2b1a0e4d")]
    NotUuid,
    /// Not a Bitrix24 lead number.
    #[error("must be a lead number such as BX-5678 or 5678")]
    NotLead,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that came from a trusted place: our own store or wire form.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID inside.
            #[must_use]
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }

            /// The sixteen bytes, big endian, as stored and sent.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Reads back what [`Self::as_bytes`] gave; `None` when the length is not sixteen.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                Uuid::from_slice(bytes).ok().map(Self)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                Uuid::try_parse(text).map(Self).map_err(|_not_uuid| ParseIdError::NotUuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

uuid_id! {
    /// The idempotency key of an event: two events with one id are one event.
    EventId
}
uuid_id! {
    /// Names one acceptance: what the gateway answered 2xx for. A resend of the same event is a second receipt.
    ///
    /// The unit of the books: every receipt ends as stored, duplicate or quarantined, exactly once.
    ReceiptId
}

impl ReceiptId {
    /// A new receipt; version 7, so that receipts sort by the time they were made.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $max:expr, $allowed:expr, $expected:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The longest text accepted, in characters.
            pub const MAX_CHARS: usize = $max;

            /// Checks a text against the kind's length and alphabet.
            pub fn parse(text: &str) -> Result<Self, ParseIdError> {
                if text.is_empty() {
                    return Err(ParseIdError::Empty);
                }
                if text.chars().count() > Self::MAX_CHARS {
                    return Err(ParseIdError::TooLong { max: Self::MAX_CHARS });
                }
                let allowed: fn(char) -> bool = $allowed;
                if !text.chars().all(allowed) {
                    return Err(ParseIdError::Alphabet { expected: $expected });
                }
                Ok(Self(text.into()))
            }

            /// The text inside.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

const SLUG: &str = "lower-case Latin letters, digits and hyphens";

fn is_slug(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

fn is_printable(c: char) -> bool {
    !c.is_control()
}

text_id! {
    /// A business that owns its events: a salon, a clinic. The wall between the data of two businesses.
    TenantId, 40, is_slug, SLUG
}
text_id! {
    /// Where events come from: one bot, one messenger account, one site. Belongs to one tenant, unique over all.
    SourceId, 60, is_slug, SLUG
}
text_id! {
    /// The public half of an API key: names it in lists and logs, opens nothing.
    KeyId, 24, is_slug, SLUG
}
text_id! {
    /// A conversation, after pseudonymisation: the sender's own id, or `v1:…` where that id was itself personal.
    ///
    /// Unique within a tenant.
    SessionId, 128, is_printable, "printable characters"
}
text_id! {
    /// A booking in the salon's calendar, after pseudonymisation; unique within a tenant.
    AppointmentId, 128, is_printable, "printable characters"
}
text_id! {
    /// A keyed pseudonym: `v1:` and 43 characters of base64url. Made by `privacy`, never by hand.
    Pseudonym, 64, is_printable, "printable characters"
}

impl SessionId {
    /// Where a ruling on who is who stands: by itself, for nobody said it in a conversation.
    #[must_use]
    pub fn of_ruling(event: EventId) -> Self {
        Self::parse(&format!("{RULING}{event}")).expect("a word and a UUID are printable and short")
    }

    /// Whether only a ruling is given such an id by us.
    #[must_use]
    pub fn is_of_ruling(&self) -> bool {
        let event = self.as_str().strip_prefix(RULING);
        event.is_some_and(|id| id.len() == 36 && Uuid::try_parse(id).is_ok())
    }
}

/// How the ids of what a ruling stands in begin.
const RULING: &str = "ruling-";

/// A lead of the tenant's Bitrix24 portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeadId(u64);

impl LeadId {
    /// Wraps a number that came from our own store or wire form.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number Bitrix24 knows it by.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl FromStr for LeadId {
    type Err = ParseIdError;
    /// Accepts `BX-5678` and `5678`: people copy both.
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let digits = text.strip_prefix("BX-").unwrap_or(text);
        let fits = (1..=18).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let number = fits.then(|| digits.parse::<u64>().ok()).flatten();
        number.filter(|&n| n > 0).map(Self).ok_or(ParseIdError::NotLead)
    }
}

impl fmt::Display for LeadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BX-{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_is_read_with_and_without_its_prefix() {
        assert_eq!("BX-5678".parse(), Ok(LeadId(5678)));
        assert_eq!("5678".parse(), Ok(LeadId(5678)));
        assert_eq!(LeadId(5678).to_string(), "BX-5678");
    }

    #[test]
    fn what_is_not_a_lead_number_is_refused() {
        for text in ["", "BX-", "BX-0", "-5", "+5", "5 678", "BX-1234567890123456789", "BX-12a"] {
            assert_eq!(text.parse::<LeadId>(), Err(ParseIdError::NotLead), "{text:?}");
        }
    }

    #[test]
    fn a_session_id_of_129_characters_is_too_long_and_128_letters_of_any_alphabet_are_not() {
        assert!(SessionId::parse(&"ы".repeat(128)).is_ok());
        assert_eq!(SessionId::parse(&"ы".repeat(129)), Err(ParseIdError::TooLong { max: 128 }));
    }

    #[test]
    fn a_tenant_is_a_slug() {
        assert!(TenantId::parse("salon-7").is_ok());
        assert!(TenantId::parse("Салон").is_err());
        assert!(TenantId::parse("a/b").is_err());
    }

    #[test]
    fn receipts_made_later_sort_later() {
        let receipts: Vec<_> = (0..100).map(|_| ReceiptId::generate()).collect();
        assert!(receipts.is_sorted());
    }
}
