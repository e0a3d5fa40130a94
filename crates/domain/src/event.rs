//! The event as it travels and is stored: pseudonymous, with everything a person said sealed.

use std::fmt;
use std::time::Duration;

use crate::action::{Action, Actor, Word};
use crate::channel::Channel;
use crate::id::{AppointmentId, EventId, LeadId, Pseudonym, ReceiptId, SessionId, SourceId, TenantId};
use crate::observation::{Consent, Scenario, Usage};
use crate::timestamp::Timestamp;

/// One thing that happened, safe to store.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The idempotency key.
    pub id: EventId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Where it came from.
    pub source: SourceId,
    /// The acceptance that brought it.
    pub receipt: ReceiptId,
    /// When it happened, by the sender's clock.
    pub occurred_at: Timestamp,
    /// When the gateway took it, by the gateway's clock.
    pub received_at: Timestamp,
    /// The door the client used.
    pub channel: Channel,
    /// The conversation.
    pub session: SessionId,
    /// Who acted.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// What the client wanted, when the sender named it with one word; any other wording is among the details.
    pub intent: Option<Word>,
    /// The branch of the assistant that acted.
    pub scenario: Option<Scenario>,
    /// The lead of the tenant's Bitrix24.
    pub lead: Option<LeadId>,
    /// The booking it is about.
    pub appointment: Option<Appointment>,
    /// A consent given or withdrawn.
    pub consent: Option<Consent>,
    /// Pseudonyms of the client, for finding the same person again.
    pub aliases: Vec<Alias>,
    /// How sure the assistant was, 0 to 1.
    pub confidence: Option<f64>,
    /// How long the assistant took for its turn, in milliseconds.
    pub response_time_ms: Option<u64>,
    /// Tokens spent.
    pub usage: Option<Usage>,
    /// What is odd about it.
    pub flags: Flags,
    /// Texts, names of staff, free labels and unknown keys, sealed: opened only to be shown to the tenant.
    pub details: Option<Sealed>,
    /// Phone, e-mail, name and messenger id, sealed: opened only to be written into the tenant's CRM.
    pub contact: Option<Sealed>,
    /// Keyed digest of the meaning: two events with one id and one digest are a resend, with two digests a conflict.
    pub content_digest: Digest,
    /// Keyed digest of the bytes received.
    pub payload_digest: Digest,
}

impl Event {
    /// Whether it is a messenger's own notice, such as that a message has arrived or a kind of update we do not know, or a
    /// ruling on who is who: nobody of the conversation did anything, so it begins none and counts in no figure.
    #[must_use]
    pub fn is_notice(&self) -> bool {
        self.is_ruling()
            || self.actor == Actor::System
                && matches!(self.action, Action::Other(_))
                && self.lead.is_none()
                && self.appointment.is_none()
    }

    /// Whether a person says who is who.
    #[must_use]
    pub const fn is_ruling(&self) -> bool {
        matches!(self.action, Action::SubjectJoin | Action::SubjectSplit)
    }

    /// When it happened, but not after we heard of it. Where the latest word holds, a clock that is ahead must not let a
    /// word hold against all that is said until then.
    #[must_use]
    pub fn said_at(&self) -> Timestamp {
        self.occurred_at.min(self.received_at)
    }
}

/// A booking, after pseudonymisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appointment {
    /// Which booking.
    pub id: AppointmentId,
    /// When the visit is to begin.
    pub starts_at: Option<Timestamp>,
    /// What is to be done, when the sender named it with one word; any other wording is among the details.
    pub service: Option<Word>,
}

/// A pseudonym of the client and what it was made from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias {
    /// What it was made from.
    pub kind: AliasKind,
    /// The pseudonym.
    pub pseudonym: Pseudonym,
}

/// What an alias was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AliasKind {
    /// A phone number.
    Phone,
    /// An e-mail address.
    Email,
    /// A messenger's id of the person, within its channel.
    Messenger,
    /// The sender's own pseudonymous id.
    SenderHash,
}

impl AliasKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Phone, Self::Email, Self::Messenger, Self::SenderHash];

    /// The word used in JSON, in tables and as the domain of the pseudonym.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Messenger => "messenger",
            Self::SenderHash => "sender_hash",
        }
    }
}

/// Bytes under an AEAD, with the id of their key; opaque to everyone but `privacy`.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// Wraps bytes that `privacy` made or a store kept.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to keep.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes to keep, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// A keyed digest, 32 bytes (HMAC-SHA-256 under the tenant's key).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Wraps the bytes of a digest.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads back what [`Self::as_bytes`] gave; `None` when the length is not 32.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes to keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(")?;
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

/// What is odd about an event: it is stored all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// The sender's clock and ours disagree by more than [`SKEW_LIMIT_AHEAD`].
    pub clock_ahead: bool,
    /// The channel does not know this kind of message; what could be read was kept.
    pub unknown_kind: bool,
}

/// An event may lie this far in the future before its sender's clock is called wrong.
///
/// There is no limit for the past: a bot that was offline, or a file of history, reports late and is right.
pub const SKEW_LIMIT_AHEAD: Duration = Duration::from_secs(5 * 60);

impl Flags {
    /// Compares the sender's clock with ours.
    #[must_use]
    pub fn of_clocks(occurred_at: Timestamp, received_at: Timestamp) -> Self {
        Self { clock_ahead: occurred_at > received_at.plus(SKEW_LIMIT_AHEAD), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_five_minutes_ahead_is_tolerated_and_a_second_more_is_flagged() {
        let received = Timestamp::parse("2026-01-01T12:00:00Z").unwrap();
        let ahead =
            |seconds| Flags::of_clocks(received.plus(Duration::from_secs(seconds)), received).clock_ahead;
        assert!(!ahead(300));
        assert!(ahead(301));
    }

    #[test]
    fn only_what_a_machine_says_of_no_lead_and_no_booking_is_a_notice() {
        let notice = Event {
            actor: Actor::System,
            action: Action::parse("message_read").unwrap(),
            ..testing::event(EventId::from_uuid(uuid::Uuid::nil()))
        };
        assert!(notice.is_notice());
        assert!(!Event { actor: Actor::Client, ..notice.clone() }.is_notice());
        assert!(!Event { action: Action::Remind, ..notice.clone() }.is_notice());
        assert!(!Event { lead: Some(LeadId::from_number(7)), ..notice.clone() }.is_notice());
        assert!(!Event { appointment: Some(testing::appointment("a-1", 0)), ..notice }.is_notice());
    }

    #[test]
    fn a_late_report_is_not_odd() {
        let received = Timestamp::parse("2026-01-01T12:00:00Z").unwrap();
        assert_eq!(Flags::of_clocks(Timestamp::EPOCH, received), Flags::default());
    }

    #[test]
    fn debug_of_sealed_bytes_and_digests_shows_no_content() {
        assert_eq!(format!("{:?}", Sealed::from_bytes(b"secret".to_vec())), "Sealed(6 bytes)");
        assert_eq!(format!("{:?}", Digest::from_bytes([0xab; 32])), "Digest(abababab…)");
    }
}

/// Events for the tests of this crate.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    pub(crate) fn event(id: EventId) -> Event {
        Event {
            id,
            tenant: TenantId::parse("salon").unwrap(),
            source: SourceId::parse("bot").unwrap(),
            receipt: ReceiptId::from_uuid(*id.as_uuid()),
            occurred_at: Timestamp::EPOCH,
            received_at: Timestamp::EPOCH,
            channel: Channel::Telegram,
            session: SessionId::parse("s-1").unwrap(),
            actor: Actor::Assistant,
            action: Action::Message,
            intent: None,
            scenario: None,
            lead: None,
            appointment: None,
            consent: None,
            aliases: Vec::new(),
            confidence: None,
            response_time_ms: None,
            usage: None,
            flags: Flags::default(),
            details: None,
            contact: None,
            content_digest: Digest::from_bytes([0; 32]),
            payload_digest: Digest::from_bytes([0; 32]),
        }
    }

    pub(crate) fn appointment(id: &str, starts_at: i64) -> Appointment {
        Appointment {
            id: AppointmentId::parse(id).unwrap(),
            starts_at: Timestamp::from_unix_seconds(starts_at).ok(),
            service: None,
        }
    }
}
