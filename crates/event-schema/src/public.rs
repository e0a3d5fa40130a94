//! JSON at the door: the event as bots send it, from and to an [`Observation`].
//!
//! The same rules as `proto-schemas/json/event.schema.json`, kept equal by a test over a corpus of examples. What a
//! JSON Schema cannot say is written in its descriptions.

mod attributes;
mod given;
mod object;
mod print;
mod read;
mod value;

use domain::observation::Observation;
use serde_json::Value;

use given::{Body, Event};
use object::Complaints;
pub use print::{print, print_content};

/// One thing wrong with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where, as a JSON pointer (RFC 6901). A key that may itself be personal is left out: the pointer then ends at
    /// the object that holds it.
    pub pointer: String,
    /// What would be right there, beginning with a verb: `must be …`, `is required: …`. Never quotes the value.
    pub expected: String,
}

/// The most violations named for one event.
pub const MAX_VIOLATIONS: usize = 50;

/// Why JSON is not an event.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// It is no JSON. The parser's own words may quote what it stumbled over: they are not for logs.
    #[error("the text is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// It is JSON of another kind.
    #[error("the JSON is not an object")]
    NotAnObject,
    /// It is an object with this wrong in it, at least one thing.
    #[error("the object is not an event")]
    Invalid(Vec<Violation>),
}

impl ParseError {
    /// What to tell a sender whose text is JSON; else why it is none.
    pub fn into_violations(self) -> Result<Vec<Violation>, serde_json::Error> {
        match self {
            Self::NotJson(cause) => Err(cause),
            Self::NotAnObject => Ok(vec![not_an_object()]),
            Self::Invalid(violations) => Ok(violations),
        }
    }
}

/// Reads an event, or says everything that is wrong with it (at most [`MAX_VIOLATIONS`] things).
///
/// From a text, [`parse_str`] comes to the same in less time.
pub fn parse(value: Value) -> Result<Observation, Vec<Violation>> {
    match value {
        Value::Object(keys) => read(keys.into()),
        _ => Err(vec![not_an_object()]),
    }
}

/// Like [`parse`], from the text of one JSON value with nothing behind it.
pub fn parse_str(text: &str) -> Result<Observation, ParseError> {
    parsed(serde_json::from_str(text))
}

/// Like [`parse_str`], from bytes that may be no text.
pub fn parse_slice(text: &[u8]) -> Result<Observation, ParseError> {
    parsed(serde_json::from_slice(text))
}

fn parsed(body: Result<Body<'_>, serde_json::Error>) -> Result<Observation, ParseError> {
    let Body(event) = body.map_err(ParseError::NotJson)?;
    read(event.ok_or(ParseError::NotAnObject)?).map_err(ParseError::Invalid)
}

fn read(event: Event<'_>) -> Result<Observation, Vec<Violation>> {
    let mut complaints = Complaints::default();
    let observation = read::event(event, &mut complaints);
    complaints.or(observation)
}

fn not_an_object() -> Violation {
    Violation { pointer: String::new(), expected: "must be a JSON object".to_owned() }
}
