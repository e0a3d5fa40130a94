//! The event at the door.

use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::id::LeadId;
use domain::timestamp::Timestamp;
use event_schema::public::{MAX_VIOLATIONS, Violation, parse, print};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::strategies::{json, observation};

fn with(extra: Value) -> Value {
    let mut event = json!({
        "timestamp": "2025-01-01T12:34:56+03:00", "channel": "site", "session_id": "s-1", "action": "message",
    });
    let (Value::Object(event_keys), Value::Object(extra)) = (&mut event, extra) else {
        panic!("not objects")
    };
    event_keys.extend(extra);
    event
}

fn violations(event: Value) -> Vec<(String, String)> {
    let violations = parse(event).unwrap_err().into_iter();
    violations.map(|Violation { pointer, expected }| (pointer, expected)).collect()
}

#[test]
fn the_customers_own_event_is_accepted_unchanged() {
    let event =
        serde_json::from_str(include_str!("../../../../proto-schemas/json/examples/valid/customer.json"));
    let event = parse(event.unwrap()).unwrap();
    assert_eq!(event.occurred_at, Timestamp::parse("2025-01-01T09:34:56Z").unwrap());
    assert_eq!(event.channel, Channel::Telegram);
    assert_eq!(event.session, "sess_abc123");
    assert_eq!(event.user_hash.as_deref(), Some("sha256:xxxxx"));
    assert_eq!(event.intent.as_deref(), Some("appointment_booking"));
    assert_eq!(event.action, Action::CreateLead);
    assert_eq!(event.lead, Some(LeadId::from_number(5678)));
    assert_eq!(event.texts.assistant.as_deref(), Some("Мы записали вас на 10:00"));
    assert_eq!(event.confidence, Some(0.92));
    assert_eq!(event.given_hashes.raw_input.as_deref(), Some("sha256:yyyyy"));
    assert_eq!(event.actor, Actor::Assistant);
    assert!(event.event_id.is_none() && event.native_id.is_empty() && event.attributes.is_empty());
}

proptest! {
    #[test]
    fn what_is_printed_is_parsed_as_it_was(observation in observation()) {
        let parsed = parse(print(&observation));
        prop_assert!(parsed.as_ref() == Ok(&observation), "{parsed:?}: {}", print(&observation));
    }

    #[test]
    fn no_json_makes_the_parser_panic(value in json()) {
        let _any_answer = parse(value);
    }

    #[test]
    fn whatever_one_key_holds_the_parser_answers_without_quoting_it(
        key in prop::sample::select(vec![
            "event_id", "timestamp", "channel", "session_id", "actor", "action", "intent", "scenario", "crm_lead_id",
            "appointment", "consent", "contact", "user_hash", "user_text", "confidence", "response_time_ms", "model",
            "usage", "attributes", "some_key",
        ]),
        value in json(),
        marker in "[0-9]{11}",
    ) {
        let event = with(json!({ key: [value.clone(), marker, { &marker: "a\u{0}b" }], "other": { &marker: value } }));
        match parse(event) {
            Ok(observation) => prop_assert!(parse(print(&observation)) == Ok(observation)),
            Err(violations) => {
                prop_assert!(!violations.is_empty() && violations.len() <= MAX_VIOLATIONS);
                for Violation { pointer, expected } in violations {
                    prop_assert!(!pointer.contains(&marker) && !expected.contains(&marker));
                    prop_assert!(expected.starts_with("must ") || expected.starts_with("is required"), "{expected}");
                }
            }
        }
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let found = violations(
        json!({ "channel": "icq", "session_id": "", "crm_lead_id": "x", "contact": { "fax": "1" } }),
    );
    let pointers: Vec<_> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(
        pointers,
        ["/timestamp", "/channel", "/session_id", "/action", "/crm_lead_id", "/contact/fax"]
    );
}

#[test]
fn a_missing_key_is_pointed_at_and_described() {
    let mut event = with(json!({}));
    event.as_object_mut().unwrap().remove("timestamp");
    assert_eq!(
        violations(event),
        [(
            "/timestamp".to_owned(),
            "is required: RFC 3339 with an offset, such as 2025-01-01T12:34:56+03:00".to_owned()
        )]
    );
}

#[test]
fn what_is_no_object_has_the_empty_pointer() {
    assert_eq!(violations(json!([])), [(String::new(), "must be a JSON object".to_owned())]);
}

#[test]
fn a_blank_text_is_no_text_and_links_nobody() {
    let event =
        parse(with(json!({ "user_hash": " ", "contact": { "phone": "" }, "user_text": "\n" }))).unwrap();
    assert!(event.user_hash.is_none() && event.contact.is_empty() && event.texts.user.is_none());
}

#[test]
fn unknown_keys_and_given_attributes_are_kept_together() {
    let event = parse(with(json!({ "utm": "vk", "attributes": { "channel": 1 } }))).unwrap();
    assert_eq!(Value::Object(event.attributes), json!({ "utm": "vk", "channel": 1 }));
}

#[test]
fn an_attribute_given_in_two_places_is_not_chosen_from() {
    let found = violations(with(json!({ "utm": "vk", "attributes": { "utm": "site" } })));
    assert_eq!(found[0].0, "/attributes/utm");
}

#[test]
fn sixty_four_attributes_are_kept_and_sixty_five_are_too_many_wherever_they_stand() {
    let keys = |count: usize| -> Value {
        (0..count).map(|n| (format!("k{n}"), json!(n))).collect::<serde_json::Map<_, _>>().into()
    };
    assert!(parse(with(keys(64))).is_ok());
    assert_eq!(violations(with(keys(65)))[0].0, "/attributes");
    let mut split = with(keys(64));
    split["attributes"] = json!({ "more": 1 });
    assert_eq!(violations(split)[0].0, "/attributes");
}

#[test]
fn attributes_nest_thirty_two_deep_and_no_deeper() {
    let nested = |depth: usize| (1..depth).fold(json!(1), |inner, _| json!({ "a": inner }));
    assert!(parse(with(json!({ "deep": nested(32) }))).is_ok());
    let found = violations(with(json!({ "deep": nested(33) })));
    assert_eq!(found[0].1, "must be nested at most 32 deep");
}

#[test]
fn nul_is_refused_wherever_it_hides() {
    for (event, pointer) in [
        (json!({ "user_text": "a\u{0}" }), "/user_text"),
        (json!({ "contact": { "name": "\u{0}" } }), "/contact/name"),
        (json!({ "x": { "y": [1, "\u{0}"] } }), "/x/y/1"),
        (json!({ "x": { "\u{0}": 1 } }), "/x"),
        (json!({ "\u{0}": 1 }), ""),
        (json!({ "attributes": { "x/y": "\u{0}" } }), "/attributes/x~1y"),
    ] {
        let found = violations(with(event));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, pointer);
        assert!(found[0].1.contains("U+0000"), "{found:?}");
    }
}

#[test]
fn a_pointer_stops_before_a_key_that_may_be_personal() {
    let found = violations(with(json!({ "clients": { "+79990000001": ["\u{0}"] } })));
    assert_eq!(found[0].0, "/clients");
    let found = violations(with(json!({ "contact": { "anna@example.com": "" } })));
    assert_eq!(found[0].0, "/contact");
}

#[test]
fn a_thousand_things_wrong_are_cut_short() {
    let found = violations(with(json!({ "x": vec!["\u{0}"; 1000] })));
    assert_eq!(found.len(), MAX_VIOLATIONS);
}

#[test]
fn printing_sorts_keys_and_leaves_absent_ones_out() {
    let event = parse(with(json!({ "user_text": "", "intent": null, "b": { "z": 1, "a": 2 } }))).unwrap();
    assert_eq!(
        print(&event).to_string(),
        r#"{"action":"message","actor":"assistant","attributes":{"b":{"a":2,"z":1}},"channel":"site","session_id":"s-1","timestamp":"2025-01-01T09:34:56Z"}"#
    );
}
