//! Telegram updates that are not what they should be.

use channels::{Unparsed, parse};
use domain::observation::Observation;
use domain::quarantine::ReasonClass;
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use serde_json::{Value, json};

/// Later than anything in the fixtures, and easy to tell from it.
fn received_at() -> Timestamp {
    Timestamp::parse("2026-01-01T00:00:00Z").unwrap()
}

fn read(update: &Value) -> Result<Vec<Observation>, Unparsed> {
    parse(SourceKind::Telegram, update.to_string().as_bytes(), received_at())
}

#[test]
fn an_update_without_its_number_is_unreadable() {
    for update in
        [json!({}), json!({ "update_id": "1" }), json!({ "update_id": 1.5 }), json!({ "update_id": null })]
    {
        let found = read(&update).unwrap_err();
        assert_eq!((found.class, found.pointer.as_deref()), (ReasonClass::Unreadable, Some("/update_id")));
    }
    let found = read(&json!([])).unwrap_err();
    assert_eq!((found.class, found.pointer.as_deref()), (ReasonClass::Unreadable, Some("")));
    let found = parse(SourceKind::Telegram, b"{", received_at()).unwrap_err();
    assert_eq!((found.class, found.pointer.as_deref()), (ReasonClass::Unreadable, None));
}

#[test]
fn what_a_message_must_have_is_asked_for_by_its_place() {
    let mut update = json!({ "update_id": 1, "message": {
        "date": 1_760_000_000, "chat": { "id": 1, "type": "private" }, "from": { "id": 1 }, "text": "a",
    } });
    assert!(read(&update).is_ok());
    for (pointer, value) in [
        ("/message/text", json!(1)),
        ("/message/text", json!("a\u{0}")),
        ("/message/text", json!("a".repeat(16_385))),
        ("/message/date", json!("today")),
        ("/message/date", json!(i64::MAX)),
        ("/message/date", json!(-1)),
        ("/message/chat/id", json!("1")),
        ("/message/chat/id", json!(null)),
        ("/message/chat", json!(null)),
        ("/message/from/id", json!(1.5)),
        ("/message", json!("hello")),
    ] {
        let right = update.pointer_mut(pointer).unwrap().take();
        *update.pointer_mut(pointer).unwrap() = value;
        let found = read(&update).unwrap_err();
        assert_eq!((found.class, found.pointer.as_deref()), (ReasonClass::Invalid, Some(pointer)));
        *update.pointer_mut(pointer).unwrap() = right;
    }
}

#[test]
fn a_message_dated_zero_is_dated_by_its_arrival() {
    let update = json!({ "update_id": 1, "message": { "date": 0, "chat": { "id": 1 }, "text": "a" } });
    assert_eq!(read(&update).unwrap()[0].occurred_at, received_at());
}

#[test]
fn two_members_in_one_update_are_two_observations_and_a_crowd_is_no_update() {
    let update = json!({ "update_id": 7, "a": {}, "b": {} });
    let ids: Vec<_> = read(&update).unwrap().into_iter().map(|observation| observation.native_id).collect();
    assert_eq!(ids, ["update:7", "update:7:1"]);

    let mut crowd: serde_json::Map<_, _> = (0..9).map(|n| (format!("kind_{n}"), json!({}))).collect();
    crowd.insert("update_id".to_owned(), json!(7));
    assert_eq!(read(&Value::Object(crowd)).unwrap_err().class, ReasonClass::Unreadable);
}

#[test]
fn a_key_that_is_no_name_is_not_passed_on() {
    let observation = read(&json!({ "update_id": 1, "79990000001": { "x": 1 } })).unwrap().remove(0);
    assert_eq!(observation.attributes["kind"], "unnamed");
}
