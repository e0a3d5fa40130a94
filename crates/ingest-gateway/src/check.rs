//! One event: is it small enough, JSON, and an event?

use domain::observation::Observation;
use event_schema::public;
use http_kit::problem::{FieldError, Problem, ProblemKind, describe_json_error};
use serde_json::Value;

/// Reads one event.
pub(crate) fn observation(item: &str, max_bytes: usize) -> Result<Observation, Problem> {
    if item.len() > max_bytes {
        let detail = format!("at most {max_bytes} bytes an event");
        return Err(Problem::new(ProblemKind::EventTooLarge).detail(detail));
    }
    public::parse_str(item).map_err(|error| match error.into_violations() {
        Err(not_json) => refuse_json(&not_json),
        Ok(violations) => {
            let errors = violations
                .into_iter()
                .map(|violation| FieldError { pointer: violation.pointer, expected: violation.expected });
            Problem::new(ProblemKind::InvalidEvent).errors(errors)
        }
    })
}

/// Reads over one JSON value: valid strings, at most 128 levels deep, nothing behind it.
pub(crate) fn json(text: &str) -> Result<(), Problem> {
    serde_json::from_str::<Value>(text).map(drop).map_err(|error| refuse_json(&error))
}

fn refuse_json(error: &serde_json::Error) -> Problem {
    Problem::new(ProblemKind::InvalidJson).detail(describe_json_error(error))
}
