//! Any other system's bodies, read as a mapping of the tenant's says: where in the JSON each field of the event lies.
//!
//! A [`Mapping`] is made of a file, JSON or YAML, and is kept and travels as its [`MappingText`]: the text a body came in
//! under comes with it, so that the same delivery always becomes the same events. Its language only grows: quarantined
//! deliveries hold old texts for as long as they are kept.

mod field;
mod file;
mod form;
mod memo;
mod place;
mod proof;
mod rest;
mod room;
mod rule;
mod value;

use std::collections::HashMap;
use std::fmt;

use domain::channel::Channel;
use domain::observation::Observation;
use domain::registry::MappingText;
use domain::timestamp::Timestamp;
use serde_json::Value;

pub use memo::Mappings;

use crate::json;
use crate::seen;
use crate::{Delivery, Unparsed, VerifyError};
use rest::Used;
use room::Room;
use rule::Rule;

/// The longest mapping, in the form in which it is kept: it travels beside every body.
pub const MAX_BYTES: usize = 16 * 1024;
/// The most rules.
const MAX_RULES: usize = 64;
/// The most events one body becomes.
const MAX_EVENTS: usize = 1_000;
/// The attribute that holds what no rule names.
const UNMAPPED: &str = "unmapped";

/// How the bodies of another system are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    text: MappingText,
    body: Body,
    proof: proof::Proof,
    rules: Vec<Rule>,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    Json,
    Form,
}

/// One thing wrong with a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where in the file, as a JSON pointer.
    pub pointer: String,
    /// What would be right there.
    pub expected: String,
}

/// Why a file is no mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// It is neither JSON nor YAML.
    #[error("the mapping is neither JSON nor YAML; it stops being so at line {line} column {column}")]
    NotReadable {
        /// From 1.
        line: u64,
        /// From 1.
        column: u64,
    },
    /// It is too long.
    #[error("the mapping is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// It is one with this wrong in it, at least one thing.
    #[error("the mapping is wrong:{}", Listed(.0))]
    Wrong(Vec<Fault>),
}

/// Faults, one a line.
struct Listed<'f>(&'f [Fault]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Fault { pointer, expected } in self.0 {
            let spot = if pointer.is_empty() { "the file" } else { pointer };
            write!(f, "\n  {spot} {expected}")?;
        }
        Ok(())
    }
}

impl Mapping {
    /// Reads a mapping file, JSON or YAML.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(file: &str) -> Result<Self, MappingError> {
        if file.len() > 4 * MAX_BYTES {
            return Err(MappingError::TooLong);
        }
        let value: Value = match serde_json::from_str(file) {
            Ok(value) => value,
            Err(_no_json) => {
                // Aliases may stand for as much again as a mapping can hold, and not for a thousand million times that.
                let limits = serde_saphyr::alias_limits! { max_total_replayed_events: MAX_BYTES };
                let options = serde_saphyr::options! { alias_limits: limits };
                let read = serde_saphyr::from_str_with_options(file, options);
                read.map_err(|error| not_readable(&error))?
            }
        };
        let text = value.to_string();
        if text.len() > MAX_BYTES {
            return Err(MappingError::TooLong);
        }
        let file::File { body, proof, rules } = file::read(&value).map_err(MappingError::Wrong)?;
        Ok(Self { text: MappingText::from_text(&text), body, proof, rules })
    }

    /// The form in which it is kept and travels: [`Self::parse`] reads it back.
    #[must_use]
    pub const fn text(&self) -> &MappingText {
        &self.text
    }

    /// Whether bodies are forms, and not JSON.
    #[must_use]
    pub fn reads_forms(&self) -> bool {
        self.body == Body::Form
    }

    /// Whether the secret is part of the address, and if so under which name.
    #[must_use]
    pub fn parameter(&self) -> Option<&str> {
        match &self.proof {
            proof::Proof::Parameter(name) => Some(name),
            _ => None,
        }
    }

    /// Whether the secret is one of Standard Webhooks.
    #[must_use]
    pub fn is_signed_as_standard_webhooks(&self) -> bool {
        self.proof == proof::Proof::StandardWebhooks
    }

    /// As [`crate::verify`], the way this mapping says.
    pub(crate) fn verify(
        &self,
        delivery: &Delivery<'_>,
        secrets: &[&[u8]],
        now: Timestamp,
    ) -> Result<(), VerifyError> {
        self.proof.verify(delivery, secrets, now, |body| self.value(body).ok())
    }

    /// As [`crate::parse`], the way this mapping says.
    pub(crate) fn read(&self, body: &[u8], received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
        self.observe(&self.value(body)?, received_at)
    }

    fn value(&self, body: &[u8]) -> Result<Value, Unparsed> {
        match self.body {
            Body::Json => json::read(body),
            Body::Form => Ok(form::read(body)),
        }
    }

    /// What a body means that has been read already.
    pub(crate) fn observe(&self, root: &Value, received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
        let mut used = Used::default();
        if let Some(proof) = self.proof.of_body(root) {
            used.add(proof);
        }
        let mut room = Room::of(root);
        let mut seen = Vec::new();
        for rule in &self.rules {
            for item in rule.items(root, &mut used) {
                if seen.len() == MAX_EVENTS {
                    return Err(json::unreadable("", &format!("must become at most {MAX_EVENTS} events")));
                }
                seen.push((item, rule.read(item, received_at, &mut used, &mut room)?));
            }
        }
        // What belongs to an item goes with it, and the rest of the body with the first.
        for (item, observation) in &mut seen {
            if item.number.is_some() {
                keep(observation, used.rest(item.scope.item));
            }
        }
        let mut observations: Vec<_> = seen.into_iter().map(|(_, observation)| observation).collect();
        if observations.is_empty() {
            observations.push(unmapped(root, received_at));
        }
        if let (Some(first), Some(rest)) = (observations.first_mut(), used.rest(root)) {
            let of_item = first.attributes.remove(UNMAPPED);
            keep(first, Some(joined(of_item, rest)));
        }
        number_twins(&mut observations);
        Ok(observations)
    }
}

/// What no rule is about: recorded, so that it can be seen and counted.
fn unmapped(root: &Value, received_at: Timestamp) -> Observation {
    let native_id = format!("{UNMAPPED}:{root}");
    let session = format!("change:{UNMAPPED}");
    seen::unknown(received_at, Channel::Other, session, native_id, UNMAPPED)
}

fn keep(observation: &mut Observation, rest: Option<Value>) {
    if let Some(rest) = rest {
        observation.attributes.insert(UNMAPPED.to_owned(), rest);
    }
}

/// What is left of an item, and what is left of the body around it, whose own names lead.
fn joined(of_item: Option<Value>, of_body: Value) -> Value {
    match (of_item, of_body) {
        (None, of_body) => of_body,
        (Some(Value::Object(mut of_item)), Value::Object(of_body)) => {
            of_item.extend(of_body);
            Value::Object(of_item)
        }
        (Some(of_item), of_body) => Value::from(vec![of_item, of_body]),
    }
}

/// Two items of one body that say the same are two events all the same.
fn number_twins(observations: &mut [Observation]) {
    let mut times: HashMap<String, usize> = HashMap::new();
    for observation in observations {
        let before = times.entry(observation.native_id.clone()).or_default();
        if *before > 0 {
            observation.native_id = format!("{}:{before}", observation.native_id);
        }
        *before += 1;
    }
}

fn not_readable(error: &serde_saphyr::Error) -> MappingError {
    let at = error.location();
    MappingError::NotReadable { line: at.map_or(1, |at| at.line()), column: at.map_or(1, |at| at.column()) }
}
