//! What happens in the salon, before it takes the form of any channel.

use domain::action::{Action, Actor};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::catalogue::Service;

/// Names a conversation: its place in the world's list.
pub(crate) type ThreadId = usize;
/// Names a booking: its place in the world's list.
pub(crate) type BookingId = usize;

/// One thing that happens in a conversation. Becomes one delivery and one event.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    /// Unique within a conversation, so that order is never in doubt.
    pub(crate) at: i64,
    pub(crate) id: Uuid,
    pub(crate) thread: ThreadId,
    pub(crate) deed: Deed,
}

/// Who did what.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// The client writes.
    Says(String),
    /// The client presses a button under a message of the bot.
    Presses { label: String, data: &'static str },
    /// The client shares the phone with the messenger's own button; elsewhere types it.
    SharesContact { typed: String },
    /// The bot, the staff, a timer or the CRM tells what was done.
    Report(Box<Report>),
}

/// An event the business itself reports.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) actor: Actor,
    pub(crate) action: Action,
    pub(crate) text: Option<String>,
    pub(crate) intent: Option<&'static str>,
    pub(crate) scenario: Option<Scenario>,
    pub(crate) lead: Option<u64>,
    pub(crate) appointment: Option<Slot>,
    pub(crate) consent: Option<Consent>,
    /// Whether the event carries who the client is.
    pub(crate) with_contact: bool,
    pub(crate) turn: Option<Turn>,
    pub(crate) attributes: Map<String, Value>,
}

/// The branch of the assistant that acted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) id: &'static str,
    pub(crate) version: &'static str,
}

/// A booking as it stands when it is reported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) booking: BookingId,
    pub(crate) starts_at: i64,
    pub(crate) service: &'static Service,
    pub(crate) master: &'static str,
}

/// A consent, given or withdrawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Consent {
    pub(crate) purpose: &'static str,
    pub(crate) granted: bool,
}

/// What the assistant knows of its own turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) confidence_percent: u32,
    pub(crate) response_time_ms: u32,
    pub(crate) input_tokens: u32,
    pub(crate) output_tokens: u32,
}

impl Report {
    /// A report with nothing but who and what.
    pub(crate) fn new(actor: Actor, action: Action) -> Self {
        Self {
            actor,
            action,
            text: None,
            intent: None,
            scenario: None,
            lead: None,
            appointment: None,
            consent: None,
            with_contact: false,
            turn: None,
            attributes: Map::new(),
        }
    }

    /// The assistant does something.
    pub(crate) fn assistant(action: Action) -> Self {
        Self::new(Actor::Assistant, action)
    }

    pub(crate) fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    pub(crate) fn intent(mut self, intent: &'static str) -> Self {
        self.intent = Some(intent);
        self
    }

    pub(crate) fn slot(mut self, slot: Slot) -> Self {
        self.appointment = Some(slot);
        self
    }

    pub(crate) fn consent(mut self, purpose: &'static str, granted: bool) -> Self {
        self.consent = Some(Consent { purpose, granted });
        self
    }

    pub(crate) fn with_contact(mut self) -> Self {
        self.with_contact = true;
        self
    }

    pub(crate) fn attribute(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.attributes.insert(key.to_owned(), value.into());
        self
    }
}
