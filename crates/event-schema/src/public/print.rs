//! An observation as JSON: the canonical form, with sorted keys and without absent ones.

use std::fmt::Display;

use domain::observation::{Consent, Contact, Observation, ObservedAppointment, Scenario, Usage};
use serde_json::{Map, Value};

/// Prints an observation so that [`super::parse`] reads the same from it.
///
/// `native_id` has no place in public JSON and is left out. The text holds everything personal in the clear: it is
/// for `letopis inspect` and for digests, never for a store or a log.
#[must_use]
pub fn print(observation: &Observation) -> Value {
    let mut event = Fields::default();
    event.shown("event_id", observation.event_id.as_ref());
    event.shown("timestamp", Some(&observation.occurred_at));
    event.shown("channel", Some(&observation.channel));
    event.value("session_id", Some(observation.session.as_str()));
    event.shown("actor", Some(&observation.actor));
    event.shown("action", Some(&observation.action));
    event.value("intent", observation.intent.as_deref());
    event.value("scenario", observation.scenario.as_ref().map(scenario));
    event.shown("crm_lead_id", observation.lead.as_ref());
    event.value("appointment", observation.appointment.as_ref().map(appointment));
    event.value("consent", observation.consent.as_ref().map(consent));
    event.value("contact", Some(&observation.contact).filter(|contact| !contact.is_empty()).map(contact));
    event.value("user_hash", observation.user_hash.as_deref());
    event.value("user_text", observation.texts.user.as_deref());
    event.value("assistant_response", observation.texts.assistant.as_deref());
    event.value("confidence", observation.confidence);
    event.value("response_time_ms", observation.response_time_ms);
    event.value("model", observation.model.as_deref());
    event.value("usage", observation.usage.map(usage));
    event.value("raw_input_hash", observation.given_hashes.raw_input.as_deref());
    event.value("payload_hash", observation.given_hashes.payload.as_deref());
    let attributes = Some(&observation.attributes).filter(|attributes| !attributes.is_empty());
    event.value("attributes", attributes.cloned());

    let mut event = event.finish();
    // Does nothing unless some dependency makes JSON maps keep the order of insertion: digests must not depend on that.
    event.sort_all_objects();
    event
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn value(&mut self, key: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), value.into());
        }
    }

    fn shown(&mut self, key: &str, value: Option<&impl Display>) {
        self.value(key, value.map(ToString::to_string));
    }

    fn finish(self) -> Value {
        Value::Object(self.0)
    }
}

fn scenario(scenario: &Scenario) -> Value {
    let mut fields = Fields::default();
    fields.shown("id", Some(&scenario.id));
    fields.shown("version", scenario.version.as_ref());
    fields.finish()
}

fn appointment(appointment: &ObservedAppointment) -> Value {
    let mut fields = Fields::default();
    fields.value("id", Some(appointment.id.as_str()));
    fields.shown("starts_at", appointment.starts_at.as_ref());
    fields.value("service", appointment.service.as_deref());
    fields.value("staff", appointment.staff.as_deref());
    fields.finish()
}

fn consent(consent: &Consent) -> Value {
    let mut fields = Fields::default();
    fields.value("purpose", Some(consent.purpose.as_str()));
    fields.value("granted", Some(consent.granted));
    fields.shown("text_version", consent.text_version.as_ref());
    fields.value("text_hash", consent.text_hash.as_deref());
    fields.finish()
}

fn contact(contact: &Contact) -> Value {
    let mut fields = Fields::default();
    fields.value("phone", contact.phone.as_deref());
    fields.value("email", contact.email.as_deref());
    fields.value("name", contact.name.as_deref());
    fields.value("messenger_id", contact.messenger_id.as_deref());
    fields.finish()
}

fn usage(usage: Usage) -> Value {
    let mut fields = Fields::default();
    fields.value("input_tokens", usage.input_tokens);
    fields.value("output_tokens", usage.output_tokens);
    fields.finish()
}
