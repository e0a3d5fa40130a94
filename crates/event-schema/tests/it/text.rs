//! The event at the door as a text: read without a value in between, with the same answer.

use domain::channel::Channel;
use event_schema::public::{parse, parse_slice, parse_str, print};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::strategies::{json, observation};

/// The text of an event, right or wrong, with keys that come more than once.
fn text() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        4 => prop::sample::select(vec![
            "event_id", "timestamp", "channel", "session_id", "actor", "action", "intent", "scenario", "crm_lead_id",
            "appointment", "consent", "contact", "user_hash", "user_text", "assistant_response", "confidence",
            "response_time_ms", "model", "usage", "raw_input_hash", "payload_hash", "attributes",
        ]).prop_map(str::to_owned),
        1 => "[a-c]\u{0}?|\\PC{0,3}",
    ];
    let entry = |(key, value): (String, Value)| format!("{}: {value}", Value::from(key));
    let right = observation()
        .prop_map(|observation| match print(&observation) {
            Value::Object(keys) => keys.into_iter().collect::<Vec<_>>(),
            _ => Vec::new(),
        })
        .boxed();
    let wrong = prop::collection::vec((key, json()), 0..6).boxed();
    let event = (right.clone(), wrong.clone(), right).prop_map(move |(first, between, last)| {
        let take_last = between.len() % 2 == 0;
        let entries = first.into_iter().chain(between).chain(last.into_iter().filter(|_| take_last));
        format!("{{{}}}", entries.map(entry).collect::<Vec<_>>().join(" ,\n"))
    });
    prop_oneof![8 => event, 1 => wrong.prop_map(|keys| Value::from_iter(keys).to_string()), 1 => json().prop_map(|json| json.to_string())]
}

/// Straight from a text or through a value: the same event, the same violations, the same words about JSON.
pub(crate) fn assert_read_alike(text: &[u8]) {
    let through_value = match serde_json::from_slice(text) {
        Ok(value) => Ok(parse(value)),
        Err(error) => Err(error.to_string()),
    };
    let straight = match parse_slice(text) {
        Ok(observation) => Ok(Ok(observation)),
        Err(error) => error.into_violations().map(Err).map_err(|error| error.to_string()),
    };
    assert_eq!(straight, through_value);
    if let Ok(text) = str::from_utf8(text) {
        assert_eq!(parse_str(text).is_ok(), matches!(straight, Ok(Ok(_))));
    }
}

proptest! {
    #[test]
    fn a_text_is_read_as_the_value_it_stands_for(text in text()) {
        assert_read_alike(text.as_bytes());
    }

    #[test]
    fn a_text_that_breaks_off_or_is_damaged_is_refused_as_the_value_would_be(
        text in text(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut text = text.into_bytes();
        let at = at.index(text.len());
        assert_read_alike(&text[..at]);
        text[at] = byte;
        assert_read_alike(&text);
    }
}

#[test]
fn of_a_key_given_twice_the_last_one_counts() {
    let event = r#"{"timestamp":"2025-01-01T00:00:00Z","channel":1,"session_id":"s","action":"book","x":1,
        "channel":"site","x":2,"user_text":"a","user_text":null}"#;
    let event = parse_str(event).unwrap();
    assert_eq!((event.channel, event.texts.user), (Channel::Site, None));
    assert_eq!(Value::Object(event.attributes), json!({ "x": 2 }));
}

#[test]
fn what_is_no_event_is_refused_alike_as_text_and_as_value() {
    for text in [
        "",
        " ",
        "null",
        "true",
        "-1",
        "1e999",
        "\"\\ud800\"",
        "[",
        "[1, 2",
        "[1e999]",
        "{",
        "{}",
        "{} x",
        "{\"a\":1e999}",
        "{\"channel\":1e999}",
        "{\"channel\":\"\\u0000\"}",
        "{\"user_text\":\"\\ud83d\\ude00\"}",
        "{a:1}",
        "{\"a\" 1}",
        "{1:1}",
    ] {
        assert_read_alike(text.as_bytes());
    }
    assert_read_alike(b"{\"user_text\":\"\xff\"}");
    for depth in [126, 127, 128] {
        assert_read_alike(format!("{}{}", "[".repeat(depth), "]".repeat(depth)).as_bytes());
        assert_read_alike(format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth)).as_bytes());
        assert_read_alike(
            format!("{{\"usage\":{}1{}}}", "{\"a\":".repeat(depth), "}".repeat(depth)).as_bytes(),
        );
    }
}
