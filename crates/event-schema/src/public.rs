//! JSON at the door: the event as bots send it, from and to an [`Observation`].
//!
//! The same rules as `proto-schemas/json/event.schema.json`, kept equal by a test over a corpus of examples. What a
//! JSON Schema cannot say is written in its descriptions.

mod attributes;
mod object;
mod print;
mod read;
mod value;

use domain::observation::Observation;
use serde_json::Value;

use object::Complaints;
pub use print::print;

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

/// Reads an event, or says everything that is wrong with it (at most [`MAX_VIOLATIONS`] things).
pub fn parse(value: Value) -> Result<Observation, Vec<Violation>> {
    let mut complaints = Complaints::default();
    let observation = match value {
        Value::Object(keys) => read::event(keys, &mut complaints),
        _ => {
            complaints.add("", "must be a JSON object");
            None
        }
    };
    complaints.or(observation)
}
