//! The envelope: what an event says of itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::timestamp::Timestamp;
use event_schema::public::Violation;
use serde_json::{Map, Value};

use super::without;
use crate::seen::kept;

/// The longest id of a conversation.
const SESSION: usize = 200;
const TEXT: &str = "must be text that is not blank and has no control characters";

/// An event in its structured form, whose envelope is whole.
pub(super) struct Envelope<'v> {
    keys: &'v Map<String, Value>,
    id: &'v str,
    source: &'v str,
    /// Its type.
    pub(super) kind: &'v str,
    /// When it happened, if it says so.
    pub(super) time: Option<Timestamp>,
    subject: Option<&'v str>,
    /// Whether the data is JSON, by what is said of it.
    is_json: bool,
    /// Data that came packed.
    bytes: Option<Vec<u8>>,
}

impl<'v> Envelope<'v> {
    /// Reads it, or says everything that is wrong with it.
    pub(super) fn read(event: &'v Value) -> Result<Self, Vec<Violation>> {
        let Some(keys) = event.as_object() else {
            return Err(vec![wrong("", "must be a JSON object: an event in its structured form")]);
        };
        let mut reader = Reader { keys, violations: Vec::new() };
        if reader.get("specversion").is_none_or(|version| version != "1.0") {
            reader.complain("specversion", "must be 1.0, as text");
        }
        let (id, source, kind) = (reader.required("id"), reader.required("source"), reader.required("type"));
        let (subject, content_type) = (reader.text("subject"), reader.text("datacontenttype"));
        let (time, bytes) = (reader.time(), reader.bytes());
        if let (Some(id), Some(source), Some(kind), true) = (id, source, kind, reader.violations.is_empty()) {
            let is_json = content_type.is_none_or(is_json);
            Ok(Self { keys, id, source, kind, time, subject, is_json, bytes })
        } else {
            Err(reader.violations)
        }
    }

    /// What makes an event that event: its source and its id.
    pub(super) fn identity(&self) -> String {
        format!("cloudevent:{}", Value::from(vec![self.source, self.id]))
    }

    /// What it is about, where that can be the id of a conversation.
    pub(super) fn session(&self) -> Option<String> {
        self.subject.filter(|subject| subject.chars().count() <= SESSION).map(str::to_owned)
    }

    /// What it says of itself, extensions included.
    pub(super) fn about(&self) -> Map<String, Value> {
        let about = without(self.keys, &["specversion", "data", "data_base64"]);
        match kept(&Value::Object(about)) {
            Value::Object(about) => about.into_iter().filter(|(_, value)| !value.is_null()).collect(),
            _ => Map::new(),
        }
    }

    pub(super) fn has_data(&self) -> bool {
        self.bytes.is_some() || self.keys.contains_key("data")
    }

    /// Where the data is.
    pub(super) const fn data_key(&self) -> &'static str {
        if self.bytes.is_some() { "data_base64" } else { "data" }
    }

    /// Its data: JSON, or text; where it is neither, still in base64.
    pub(super) fn data(&self) -> Value {
        let Some(bytes) = &self.bytes else { return self.keys.get("data").cloned().unwrap_or_default() };
        let read = if self.is_json { serde_json::from_slice(bytes).ok() } else { None };
        read.unwrap_or_else(|| match std::str::from_utf8(bytes) {
            Ok(text) => Value::from(text),
            Err(_no_text) => self.keys["data_base64"].clone(),
        })
    }

    /// The whole event, with the data under `data` however it came.
    pub(super) fn unpacked(&self) -> Value {
        let mut keys = without(self.keys, &["data", "data_base64"]);
        if self.has_data() {
            keys.insert("data".to_owned(), self.data());
        }
        Value::Object(keys)
    }
}

/// Whether a media type is one of JSON.
pub(super) fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.split_once('/').is_some_and(|(_, subtype)| subtype == "json" || subtype.ends_with("+json"))
}

struct Reader<'v> {
    keys: &'v Map<String, Value>,
    violations: Vec<Violation>,
}

impl<'v> Reader<'v> {
    /// Null is the same as left out.
    fn get(&self, key: &str) -> Option<&'v Value> {
        self.keys.get(key).filter(|value| !value.is_null())
    }

    fn required(&mut self, key: &str) -> Option<&'v str> {
        if self.get(key).is_none() {
            self.complain(key, &format!("is required: {TEXT}"));
        }
        self.text(key)
    }

    fn text(&mut self, key: &str) -> Option<&'v str> {
        let value = self.get(key)?;
        let is_text = |text: &&str| !text.trim().is_empty() && !text.contains(char::is_control);
        let text = value.as_str().filter(is_text);
        if text.is_none() {
            self.complain(key, TEXT);
        }
        text
    }

    fn time(&mut self) -> Option<Timestamp> {
        let value = self.get("time")?;
        let time = value.as_str().and_then(|time| Timestamp::parse(time).ok());
        if time.is_none() {
            self.complain("time", "must be RFC 3339 with an offset, such as 2025-01-01T12:34:56+03:00");
        }
        time
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let value = self.get("data_base64")?;
        if self.get("data").is_some() {
            self.complain("data", "must not be given beside data_base64");
        }
        let bytes = value.as_str().and_then(|text| STANDARD.decode(text).ok());
        if bytes.is_none() {
            self.complain("data_base64", "must be base64");
        }
        bytes
    }

    fn complain(&mut self, key: &str, expected: &str) {
        self.violations.push(wrong(&format!("/{key}"), expected));
    }
}

fn wrong(pointer: &str, expected: &str) -> Violation {
    Violation { pointer: pointer.to_owned(), expected: expected.to_owned() }
}
