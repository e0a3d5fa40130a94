//! What observations of all messengers have in common.
//!
//! What is done has one word in all channels, listed in `docs/event.md`, and so has what is attached.

use domain::action::{Action, Actor, Word};
use domain::channel::Channel;
use domain::observation::Observation;
use domain::timestamp::Timestamp;
use serde_json::Value;

/// An action outside the funnel's vocabulary.
pub(crate) fn word(name: &str) -> Action {
    Action::parse(name).expect("the names used in this crate are words")
}

/// The name of a kind is the messenger's own; a key that does not look like a name is not passed on.
pub(crate) fn named(kind: &str) -> &str {
    if Word::parse(kind).is_ok() { kind } else { "unnamed" }
}

/// [What it is called](named), as an attribute.
pub(crate) fn kind_name(kind: &str) -> Value {
    Value::from(named(kind))
}

/// Something a messenger tells that says nothing to us yet: recorded, so that it can be seen and counted.
pub(crate) fn unknown(
    at: Timestamp,
    channel: Channel,
    session: String,
    native_id: String,
    kind: &str,
) -> Observation {
    let mut observation = Observation::new(at, channel, session, word("unknown_update"));
    observation.native_id = native_id;
    observation.actor = Actor::System;
    observation.attributes.insert("kind".to_owned(), kind_name(kind));
    observation
}

/// As deep as what another system made up is kept, beside what else an attribute holds.
const DEEPEST: usize = 24;

/// A value of another system's, such that it can be kept: no database keeps U+0000, and no attribute nests without end.
pub(crate) fn kept(value: &Value) -> Value {
    kept_to(value, DEEPEST)
}

fn kept_to(value: &Value, depth: usize) -> Value {
    let text = |text: &str| text.replace('\0', "\u{fffd}");
    let Some(deeper) = depth.checked_sub(1) else { return Value::from("nested too deep") };
    match value {
        Value::String(said) => Value::from(text(said)),
        Value::Array(items) => items.iter().map(|item| kept_to(item, deeper)).collect(),
        Value::Object(keys) => keys.iter().map(|(key, item)| (text(key), kept_to(item, deeper))).collect(),
        plain => plain.clone(),
    }
}

/// Puts a text where it belongs by who said it.
pub(crate) fn say(observation: &mut Observation, text: Option<String>) {
    match observation.actor {
        Actor::Client => observation.texts.user = text,
        _ => observation.texts.assistant = text,
    }
}

/// Makes of a message a notice of the messenger's own. Nobody in the conversation said its words: they are kept beside it.
pub(crate) fn notice(observation: &mut Observation, kind: &str, words: Option<String>) {
    observation.action = word("service_message");
    observation.actor = Actor::System;
    observation.attributes.insert("kind".to_owned(), kind_name(kind));
    note(observation, "text", words);
}

/// Notes what a message carries beside text, in the words of all channels.
pub(crate) fn attach(observation: &mut Observation, kind: &str) {
    let kind = match kind {
        "image" => "photo",
        "contacts" | "vcard" => "contact",
        "geo" => "location",
        "audio_message" => "voice",
        "doc" | "file" => "document",
        other => other,
    };
    observation.attributes.insert("attachment".to_owned(), kind_name(kind));
}

/// Notes a text of the messenger's, if there is one.
pub(crate) fn note(observation: &mut Observation, key: &str, text: Option<String>) {
    if let Some(text) = text {
        observation.attributes.insert(key.to_owned(), Value::from(text));
    }
}
