//! The fields of the event that a mapping can fill.

use super::value::Form;

/// A field of the event: the object it lies in, if it lies in one, its name, and its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) group: Option<&'static str>,
    pub(super) name: &'static str,
    pub(super) form: Form,
}

impl Field {
    /// Where it lies in the event.
    pub(super) fn pointer(&self) -> String {
        match self.group {
            Some(group) => format!("/{group}/{}", self.name),
            None => format!("/{}", self.name),
        }
    }

    /// How a person would say it: `contact.phone`.
    pub(super) fn spoken(&self) -> String {
        match self.group {
            Some(group) => format!("{group}.{}", self.name),
            None => self.name.to_owned(),
        }
    }
}

const fn plain(name: &'static str, form: Form) -> Field {
    Field { group: None, name, form }
}

const fn inside(group: &'static str, name: &'static str, form: Form) -> Field {
    Field { group: Some(group), name, form }
}

/// All of them but the attributes, which have names of the mapping's own.
pub(super) const FIELDS: [Field; 32] = [
    plain("timestamp", Form::Instant),
    plain("channel", Form::Text),
    plain("session_id", Form::Text),
    plain("action", Form::Text),
    plain("event_id", Form::Text),
    plain("actor", Form::Text),
    plain("intent", Form::Text),
    plain("crm_lead_id", Form::Lead),
    plain("user_hash", Form::Text),
    plain("user_text", Form::Text),
    plain("assistant_response", Form::Text),
    plain("confidence", Form::Share),
    plain("response_time_ms", Form::Whole),
    plain("model", Form::Text),
    plain("raw_input_hash", Form::Text),
    plain("payload_hash", Form::Text),
    inside("scenario", "id", Form::Text),
    inside("scenario", "version", Form::Text),
    inside("appointment", "id", Form::Text),
    inside("appointment", "starts_at", Form::Instant),
    inside("appointment", "service", Form::Text),
    inside("appointment", "staff", Form::Text),
    inside("consent", "purpose", Form::Text),
    inside("consent", "granted", Form::Truth),
    inside("consent", "text_version", Form::Text),
    inside("consent", "text_hash", Form::Text),
    inside("contact", "phone", Form::Text),
    inside("contact", "email", Form::Text),
    inside("contact", "name", Form::Text),
    inside("contact", "messenger_id", Form::Text),
    inside("usage", "input_tokens", Form::Whole),
    inside("usage", "output_tokens", Form::Whole),
];

/// The object the attributes lie in.
pub(super) const ATTRIBUTES: &str = "attributes";
