//! Telegram updates that are not what they should be.

use channels::{Unparsed, parse};
use domain::action::Actor;
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

/// What a message means that holds this and was sent to the bot by a client.
fn from_client(inside: &Value) -> Observation {
    let mut message =
        json!({ "date": 1_760_000_000, "chat": { "id": 1, "type": "private" }, "from": { "id": 1 } });
    message.as_object_mut().unwrap().extend(inside.as_object().unwrap().clone());
    read(&json!({ "update_id": 1, "message": message })).unwrap().remove(0)
}

#[test]
fn the_words_of_a_rich_message_are_read_out_of_its_blocks() {
    let blocks = json!([
        { "type": "heading", "text": "Запись", "size": 1 },
        { "type": "paragraph", "text": ["Хочу ", { "type": "bold", "text": ["на ", { "type": "italic", "text": "пятницу" }] }] },
        { "type": "list", "items": [{ "blocks": [{ "type": "paragraph", "text": "в 10" }] }, { "blocks": [{ "type": "paragraph", "text": "в 12" }] }] },
        { "type": "table", "cells": [[{ "text": "Стрижка", "align": "left" }, { "text": "2000" }]], "caption": "Цены" },
        { "type": "details", "summary": "Ещё", "blocks": [{ "type": "photo", "photo": [], "caption": { "text": "Фото", "credit": "Анна" } }] },
        { "type": "divider" },
    ]);
    let seen = from_client(&json!({ "rich_message": { "blocks": blocks } }));
    let expected = "Запись\nХочу на пятницу\nв 10\nв 12\nСтрижка\t2000\nЦены\nЕщё\nФото\nАнна";
    assert_eq!(seen.texts.user.as_deref(), Some(expected));
    assert_eq!((seen.action.as_str(), &seen.attributes["attachment"]), ("message", &json!("rich_message")));

    let long = from_client(
        &json!({ "rich_message": { "blocks": [{ "type": "paragraph", "text": "я\u{0}".repeat(20_000) }] } }),
    );
    assert_eq!(long.texts.user.map(|text| text.chars().count()), Some(16_384));
    let empty = from_client(&json!({ "rich_message": { "blocks": [] } }));
    assert_eq!((empty.texts.user, empty.action.as_str()), (None, "message"));
}

#[test]
fn a_form_of_four_kilobytes_is_read_and_its_button_is_what_the_client_said() {
    let data = "x".repeat(4_096);
    let seen = from_client(&json!({ "web_app_data": { "button_text": "Записаться", "data": data } }));
    assert_eq!((seen.action.as_str(), seen.actor), ("button", Actor::Client));
    assert_eq!(seen.texts.user.as_deref(), Some("Записаться"));
    assert_eq!(seen.attributes["data"], json!(data));
}

#[test]
fn only_coming_and_going_is_told_as_such() {
    let member = |chat: &str, old: Value, new: Value| {
        let mut change = json!({ "date": 1_760_000_000, "chat": { "id": -5, "type": chat }, "from": { "id": 1 },
            "new_chat_member": new });
        if !old.is_null() {
            change["old_chat_member"] = old;
        }
        let seen = read(&json!({ "update_id": 1, "my_chat_member": change })).unwrap().remove(0);
        seen.action.as_str().to_owned()
    };
    let status = |status: &str| json!({ "status": status });
    let restricted = |inside: bool| json!({ "status": "restricted", "is_member": inside });
    assert_eq!(member("supergroup", status("member"), status("administrator")), "service_message");
    assert_eq!(member("supergroup", status("left"), status("kicked")), "service_message");
    assert_eq!(member("supergroup", status("administrator"), restricted(true)), "service_message");
    assert_eq!(member("supergroup", status("member"), restricted(false)), "bot_removed");
    assert_eq!(member("supergroup", restricted(false), status("member")), "bot_added");
    assert_eq!(member("channel", status("left"), status("administrator")), "bot_added");
    assert_eq!(member("group", json!(null), status("member")), "bot_added");
    assert_eq!(member("private", status("kicked"), status("kicked")), "bot_blocked");
}

#[test]
fn another_bot_is_a_client_and_a_bot_on_the_accounts_side_is_its_own() {
    let by = |from: i64, inside: Value| {
        let mut message = json!({ "from": { "id": from, "is_bot": true }, "text": "a" });
        message.as_object_mut().unwrap().extend(inside.as_object().unwrap().clone());
        from_client(&message)
    };
    let other = by(1, json!({}));
    assert_eq!((other.actor, other.attributes.get("is_bot")), (Actor::Client, Some(&json!(true))));
    assert_eq!(by(2, json!({})).actor, Actor::Assistant);
    let hidden = by(2, json!({ "chat": { "id": -7, "type": "supergroup" }, "sender_chat": { "id": -8 } }));
    assert_eq!((hidden.actor, hidden.attributes.get("is_bot")), (Actor::Client, None));
}

#[test]
fn what_is_said_of_a_message_does_not_name_it() {
    let beside = json!({ "forward_origin": {}, "reply_markup": {}, "via_bot": {}, "effect_id": "1", "guest_query_id": "1",
        "has_protected_content": true, "reply_to_message": {}, "video_chat_started": {} });
    let seen = from_client(&beside);
    assert_eq!(
        (seen.action.as_str(), &seen.attributes["kind"]),
        ("service_message", &json!("video_chat_started"))
    );
}

#[test]
fn who_calls_the_bot_as_a_guest_is_its_client_and_the_chat_it_was_in_is_nobodys() {
    let message = json!({ "message_id": 0, "date": 1_760_000_000, "chat": { "id": 7, "type": "private", "first_name": "Ольга" },
        "from": { "id": 5, "first_name": "Анна" }, "guest_query_id": "q", "text": "@salon_bot сколько стоит?" });
    let seen = read(&json!({ "update_id": 1, "guest_message": message })).unwrap().remove(0);
    assert_eq!((seen.session.as_str(), seen.actor), ("5", Actor::Client));
    assert_eq!(seen.contact.name.as_deref(), Some("Анна"));
    assert_eq!(seen.texts.user.as_deref(), Some("@salon_bot сколько стоит?"));
}

#[test]
fn a_rich_message_of_the_bots_is_kept_with_what_the_client_answers_to_it() {
    let blocks = json!([{ "type": "paragraph", "text": "Выберите время" }]);
    let said = json!({ "from": { "id": 2, "is_bot": true }, "rich_message": { "blocks": blocks } });
    let seen = from_client(&json!({ "text": "В 12", "reply_to_message": said }));
    assert_eq!(seen.attributes["in_reply_to"], json!("Выберите время"));
    let query = json!({ "id": "1", "from": { "id": 1 }, "data": "slot:12", "message": said });
    let seen = read(&json!({ "update_id": 1, "callback_query": query })).unwrap().remove(0);
    assert_eq!(seen.attributes["in_reply_to"], json!("Выберите время"));
}
