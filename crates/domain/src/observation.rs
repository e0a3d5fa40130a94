//! What a channel saw, with everything personal still in the clear.
//!
//! An [`Observation`] lives in the memory of the gateway and the normalizer only. It has no serialised form and its
//! `Debug` prints no content, so that it cannot reach a log by accident.

use std::fmt;

use serde_json::{Map, Value};

use crate::action::{Action, Actor, Word};
use crate::channel::Channel;
use crate::id::{EventId, LeadId};
use crate::timestamp::Timestamp;

/// One thing that happened, as the sender or messenger told it.
#[derive(Clone, PartialEq)]
pub struct Observation {
    /// The sender's own UUID for it; absent, the id is derived from the source and the content.
    pub event_id: Option<EventId>,
    /// What makes this observation unique at its channel, such as a Telegram update number. Empty for the canonical
    /// event, whose whole content takes this place.
    pub native_id: String,
    /// When it happened, by the sender's clock.
    pub occurred_at: Timestamp,
    /// The door the client used.
    pub channel: Channel,
    /// The sender's id of the conversation; may itself be personal.
    pub session: String,
    /// Who acted.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// What the client wanted, in the sender's words.
    pub intent: Option<String>,
    /// The branch of the assistant that acted.
    pub scenario: Option<Scenario>,
    /// The lead of the tenant's Bitrix24.
    pub lead: Option<LeadId>,
    /// The booking it is about.
    pub appointment: Option<ObservedAppointment>,
    /// A consent given or withdrawn.
    pub consent: Option<Consent>,
    /// Who the client is, in the clear.
    pub contact: Contact,
    /// The sender's own pseudonymous id of the client; never trusted as ours.
    pub user_hash: Option<String>,
    /// What was said.
    pub texts: Texts,
    /// How sure the assistant was, 0 to 1.
    pub confidence: Option<f64>,
    /// How long the assistant took for its turn, in milliseconds.
    pub response_time_ms: Option<u64>,
    /// The language model, as the sender names it.
    pub model: Option<String>,
    /// Tokens spent.
    pub usage: Option<Usage>,
    /// Digests as the sender gave them.
    pub given_hashes: GivenHashes,
    /// Keys that are not in the event's table, kept as they came.
    pub attributes: Map<String, Value>,
}

impl Observation {
    /// An observation with nothing but what every event has.
    #[must_use]
    pub fn new(occurred_at: Timestamp, channel: Channel, session: String, action: Action) -> Self {
        Self {
            event_id: None,
            native_id: String::new(),
            occurred_at,
            channel,
            session,
            actor: Actor::default(),
            action,
            intent: None,
            scenario: None,
            lead: None,
            appointment: None,
            consent: None,
            contact: Contact::default(),
            user_hash: None,
            texts: Texts::default(),
            confidence: None,
            response_time_ms: None,
            model: None,
            usage: None,
            given_hashes: GivenHashes::default(),
            attributes: Map::new(),
        }
    }
}

impl fmt::Debug for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observation")
            .field("channel", &self.channel)
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

/// The branch of the assistant that acted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scenario {
    /// Which branch.
    pub id: Word,
    /// Which edition of it.
    pub version: Option<Word>,
}

/// A booking, as the sender names it.
#[derive(Clone, PartialEq, Eq)]
pub struct ObservedAppointment {
    /// The sender's id of the booking; may itself be personal.
    pub id: String,
    /// When the visit is to begin.
    pub starts_at: Option<Timestamp>,
    /// What is to be done.
    pub service: Option<String>,
    /// Who is to do it: a person's name.
    pub staff: Option<String>,
}

/// Who the client is, in the clear: what `privacy` turns into pseudonyms and seals.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Contact {
    /// A phone number as people write it.
    pub phone: Option<String>,
    /// An e-mail address.
    pub email: Option<String>,
    /// A name.
    pub name: Option<String>,
    /// The messenger's id of the person.
    pub messenger_id: Option<String>,
    /// Another id of the same account in this messenger, where the messenger says that it changed.
    pub other_messenger_id: Option<String>,
}

impl Contact {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What was said in one event.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Texts {
    /// By the client.
    pub user: Option<String>,
    /// By the assistant, or by a person of the business in its place.
    pub assistant: Option<String>,
}

/// A consent, given or withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// What for.
    pub purpose: ConsentPurpose,
    /// Given, or withdrawn.
    pub granted: bool,
    /// Which edition of the text was shown.
    pub text_version: Option<Word>,
    /// Digest of the text shown, as the sender gave it.
    pub text_hash: Option<String>,
}

/// What a consent is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsentPurpose {
    /// Processing of personal data.
    PersonalData,
    /// Advertising messages.
    Mailing,
    /// Processing of data on health.
    Medical,
}

impl ConsentPurpose {
    /// All purposes.
    pub const ALL: [Self; 3] = [Self::PersonalData, Self::Mailing, Self::Medical];

    /// The word used in JSON and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PersonalData => "personal_data",
            Self::Mailing => "mailing",
            Self::Medical => "medical",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == word)
    }
}

/// Tokens the assistant spent on its turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read.
    pub input_tokens: Option<u64>,
    /// Tokens written.
    pub output_tokens: Option<u64>,
}

/// Digests as the sender gave them; ours is computed over the received bytes in any case.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct GivenHashes {
    /// `raw_input_hash`.
    pub raw_input: Option<String>,
    /// `payload_hash`.
    pub payload: Option<String>,
}
