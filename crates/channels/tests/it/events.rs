//! The canonical event as a channel.

use channels::{Unparsed, parse};
use domain::quarantine::ReasonClass;
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;

const EVENT: &str = r#"{"timestamp":"2025-01-01T12:34:56+03:00","channel":"site","session_id":"s-\u0031","action":"message"}"#;

fn unparsed(body: &str) -> Unparsed {
    parse(SourceKind::Events, body.as_bytes(), Timestamp::EPOCH).unwrap_err()
}

#[test]
fn one_object_is_one_observation() {
    let observations = parse(SourceKind::Events, EVENT.as_bytes(), Timestamp::EPOCH).unwrap();
    assert_eq!(observations.len(), 1);
    assert_eq!(observations[0].session, "s-1");
    assert_eq!(observations[0].native_id, "");
}

#[test]
fn what_is_not_json_is_unreadable_with_line_and_column_and_without_content() {
    let found = unparsed("{\n  \"secret\": secret }");
    assert_eq!(found.class, ReasonClass::Unreadable);
    assert_eq!(found.pointer, None);
    assert_eq!(found.detail, "must be JSON; stops being so at line 2 column 13");
}

#[test]
fn ten_thousand_nested_arrays_a_lone_surrogate_and_an_empty_body_are_unreadable() {
    for body in ["[".repeat(10_000), r#"{"a":"\ud800"}"#.to_owned(), String::new(), "1e999".to_owned()] {
        assert_eq!(unparsed(&body).class, ReasonClass::Unreadable);
    }
    assert_eq!(unparsed("[]").pointer.as_deref(), Some(""));
}

#[test]
fn an_event_that_breaks_rules_is_invalid_and_the_first_five_are_named() {
    let found = unparsed("{}");
    assert_eq!(found.class, ReasonClass::Invalid);
    assert_eq!(found.pointer.as_deref(), Some("/timestamp"));
    assert!(found.detail.starts_with("is required: RFC 3339"), "{}", found.detail);
    assert!(found.detail.contains("; /channel is required"), "{}", found.detail);

    let found = unparsed(r#"{"intent":1,"model":2,"user_hash":3}"#);
    assert!(found.detail.ends_with("; and 2 more"), "{}", found.detail);
}
