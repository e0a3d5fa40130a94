//! A JSON body, and the spots in it: every complaint names its spot and none quotes it.

use std::ptr;

use domain::quarantine::ReasonClass;
use domain::timestamp::Timestamp;
use serde_json::{Map, Value};

use crate::Unparsed;

/// The longest name or id; one with a word before it must still fit into an id of ours.
const WORD: usize = 180;

/// The longest id of a message. It is no id of ours, and holds in Meta's messengers what the ids of account, conversation and
/// client have in them, in base64.
const MESSAGE_ID: usize = 1_024;

/// Reads a body as JSON.
pub(crate) fn read(body: &[u8]) -> Result<Value, Unparsed> {
    serde_json::from_slice(body).map_err(|error| not_json(&error))
}

/// The body is no JSON.
pub(crate) fn not_json(error: &serde_json::Error) -> Unparsed {
    Unparsed {
        class: ReasonClass::Unreadable,
        pointer: None,
        // The parser's own words are left out: they may quote what they stumbled over.
        detail: format!("must be JSON; stops being so at line {} column {}", error.line(), error.column()),
    }
}

/// The body is not what its channel sends.
pub(crate) fn unreadable(pointer: &str, expected: &str) -> Unparsed {
    Unparsed {
        class: ReasonClass::Unreadable,
        pointer: Some(pointer.to_owned()),
        detail: expected.to_owned(),
    }
}

/// A value in a body. The way to it is looked for when there is something to complain about, and only then: nearly every
/// body is right. It leads over keys of the channel's own vocabulary, never over keys that a sender can choose.
#[derive(Clone, Copy)]
pub(crate) struct Spot<'v> {
    value: &'v Value,
    body: &'v Value,
}

impl<'v> Spot<'v> {
    pub(crate) const fn root(value: &'v Value) -> Self {
        Self { value, body: value }
    }

    /// The same value as a body of its own: ways begin here, and are looked for in here only.
    pub(crate) const fn alone(self) -> Self {
        Self { value: self.value, body: self.value }
    }

    /// The pointer that leads from here to a spot inside.
    pub(crate) fn way_to(&self, inside: &Self) -> Option<String> {
        way(self.value, inside.value)
    }

    /// The value under `key`; `None` when absent, null, or when this is no object.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(Self { value, ..*self })
    }

    /// The value under `key`, which the channel always sends.
    pub(crate) fn need(&self, key: &str) -> Result<Self, Unparsed> {
        self.get(key).ok_or_else(|| invalid(format!("{}/{key}", self.pointer()), "is required"))
    }

    /// What the array under `key` holds; nothing, when there is none.
    pub(crate) fn items(&self, key: &str) -> Result<impl Iterator<Item = Self> + use<'v>, Unparsed> {
        let array = self.get(key).map(|found| found.array()).transpose()?;
        Ok(array.into_iter().flatten())
    }

    /// What this array holds.
    pub(crate) fn array(&self) -> Result<impl Iterator<Item = Self> + use<'v>, Unparsed> {
        let items = self.value.as_array().ok_or_else(|| self.invalid("must be an array"))?;
        let body = self.body;
        Ok(items.iter().map(move |value| Self { value, body }))
    }

    /// The name or id under `key`, as it stands; `None` when it is none.
    pub(crate) fn word(&self, key: &str) -> Option<&'v str> {
        self.get(key)?.as_word().ok()
    }

    /// A name or an id, as it stands.
    pub(crate) fn as_word(&self) -> Result<&'v str, Unparsed> {
        self.word_of(WORD)
    }

    fn word_of(&self, max: usize) -> Result<&'v str, Unparsed> {
        let is_word = |word: &&str| {
            !word.trim().is_empty() && word.chars().count() <= max && !word.contains(char::is_control)
        };
        let expected = || self.invalid(&format!("must be text of 1 to {max} characters, none a control"));
        self.value.as_str().filter(is_word).ok_or_else(expected)
    }

    /// An id: a whole number, or a word.
    pub(crate) fn id(&self) -> Result<String, Unparsed> {
        self.id_of(WORD)
    }

    /// The id of a message, which may be longer.
    pub(crate) fn message_id(&self) -> Result<String, Unparsed> {
        self.id_of(MESSAGE_ID)
    }

    fn id_of(&self, max: usize) -> Result<String, Unparsed> {
        match self.value {
            Value::Number(number) if !number.is_f64() => Ok(number.to_string()),
            _ => self.word_of(max).map(str::to_owned),
        }
    }

    /// An instant: seconds or milliseconds since the epoch, as a number or its digits. Which of both it is the size tells: as
    /// seconds, what is taken for milliseconds would lie after the year 5138.
    pub(crate) fn instant(&self) -> Result<Timestamp, Unparsed> {
        let number = match self.value {
            Value::String(digits) => digits.parse().ok(),
            other => other.as_i64(),
        };
        let number: i64 = number.ok_or_else(|| self.invalid("must be seconds or milliseconds since 1970"))?;
        let instant = if number < 100_000_000_000 {
            Timestamp::from_unix_seconds(number)
        } else {
            Timestamp::from_unix_micros(number.saturating_mul(1_000))
        };
        instant.map_err(|out_of_range| self.invalid(&out_of_range.to_string()))
    }

    /// An instant as text: RFC 3339.
    pub(crate) fn moment(&self) -> Result<Timestamp, Unparsed> {
        Timestamp::parse(self.as_word()?).map_err(|error| self.invalid(&error.to_string()))
    }

    /// The value as it would be written, which makes it unique where it has no number.
    pub(crate) fn written(&self) -> String {
        self.value.to_string()
    }

    pub(crate) fn value(&self) -> &'v Value {
        self.value
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &'v str> + use<'v> {
        self.value.as_object().into_iter().flat_map(Map::keys).map(String::as_str)
    }

    pub(crate) fn object(self) -> Result<Self, Unparsed> {
        if self.value.is_object() { Ok(self) } else { Err(self.invalid("must be an object")) }
    }

    pub(crate) fn integer(&self) -> Result<i64, Unparsed> {
        self.value.as_i64().ok_or_else(|| self.invalid("must be a whole number of at most 64 bits"))
    }

    /// Text within bounds; `None` when it is blank.
    pub(crate) fn text(&self, max: usize) -> Result<Option<String>, Unparsed> {
        let text = self.value.as_str().ok_or_else(|| self.invalid("must be text"))?;
        if text.contains('\0') {
            return Err(self.invalid("must not contain the character U+0000"));
        }
        if text.chars().count() > max {
            return Err(self.invalid(&format!("must be at most {max} characters")));
        }
        Ok(Some(text.to_owned()).filter(|text| !text.trim().is_empty()))
    }

    pub(crate) fn is_true(&self) -> bool {
        self.value.as_bool().unwrap_or_default()
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.value.as_str() == Some(word)
    }

    pub(crate) fn invalid(&self, expected: &str) -> Unparsed {
        invalid(self.pointer(), expected)
    }

    fn pointer(&self) -> String {
        way(self.body, self.value).unwrap_or_default()
    }
}

fn invalid(pointer: String, expected: &str) -> Unparsed {
    Unparsed { class: ReasonClass::Invalid, pointer: Some(pointer), detail: expected.to_owned() }
}

/// The pointer that leads from `start` to `end`, which lies inside it and not merely equals something there.
fn way(start: &Value, end: &Value) -> Option<String> {
    if ptr::eq(start, end) {
        return Some(String::new());
    }
    let step = |key: &dyn std::fmt::Display, inside| Some(format!("/{key}{}", way(inside, end)?));
    match start {
        Value::Object(keys) => keys.iter().find_map(|(key, inside)| step(key, inside)),
        Value::Array(items) => items.iter().enumerate().find_map(|(index, inside)| step(&index, inside)),
        _ => None,
    }
}

/// The spot under `key` read as text.
pub(crate) fn text_under(spot: &Spot<'_>, key: &str, max: usize) -> Result<Option<String>, Unparsed> {
    spot.get(key).map_or(Ok(None), |found| found.text(max))
}

/// The spot under `key` read as a whole number.
pub(crate) fn integer_under(spot: &Spot<'_>, key: &str) -> Result<Option<i64>, Unparsed> {
    spot.get(key).map(|found| found.integer()).transpose()
}
