//! CloudEvents 1.0: anything, in an envelope of its own.
//!
//! <https://github.com/cloudevents/spec/blob/main/cloudevents/spec.md>
//!
//! The envelope is eight fields, and is read here: the SDK brings a calendar and a URL parser to hold them, and says only the
//! first thing that is wrong. What is kept of an event is its structured form, one event by itself, whichever way it came: an
//! event is known by its source and its id.
//!
//! An event of the type [`EVENT_TYPE`] holds our own event in its data. Any other is read by the mapping of its source, if that
//! has one, and otherwise recorded as it is.

mod binary;
mod consent;
mod envelope;

use domain::channel::Channel;
use domain::observation::Observation;
use domain::quarantine::ReasonClass;
use domain::timestamp::Timestamp;
use event_schema::public::{self, Violation};
use serde_json::{Map, Value};

pub use binary::from_headers;
pub use consent::Consent;

use crate::seen::{self, kept};
use crate::{Mapping, Unparsed, json, opt_out};
use envelope::Envelope;

/// The type of an event whose data is our own event.
pub const EVENT_TYPE: &str = "letopis.event.v1";

/// The most attributes an event of ours has.
const MAX_ATTRIBUTES: usize = 64;
/// The attribute that holds what the envelope says.
const ABOUT: &str = "cloudevent";

/// How events stand in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One event, as JSON.
    Structured,
    /// A list of events, as JSON.
    Batch,
    /// The body is the data, and the envelope is in headers.
    Binary,
}

impl Mode {
    /// Tells it by the media type, and by whether there is a header `ce-specversion`; nothing for a format of events that is not
    /// JSON, or for what is no event.
    #[must_use]
    pub fn of(content_type: Option<&[u8]>, has_version: bool) -> Option<Self> {
        let essence = content_type.unwrap_or_default().split(|byte| *byte == b';').next().unwrap_or_default();
        match essence.trim_ascii().to_ascii_lowercase().as_slice() {
            b"application/cloudevents+json" => Some(Self::Structured),
            b"application/cloudevents-batch+json" => Some(Self::Batch),
            other if other.starts_with(b"application/cloudevents") => None,
            _ => has_version.then_some(Self::Binary),
        }
    }
}

/// What an event in its structured form is without a mapping; or everything that is wrong with its envelope, and with the event
/// of ours inside. `at` is the time of what carries none.
///
/// # Errors
/// At least one thing is wrong.
pub fn read(event: &Value, at: Timestamp) -> Result<Observation, Vec<Violation>> {
    let envelope = Envelope::read(event)?;
    match envelope.kind {
        EVENT_TYPE => our_event(&envelope, at),
        _ => Ok(unknown(&envelope, envelope.time.unwrap_or(at))),
    }
}

/// Reads what was kept: an event in its structured form. A batch, too, for whoever tries a file.
pub(crate) fn parse(body: &[u8], received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
    each(body, |event| Ok(vec![read(event, received_at).map_err(first)?]))
}

/// Like [`parse`], where a mapping reads what is not our own event. The places it names begin at the envelope; data that is
/// packed in `data_base64` is under `data`.
pub(crate) fn parse_mapped(
    mapping: &Mapping,
    body: &[u8],
    received_at: Timestamp,
) -> Result<Vec<Observation>, Unparsed> {
    each(body, |event| {
        let envelope = Envelope::read(event).map_err(first)?;
        if envelope.kind == EVENT_TYPE {
            return Ok(vec![our_event(&envelope, received_at).map_err(first)?]);
        }
        let mut seen = mapping.observe(&envelope.unpacked(), envelope.time.unwrap_or(received_at))?;
        opt_out::heed(&mut seen);
        for (number, seen) in seen.iter_mut().enumerate() {
            seen.native_id = match number {
                0 => envelope.identity(),
                more => format!("{}:{more}", envelope.identity()),
            };
        }
        Ok(seen)
    })
}

/// Reads each event of a body, and says of what is wrong where in the body it is.
fn each(
    body: &[u8],
    read: impl Fn(&Value) -> Result<Vec<Observation>, Unparsed>,
) -> Result<Vec<Observation>, Unparsed> {
    match json::read(body)? {
        Value::Array(events) if events.is_empty() => Err(json::unreadable("", "must hold an event")),
        Value::Array(events) => {
            let read = |(index, event)| read(event).map_err(|unparsed| within(index, unparsed));
            let seen: Result<Vec<_>, _> = events.iter().enumerate().map(read).collect();
            Ok(seen?.into_iter().flatten().collect())
        }
        event => read(&event),
    }
}

fn first(violations: Vec<Violation>) -> Unparsed {
    let first = violations.into_iter().next();
    let (pointer, detail) = first.map_or_else(Default::default, |first| (first.pointer, first.expected));
    Unparsed { class: ReasonClass::Invalid, pointer: Some(pointer), detail }
}

fn within(index: usize, unparsed: Unparsed) -> Unparsed {
    let pointer = unparsed.pointer.map(|pointer| format!("/{index}{pointer}"));
    Unparsed { pointer, ..unparsed }
}

/// Our own event: what the data says. It is known by the envelope's id, and where it has no time itself, happened at the
/// envelope's.
fn our_event(envelope: &Envelope<'_>, received_at: Timestamp) -> Result<Observation, Vec<Violation>> {
    let mut data = envelope.data();
    if let Some(keys) = data.as_object_mut()
        && keys.get("timestamp").is_none_or(Value::is_null)
    {
        let at = envelope.time.unwrap_or(received_at);
        keys.insert("timestamp".to_owned(), Value::from(at.to_string()));
    }
    let mut seen = public::parse(data).map_err(|violations| {
        let inside = |violation: Violation| Violation {
            pointer: format!("/{}{}", envelope.data_key(), violation.pointer),
            ..violation
        };
        violations.into_iter().map(inside).collect::<Vec<_>>()
    })?;
    seen.native_id = envelope.identity();
    let mut about = envelope.about();
    if let Some(own) = seen.event_id.take() {
        about.insert("event_id".to_owned(), Value::from(own.to_string()));
    }
    // Where there is no room, the event's own attributes lead: the envelope says nothing that they need.
    if seen.attributes.len() < MAX_ATTRIBUTES {
        seen.attributes.entry(ABOUT).or_insert(Value::Object(about));
    }
    Ok(seen)
}

/// Somebody else's event, which nobody has told how to read: recorded, so that it can be seen and counted.
fn unknown(envelope: &Envelope<'_>, at: Timestamp) -> Observation {
    let session = envelope.session().unwrap_or_else(|| "change:cloudevents".to_owned());
    let mut seen = seen::unknown(at, Channel::Other, session, envelope.identity(), envelope.kind);
    seen.attributes.insert(ABOUT.to_owned(), Value::Object(envelope.about()));
    if envelope.has_data() {
        seen.attributes.insert("data".to_owned(), kept(&envelope.data()));
    }
    seen
}

/// A copy of keys, without some.
fn without(keys: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let others = keys.iter().filter(|(key, _)| !names.contains(&key.as_str()));
    others.map(|(key, value)| (key.clone(), value.clone())).collect()
}
