//! An event as it was given: its values under the keys that are known, and the rest.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// One value. Most are texts, and those are not copied as long as the JSON they stand in is at hand.
pub(super) enum Given<'v> {
    Text(Cow<'v, str>),
    Other(Value),
}

impl Given<'_> {
    pub(super) const fn is_null(&self) -> bool {
        matches!(self, Self::Other(Value::Null))
    }

    /// The text, if it is one.
    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Other(_) => None,
        }
    }
}

impl From<Value> for Given<'_> {
    fn from(value: Value) -> Self {
        match value {
            Value::String(text) => Self::Text(Cow::Owned(text)),
            other => Self::Other(other),
        }
    }
}

/// The keys of the event's table, in the order in which they are asked for.
const KEYS: [&str; 22] = [
    "timestamp",
    "channel",
    "session_id",
    "action",
    "event_id",
    "actor",
    "intent",
    "scenario",
    "crm_lead_id",
    "appointment",
    "consent",
    "contact",
    "user_hash",
    "user_text",
    "assistant_response",
    "confidence",
    "response_time_ms",
    "model",
    "usage",
    "raw_input_hash",
    "payload_hash",
    "attributes",
];

fn position(key: &str) -> Option<usize> {
    KEYS.iter().position(|known| *known == key)
}

/// The values of an event. Of a key that is given twice, the last one counts.
#[derive(Default)]
pub(super) struct Event<'v> {
    known: [Option<Given<'v>>; KEYS.len()],
    unknown: Map<String, Value>,
}

impl<'v> Event<'v> {
    /// Takes out what a key of the table holds.
    pub(super) fn take(&mut self, key: &str) -> Option<Given<'v>> {
        let position = position(key);
        debug_assert!(position.is_some(), "{key} is not in the table");
        self.known[position?].take()
    }

    /// What is under keys outside the table.
    pub(super) fn into_unknown(self) -> Map<String, Value> {
        self.unknown
    }
}

impl From<Map<String, Value>> for Event<'_> {
    fn from(keys: Map<String, Value>) -> Self {
        let mut event = Self::default();
        for (key, value) in keys {
            match position(&key) {
                Some(position) => event.known[position] = Some(value.into()),
                None => drop(event.unknown.insert(key, value)),
            }
        }
        event
    }
}

/// What stands in JSON where an event should: an event, or something that is no object.
pub(super) struct Body<'v>(pub(super) Option<Event<'v>>);

impl<'de> Deserialize<'de> for Body<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BodyVisitor).map(Self)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Option<Event<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut keys: A) -> Result<Self::Value, A::Error> {
        let mut event = Event::default();
        while let Some(key) = keys.next_key()? {
            match key {
                Key::Known(position) => event.known[position] = Some(keys.next_value()?),
                Key::Unknown(key) => drop(event.unknown.insert(key, keys.next_value()?)),
            }
        }
        Ok(Some(event))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        // Read to its end, for it may stop being JSON.
        Value::deserialize(SeqAccessDeserializer::new(items)).map(|_no_object| None)
    }

    fn visit_str<E: Error>(self, _text: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, _truth: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: Error>(self, _number: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, _number: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, _number: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// A key of an event.
enum Key {
    /// By its position in the table.
    Known(usize),
    Unknown(String),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
        Ok(position(key).map_or_else(|| Key::Unknown(key.to_owned()), Key::Known))
    }
}

impl<'de> Deserialize<'de> for Given<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GivenVisitor)
    }
}

struct GivenVisitor;

impl<'de> Visitor<'de> for GivenVisitor {
    type Value = Given<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Given::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Given::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Given::Other(truth.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Given::Other(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Given::Other(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Given::Other(number.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Given::Other(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(items)).map(Given::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<Self::Value, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(keys)).map(Given::from)
    }
}
