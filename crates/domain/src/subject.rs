//! One client over all channels: identities, what joins them, and the doors they came through.
//!
//! An *identity* is one thing a client is known by: the pseudonym of a phone, of an address, of a messenger account, the
//! sender's own id; or what a person is behind: a lead, a booking. An event that names two of them joins them
//! ([`Link`]), and all that hang together are one *subject* ([`Circle`]). Nothing else joins: neither a name nor a
//! conversation does.
//!
//! What is stored of a link is a minimum and the latest ruling, so the subjects that come out depend on the set of
//! events and not on their order; and nothing is ever merged in a store, so a join that is taken back leaves what was
//! there before.

mod circle;
mod journey;
mod learned;
mod link;

use std::fmt;
use std::str::FromStr;

pub use circle::{Circle, Growing, LINKS_OF_ONE, SHARED_BEYOND};
pub use journey::{Door, Journey, Touch, standing};
pub use learned::Learned;
pub use link::{Link, Pair, Ruling};

use crate::event::{Alias, AliasKind, Event};
use crate::id::{AppointmentId, LeadId, ParseIdError, Pseudonym};

/// What an identity is. In the order of what names a person best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityKind {
    /// The pseudonym of a phone number.
    Phone,
    /// The pseudonym of an e-mail address.
    Email,
    /// The pseudonym of a messenger account.
    Messenger,
    /// The pseudonym of the sender's own id.
    SenderHash,
    /// A lead of the tenant's CRM.
    Lead,
    /// A booking.
    Appointment,
}

impl IdentityKind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Phone, Self::Email, Self::Messenger, Self::SenderHash, Self::Lead, Self::Appointment];

    /// The word used in JSON and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Messenger => "messenger",
            Self::SenderHash => "sender_hash",
            Self::Lead => "lead",
            Self::Appointment => "appointment",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether it names a person, and not what a person is behind.
    #[must_use]
    pub const fn is_of_a_person(self) -> bool {
        matches!(self, Self::Phone | Self::Email | Self::Messenger | Self::SenderHash)
    }

    /// Whether few persons have many of it: an assistant may give a client a new id of its own every day.
    const fn is_lasting(self) -> bool {
        matches!(self, Self::Phone | Self::Email | Self::Messenger)
    }
}

impl From<AliasKind> for IdentityKind {
    fn from(kind: AliasKind) -> Self {
        match kind {
            AliasKind::Phone => Self::Phone,
            AliasKind::Email => Self::Email,
            AliasKind::Messenger => Self::Messenger,
            AliasKind::SenderHash => Self::SenderHash,
        }
    }
}

/// One thing a client is known by; unique within a tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// What it is.
    pub kind: IdentityKind,
    id: Box<str>,
}

impl Identity {
    /// Checks a text, as it is stored, against what its kind allows.
    pub fn parse(kind: IdentityKind, text: &str) -> Result<Self, ParseIdError> {
        match kind {
            IdentityKind::Lead => text.parse::<LeadId>().map(Self::of_lead),
            IdentityKind::Appointment => AppointmentId::parse(text).map(|id| Self::of_appointment(&id)),
            _ => Pseudonym::parse(text).map(|pseudonym| Self { kind, id: pseudonym.as_str().into() }),
        }
    }

    /// Everything that is stored as this text: a pseudonym may be of any kind.
    #[must_use]
    pub fn all_stored_as(text: &str) -> Vec<Self> {
        let is_pseudonym = text.starts_with("v1:");
        let may_be = |kind: &IdentityKind| is_pseudonym || !kind.is_of_a_person();
        IdentityKind::ALL.into_iter().filter(may_be).filter_map(|kind| Self::parse(kind, text).ok()).collect()
    }

    /// A client's lead.
    #[must_use]
    pub fn of_lead(lead: LeadId) -> Self {
        Self { kind: IdentityKind::Lead, id: lead.to_string().into() }
    }

    /// A client's booking.
    #[must_use]
    pub fn of_appointment(id: &AppointmentId) -> Self {
        Self { kind: IdentityKind::Appointment, id: id.as_str().into() }
    }

    /// The pseudonym or id, as stored and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.id
    }

    /// Everything an event names, sorted, none twice.
    #[must_use]
    pub fn all_of(event: &Event) -> Vec<Self> {
        let booking = event.appointment.as_ref().map(|appointment| Self::of_appointment(&appointment.id));
        let mut all: Vec<Self> = event
            .aliases
            .iter()
            .map(Self::from)
            .chain(event.lead.map(Self::of_lead))
            .chain(booking)
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl From<&Alias> for Identity {
    fn from(alias: &Alias) -> Self {
        Self { kind: alias.kind.into(), id: alias.pseudonym.as_str().into() }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.id)
    }
}

impl FromStr for Identity {
    type Err = ParseIdError;
    /// Reads what `Display` gave.
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let expected = ParseIdError::Alphabet { expected: "a kind of identity, a space and an id" };
        let (kind, id) = text.split_once(' ').ok_or(expected.clone())?;
        Self::parse(IdentityKind::parse(kind).ok_or(expected)?, id)
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    pub(crate) fn identity(kind: IdentityKind, name: &str) -> Identity {
        Identity { kind, id: name.into() }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::event::testing;
    use crate::id::EventId;

    #[test]
    fn an_event_names_its_aliases_its_lead_and_its_booking_each_once() {
        let pseudonym = Pseudonym::parse("v1:p").unwrap();
        let alias = |kind| Alias { kind, pseudonym: pseudonym.clone() };
        let event = Event {
            aliases: vec![alias(AliasKind::Messenger), alias(AliasKind::Phone), alias(AliasKind::Phone)],
            lead: Some(LeadId::from_number(7)),
            appointment: Some(testing::appointment("a-1", 0)),
            ..testing::event(EventId::from_uuid(Uuid::nil()))
        };
        let named: Vec<_> = Identity::all_of(&event).iter().map(ToString::to_string).collect();
        assert_eq!(named, ["phone v1:p", "messenger v1:p", "lead BX-7", "appointment a-1"]);
    }

    #[test]
    fn what_is_stored_reads_back_as_what_it_was() {
        for (kind, text) in [
            (IdentityKind::Phone, "v1:p"),
            (IdentityKind::Lead, "BX-7"),
            (IdentityKind::Appointment, "визит-12"),
        ] {
            let identity = Identity::parse(kind, text).unwrap();
            assert_eq!(identity.as_str(), text);
            assert_eq!(identity.to_string().parse(), Ok(identity));
            assert_eq!(IdentityKind::parse(kind.as_str()), Some(kind));
        }
        assert!(Identity::parse(IdentityKind::Lead, "none").is_err());
        assert!("phone".parse::<Identity>().is_err() && "name v1:p".parse::<Identity>().is_err());
    }
}
