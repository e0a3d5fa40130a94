//! One event: is it small enough, JSON, and an event?

use domain::observation::Observation;
use domain::timestamp::Timestamp;
use event_schema::public::{self, Violation};
use http_kit::problem::{FieldError, Problem, ProblemKind, describe_json_error};
use serde_json::Value;

/// Reads one event.
pub(crate) fn observation(item: &str, max_bytes: usize) -> Result<Observation, Problem> {
    admit(item, max_bytes)?;
    public::parse_str(item).map_err(|error| match error.into_violations() {
        Err(not_json) => refuse_json(&not_json),
        Ok(violations) => invalid(violations),
    })
}

/// Reads one CloudEvent; `now` is the time of one that carries none.
pub(crate) fn cloud_event(item: &str, max_bytes: usize, now: Timestamp) -> Result<Observation, Problem> {
    admit(item, max_bytes)?;
    let event: Value = serde_json::from_str(item).map_err(|error| refuse_json(&error))?;
    channels::cloudevents::read(&event, now).map_err(invalid)
}

fn admit(item: &str, max_bytes: usize) -> Result<(), Problem> {
    if item.len() > max_bytes {
        let detail = format!("at most {max_bytes} bytes an event");
        return Err(Problem::new(ProblemKind::EventTooLarge).detail(detail));
    }
    Ok(())
}

/// An event with these spots in it.
pub(crate) fn invalid(violations: Vec<Violation>) -> Problem {
    let spot = |Violation { pointer, expected }| FieldError { pointer, expected };
    Problem::new(ProblemKind::InvalidEvent).errors(violations.into_iter().map(spot))
}

/// Reads over one JSON value: valid strings, at most 128 levels deep, nothing behind it.
pub(crate) fn json(text: &str) -> Result<(), Problem> {
    serde_json::from_str::<Value>(text).map(drop).map_err(|error| refuse_json(&error))
}

fn refuse_json(error: &serde_json::Error) -> Problem {
    Problem::new(ProblemKind::InvalidJson).detail(describe_json_error(error))
}
