//! An observation as JSON: the canonical form, with sorted keys and without absent ones.
//!
//! Digests are taken over it and lie in ledgers, so every byte of it stays as it is: the structures below have their
//! fields in the order of their names, and what a sender nested in an attribute is sorted on the way out.

use std::fmt::Display;

use domain::observation::{self as observed, Observation};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// Prints an observation so that [`super::parse`] reads the same from it.
///
/// `native_id` has no place in public JSON and is left out. The text holds everything personal in the clear: it is
/// for `letopis inspect` and for digests, never for a store or a log.
#[must_use]
pub fn print(observation: &Observation) -> Value {
    serde_json::to_value(Event::of(observation)).expect(HAS_A_FORM)
}

/// What an observation says, whatever id the sender gave it: the text of [`print()`] without `event_id`, at once.
#[must_use]
pub fn print_content(observation: &Observation) -> Vec<u8> {
    let mut text = Vec::with_capacity(TYPICAL_BYTES);
    let content = Event { event_id: None, ..Event::of(observation) };
    serde_json::to_writer(&mut text, &content).expect(HAS_A_FORM);
    text
}

/// Longer than most events, shorter than a page of memory.
const TYPICAL_BYTES: usize = 1024;

const HAS_A_FORM: &str = "texts, numbers and JSON values under text keys always have a JSON form";

#[derive(Serialize)]
struct Event<'o> {
    action: &'o str,
    actor: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    appointment: Option<Appointment<'o>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assistant_response: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Sorted<'o>>,
    channel: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<Consent<'o>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<Contact<'o>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crm_lead_id: Option<Shown<domain::id::LeadId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<Shown<domain::id::EventId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    intent: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_hash: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_input_hash: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_time_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<Scenario<'o>>,
    session_id: &'o str,
    timestamp: Shown<domain::timestamp::Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_hash: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_text: Option<&'o str>,
}

impl<'o> Event<'o> {
    fn of(observation: &'o Observation) -> Self {
        Self {
            action: observation.action.as_str(),
            actor: observation.actor.as_str(),
            appointment: observation.appointment.as_ref().map(Appointment::of),
            assistant_response: observation.texts.assistant.as_deref(),
            attributes: Some(&observation.attributes).filter(|given| !given.is_empty()).map(Sorted::Object),
            channel: observation.channel.as_str(),
            confidence: observation.confidence,
            consent: observation.consent.as_ref().map(Consent::of),
            contact: Some(&observation.contact).filter(|given| !given.is_empty()).map(Contact::of),
            crm_lead_id: observation.lead.map(Shown),
            event_id: observation.event_id.map(Shown),
            intent: observation.intent.as_deref(),
            model: observation.model.as_deref(),
            payload_hash: observation.given_hashes.payload.as_deref(),
            raw_input_hash: observation.given_hashes.raw_input.as_deref(),
            response_time_ms: observation.response_time_ms,
            scenario: observation.scenario.as_ref().map(Scenario::of),
            session_id: &observation.session,
            timestamp: Shown(observation.occurred_at),
            usage: observation.usage.map(Usage::of),
            user_hash: observation.user_hash.as_deref(),
            user_text: observation.texts.user.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct Appointment<'o> {
    id: &'o str,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    staff: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<Shown<domain::timestamp::Timestamp>>,
}

impl<'o> Appointment<'o> {
    fn of(appointment: &'o observed::ObservedAppointment) -> Self {
        Self {
            id: &appointment.id,
            service: appointment.service.as_deref(),
            staff: appointment.staff.as_deref(),
            starts_at: appointment.starts_at.map(Shown),
        }
    }
}

#[derive(Serialize)]
struct Consent<'o> {
    granted: bool,
    purpose: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_hash: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_version: Option<&'o str>,
}

impl<'o> Consent<'o> {
    fn of(consent: &'o observed::Consent) -> Self {
        Self {
            granted: consent.granted,
            purpose: consent.purpose.as_str(),
            text_hash: consent.text_hash.as_deref(),
            text_version: consent.text_version.as_ref().map(|word| word.as_str()),
        }
    }
}

#[derive(Serialize)]
struct Contact<'o> {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messenger_id: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_messenger_id: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'o str>,
}

impl<'o> Contact<'o> {
    fn of(contact: &'o observed::Contact) -> Self {
        Self {
            email: contact.email.as_deref(),
            messenger_id: contact.messenger_id.as_deref(),
            name: contact.name.as_deref(),
            other_messenger_id: contact.other_messenger_id.as_deref(),
            phone: contact.phone.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct Scenario<'o> {
    id: &'o str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'o str>,
}

impl<'o> Scenario<'o> {
    fn of(scenario: &'o observed::Scenario) -> Self {
        Self { id: scenario.id.as_str(), version: scenario.version.as_ref().map(|word| word.as_str()) }
    }
}

#[derive(Serialize)]
struct Usage {
    #[serde(skip_serializing_if = "Option::is_none")]
    input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens: Option<u64>,
}

impl Usage {
    const fn of(usage: observed::Usage) -> Self {
        let observed::Usage { input_tokens, output_tokens } = usage;
        Self { input_tokens, output_tokens }
    }
}

/// What is written as the text it is shown as.
struct Shown<T>(T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// JSON of the sender's, with the keys of all its objects sorted. They are sorted already unless some dependency makes
/// JSON maps keep the order of insertion: digests must not depend on that.
enum Sorted<'v> {
    Object(&'v Map<String, Value>),
    Any(&'v Value),
}

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Object(keys) | Self::Any(Value::Object(keys)) => {
                let mut keys: Vec<_> = keys.iter().collect();
                keys.sort_unstable_by_key(|(key, _)| *key);
                serializer.collect_map(keys.into_iter().map(|(key, value)| (key, Sorted::Any(value))))
            }
            Self::Any(Value::Array(items)) => serializer.collect_seq(items.iter().map(Sorted::Any)),
            Self::Any(plain) => plain.serialize(serializer),
        }
    }
}
