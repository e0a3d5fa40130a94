//! The event at the door.

use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::id::LeadId;
use domain::timestamp::Timestamp;
use event_schema::public::{MAX_VIOLATIONS, Violation, parse, print, print_content};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::strategies::{json, observation};
use crate::text::assert_read_alike;

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
    assert_read_alike(event.to_string().as_bytes());
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
    fn content_is_what_is_printed_with_sorted_keys_and_without_the_id(observation in observation()) {
        let mut printed = print(&observation);
        printed.as_object_mut().unwrap().remove("event_id");
        printed.sort_all_objects();
        prop_assert_eq!(String::from_utf8(print_content(&observation)).unwrap(), printed.to_string());
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

/// Digests of events accepted years ago were taken over this very text.
#[test]
fn an_event_with_every_key_is_printed_as_it_ever_was() {
    let event = parse(json!({
        "event_id": "0190b3a4-7c1e-7a3b-9d57-5f3c2b1a0e4d",
        "timestamp": "2025-01-01T12:34:56.5+03:00", "channel": "site", "session_id": "s-1", "actor": "client",
        "action": "book", "intent": "хочу \"записаться\"\n", "scenario": { "id": "booking", "version": "v1" },
        "crm_lead_id": 5678,
        "appointment": { "id": "rec-9", "starts_at": "2025-01-03T10:00:00Z", "service": "стрижка", "staff": "Анна" },
        "consent": { "purpose": "mailing", "granted": true, "text_version": "v3", "text_hash": "sha256:z" },
        "contact": { "phone": "+79990000001", "email": "a@b.c", "name": "Анна/\u{1}", "messenger_id": "1" },
        "user_hash": "u", "user_text": "ё\u{7f}\u{2028}", "assistant_response": "a", "confidence": 1,
        "response_time_ms": 812.0, "model": "m", "usage": { "input_tokens": 350, "output_tokens": 0 },
        "raw_input_hash": "r", "payload_hash": "p", "b": { "z": -0.0, "a": [1e21, { "y": null, "x": 0.1 }] },
    }));
    let text = concat!(
        r#"{"action":"book","actor":"client","appointment":{"id":"rec-9","service":"стрижка","staff":"Анна","#,
        r#""starts_at":"2025-01-03T10:00:00Z"},"assistant_response":"a","#,
        r#""attributes":{"b":{"a":[1e+21,{"x":0.1,"y":null}],"z":-0.0}},"channel":"site","confidence":1.0,"#,
        r#""consent":{"granted":true,"purpose":"mailing","text_hash":"sha256:z","text_version":"v3"},"#,
        r#""contact":{"email":"a@b.c","messenger_id":"1","name":"Анна/\u0001","phone":"+79990000001"},"#,
        r#""crm_lead_id":"BX-5678","intent":"хочу \"записаться\"\n","model":"m","payload_hash":"p","#,
        r#""raw_input_hash":"r","response_time_ms":812,"scenario":{"id":"booking","version":"v1"},"#,
        r#""session_id":"s-1","timestamp":"2025-01-01T09:34:56.5Z","usage":{"input_tokens":350,"#,
        r#""output_tokens":0},"user_hash":"u","user_text":"ё"#,
        "\u{7f}\u{2028}\"}",
    );
    let event = event.unwrap();
    assert_eq!(String::from_utf8(print_content(&event)).unwrap(), text);
    let with_id =
        text.replace("\"intent\"", "\"event_id\":\"0190b3a4-7c1e-7a3b-9d57-5f3c2b1a0e4d\",\"intent\"");
    assert_eq!(print(&event).to_string(), with_id);
}
