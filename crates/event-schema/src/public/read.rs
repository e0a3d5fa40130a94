//! The event's table, key by key.

use std::str::FromStr as _;

use domain::action::Actor;
use domain::channel::Channel;
use domain::id::EventId;
use domain::observation::{
    Consent, ConsentPurpose, Contact, GivenHashes, Observation, ObservedAppointment, Scenario, Texts, Usage,
};
use serde_json::{Map, Value};

use super::attributes;
use super::given::{Event, Given};
use super::object::{Complaints, Keys, Object, Read};
use super::value::{ID, LABEL, TEXT, action, id, instant, lead, parsed, share, text, truth, whole, word};

const TIMESTAMP: &str = "RFC 3339 with an offset, such as 2025-01-01T12:34:56+03:00";
const CHANNEL: &str = "the channel of the conversation, such as telegram, whatsapp or site";
const SESSION: &str = "your own id of the conversation";
const ACTION: &str = "what was done, such as message, create_lead or book";

pub(super) fn event(keys: Event<'_>, complaints: &mut Complaints) -> Option<Observation> {
    let mut event = Object::new(keys, complaints);
    let occurred_at = event.required("timestamp", TIMESTAMP, instant);
    let channel = event.required("channel", CHANNEL, parsed(Channel::from_str));
    let session = event.required("session_id", SESSION, id);
    let action = event.required("action", ACTION, action);

    let event_id = event.optional("event_id", parsed(EventId::from_str));
    let actor = event.optional("actor", parsed(Actor::from_str)).unwrap_or_default();
    let intent = free(&mut event, "intent", LABEL);
    let scenario = scenario(&mut event);
    let lead = event.optional("crm_lead_id", lead);
    let appointment = appointment(&mut event);
    let consent = consent(&mut event);
    let contact = contact(&mut event);
    let user_hash = free(&mut event, "user_hash", LABEL);
    let user = free(&mut event, "user_text", TEXT);
    let assistant = free(&mut event, "assistant_response", TEXT);
    let confidence = event.optional("confidence", share);
    let response_time_ms = event.optional("response_time_ms", whole);
    let model = free(&mut event, "model", LABEL);
    let usage = usage(&mut event);
    let raw_input = free(&mut event, "raw_input_hash", LABEL);
    let payload = free(&mut event, "payload_hash", LABEL);
    let given = event.optional("attributes", object);
    let (rest, complaints) = event.into_rest();
    let attributes = attributes::join(rest.into_unknown(), given, complaints);

    Some(Observation {
        event_id,
        actor,
        intent,
        scenario,
        lead,
        appointment,
        consent,
        contact,
        user_hash,
        texts: Texts { user, assistant },
        confidence,
        response_time_ms,
        model,
        usage,
        given_hashes: GivenHashes { raw_input, payload },
        attributes,
        ..Observation::new(occurred_at?, channel?, session?, action?)
    })
}

fn free<'v>(object: &mut Object<'_, impl Keys<'v>>, key: &str, max: usize) -> Option<String> {
    object.optional(key, text(max)).flatten()
}

fn object(given: Given<'_>) -> Read<Map<String, Value>> {
    match given {
        Given::Other(Value::Object(keys)) => Ok(keys),
        _ => Err("must be an object".into()),
    }
}

fn scenario(event: &mut Object<'_, Event<'_>>) -> Option<Scenario> {
    event.nested("scenario", "id, version", |scenario| {
        let id = scenario.required("id", "the name of the assistant's branch", word);
        let version = scenario.optional("version", word);
        Some(Scenario { id: id?, version })
    })
}

fn appointment(event: &mut Object<'_, Event<'_>>) -> Option<ObservedAppointment> {
    event.nested("appointment", "id, starts_at, service, staff", |appointment| {
        let booking = appointment.required("id", "your calendar's id of the booking", id);
        let starts_at = appointment.optional("starts_at", instant);
        let service = free(appointment, "service", LABEL);
        let staff = free(appointment, "staff", LABEL);
        Some(ObservedAppointment { id: booking?, starts_at, service, staff })
    })
}

fn consent(event: &mut Object<'_, Event<'_>>) -> Option<Consent> {
    event.nested("consent", "purpose, granted, text_version, text_hash", |consent| {
        let purpose = consent.required("purpose", PURPOSES, parsed(purpose));
        let granted = consent.required("granted", "true when given, false when withdrawn", truth);
        let text_version = consent.optional("text_version", word);
        let text_hash = free(consent, "text_hash", LABEL);
        Some(Consent { purpose: purpose?, granted: granted?, text_version, text_hash })
    })
}

const PURPOSES: &str = "one of personal_data, mailing, medical";

fn purpose(text: &str) -> Result<ConsentPurpose, String> {
    ConsentPurpose::parse(text).ok_or_else(|| format!("must be {PURPOSES}"))
}

fn contact(event: &mut Object<'_, Event<'_>>) -> Contact {
    let contact =
        event.nested("contact", "phone, email, name, messenger_id, other_messenger_id", |contact| {
            Some(Contact {
                phone: free(contact, "phone", LABEL),
                email: free(contact, "email", LABEL),
                name: free(contact, "name", LABEL),
                messenger_id: free(contact, "messenger_id", ID),
                other_messenger_id: free(contact, "other_messenger_id", ID),
            })
        });
    contact.unwrap_or_default()
}

fn usage(event: &mut Object<'_, Event<'_>>) -> Option<Usage> {
    event.nested("usage", "input_tokens, output_tokens", |usage| {
        Some(Usage {
            input_tokens: usage.optional("input_tokens", whole),
            output_tokens: usage.optional("output_tokens", whole),
        })
    })
}
