//! The canonical event: one object, one observation.

use domain::observation::Observation;
use domain::quarantine::ReasonClass;
use event_schema::public::{self, ParseError, Violation};

use crate::{Unparsed, json};

/// So many violations are named in the words of one reason; the rest are counted.
const NAMED: usize = 5;

pub(crate) fn parse(body: &[u8]) -> Result<Vec<Observation>, Unparsed> {
    public::parse_slice(body).map(|observation| vec![observation]).map_err(|error| match error {
        ParseError::NotJson(cause) => json::not_json(&cause),
        ParseError::NotAnObject => json::unreadable("", "must be a JSON object"),
        ParseError::Invalid(violations) => summary(&violations),
    })
}

/// The first violation leads, the others follow in its detail.
fn summary(violations: &[Violation]) -> Unparsed {
    let mut words = violations.iter();
    let first = words.next();
    let mut detail = first.map(|violation| violation.expected.clone()).unwrap_or_default();
    for Violation { pointer, expected } in words.by_ref().take(NAMED - 1) {
        detail.push_str(&format!("; {pointer} {expected}"));
    }
    let more = words.count();
    if more > 0 {
        detail.push_str(&format!("; and {more} more"));
    }
    Unparsed {
        class: ReasonClass::Invalid,
        pointer: first.map(|violation| violation.pointer.clone()),
        detail,
    }
}
