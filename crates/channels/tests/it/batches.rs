//! Deliveries that tell of many things, some of which cannot be read.

use channels::{Unparsed, parse};
use domain::observation::Observation;
use domain::registry::SourceKind;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::damage::{any_value, spots};
use crate::meaning::received_at;

fn whatsapp(messages: Vec<Value>) -> Result<Vec<Observation>, Unparsed> {
    let change = json!({ "field": "messages", "value": { "messages": messages } });
    let body =
        json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [change] }] });
    parse(SourceKind::Whatsapp, body.to_string().as_bytes(), received_at())
}

fn said(n: usize) -> Value {
    json!({ "id": format!("wamid.{n}"), "from": "79990000001", "timestamp": "1760000000", "type": "text",
        "text": { "body": format!("{n}") } })
}

#[test]
fn one_thing_that_cannot_be_read_is_kept_with_where_and_why_and_takes_no_other_along() {
    let bad = json!({ "id": "wamid.9", "from": "79990000009", "timestamp": "yesterday", "type": "text" });
    let seen = whatsapp(vec![said(1), bad.clone(), said(2)]).unwrap();
    assert_eq!(seen.len(), 3);
    assert_eq!([&seen[0].native_id, &seen[2].native_id], ["message:wamid.1", "message:wamid.2"]);
    let kept = &seen[1];
    assert_eq!((kept.action.as_str(), kept.session.as_str()), ("unknown_update", "unreadable:messages"));
    assert_eq!(kept.attributes["kind"], json!("messages"));
    assert_eq!(kept.attributes["unreadable"], json!("/timestamp must be seconds or milliseconds since 1970"));
    assert_eq!(kept.attributes["item"], bad);
}

#[test]
fn what_concerns_the_account_is_called_by_its_key_only_if_that_is_a_name() {
    let session = |key: &str| {
        let item = json!({ "recipient": { "id": "682" }, "timestamp": 1_458_692_752_478_u64, key: {} });
        let body = json!({ "object": "page", "entry": [{ "id": "682", "messaging": [item] }] });
        parse(SourceKind::Instagram, body.to_string().as_bytes(), received_at()).unwrap().remove(0).session
    };
    assert_eq!(session("policy_enforcement"), "change:policy_enforcement");
    assert_eq!(session("policy\u{7f}enforcement"), "change:unnamed");
}

#[test]
fn the_same_unreadable_thing_again_is_the_same_event() {
    let bad = || json!({ "id": "wamid.9" });
    let ids = |seen: Vec<Observation>| seen.into_iter().map(|seen| seen.native_id).collect::<Vec<_>>();
    let (first, again) = (whatsapp(vec![said(1), bad()]).unwrap(), whatsapp(vec![bad(), said(2)]).unwrap());
    assert_eq!(ids(first)[1], ids(again)[0]);
}

#[test]
fn a_delivery_of_which_nothing_can_be_read_is_refused_with_the_way_from_its_root() {
    let unparsed = whatsapp(vec![json!({ "id": "a" }), json!({ "id": "b" })]).unwrap_err();
    assert_eq!(unparsed.pointer.as_deref(), Some("/entry/0/changes/0/value/messages/0/timestamp"));
}

#[test]
fn a_delivery_with_more_nonsense_than_messengers_send_does_not_grow_into_as_many_events() {
    let with = |nonsense: usize| whatsapp([vec![said(1)], vec![json!({}); nonsense], vec![said(2)]].concat());
    assert_eq!(with(1_000).unwrap().len(), 1_002);
    assert_eq!(with(1_001).unwrap_err().pointer.as_deref(), Some("/entry/0/changes/0/value/messages/1/id"));
}

#[test]
fn what_is_no_list_is_told_as_the_thing_it_stands_in() {
    let good = json!({ "field": "messages", "value": { "messages": [said(1)] } });
    let bad = json!({ "field": "messages", "value": { "messages": 5 } });
    let body = json!({ "object": "whatsapp_business_account",
        "entry": [{ "changes": [good] }, { "changes": [bad] }, { "changes": 7 }] });
    let seen = parse(SourceKind::Whatsapp, body.to_string().as_bytes(), received_at()).unwrap();
    let why: Vec<_> = seen.iter().filter_map(|seen| seen.attributes.get("unreadable")).collect();
    assert_eq!(why, [&json!("/messages must be an array"), &json!("/changes must be an array")]);
}

#[test]
fn a_contact_of_whatsapps_that_cannot_be_read_costs_a_name_and_no_message() {
    let with = |contacts: Value| {
        let value = json!({ "contacts": contacts, "messages": [said(1)], "statuses": [
            { "id": "wamid.2", "status": "read", "timestamp": "1760000000", "recipient_id": "79990000002" }] });
        let body = json!({ "object": "whatsapp_business_account",
            "entry": [{ "changes": [{ "field": "messages", "value": value }] }] });
        parse(SourceKind::Whatsapp, body.to_string().as_bytes(), received_at()).unwrap()
    };
    let known = json!({ "wa_id": "79990000002", "profile": { "name": "Олег" } });
    for name in [json!(5), json!("a\u{0}"), json!("я".repeat(257))] {
        let seen =
            with(json!([{ "wa_id": "79990000001", "user_id": "RU.1", "profile": { "name": name } }, known]));
        let names: Vec<_> = seen.iter().map(|seen| seen.contact.name.as_deref()).collect();
        assert_eq!(names, [None, Some("Олег")]);
        assert_eq!((seen[0].session.as_str(), seen[0].texts.user.as_deref()), ("RU.1", Some("1")));
    }
    for contacts in [json!(5), json!({}), json!([7, "Анна", null, { "profile": [] }])] {
        let ids: Vec<_> = with(contacts).into_iter().map(|seen| seen.native_id).collect();
        assert_eq!(ids, ["message:wamid.1", "status:wamid.2:read"]);
    }
}

#[test]
fn in_instagram_the_neighbours_of_what_cannot_be_read_stay_what_they_are() {
    let ends = || json!({ "sender": { "id": "5" }, "recipient": { "id": "1" }, "timestamp": 1 });
    let with = |inside: Value| {
        let mut item = ends();
        item.as_object_mut().unwrap().extend(inside.as_object().unwrap().clone());
        item
    };
    let messaging = [
        with(json!({ "message": { "text": "a" } })),
        with(json!({ "message": { "mid": "m", "text": "b" } })),
    ];
    let body = json!({ "object": "instagram", "entry": [{ "id": "1", "time": 1, "messaging": messaging }] });
    let seen = parse(SourceKind::Instagram, body.to_string().as_bytes(), received_at()).unwrap();
    assert_eq!(seen[0].attributes["unreadable"], json!("/message/mid is required"));
    assert_eq!((seen[1].native_id.as_str(), seen[1].texts.user.as_deref()), ("message:m", Some("b")));
}

proptest! {
    #[test]
    fn whatever_stands_among_messages_they_are_read(thing in any_value(), place in 0..3_usize) {
        let mut messages = vec![said(1), said(2)];
        messages.insert(place, thing.clone());
        let seen = whatsapp(messages).unwrap();
        let good = seen.iter().filter(|seen| seen.native_id.starts_with("message:wamid.")).count();
        prop_assert_eq!((seen.len(), good), (3, 2));

        let ends = json!({ "sender": { "id": "5" }, "recipient": { "id": "1" }, "timestamp": 1, "message": { "mid": "m" } });
        let mut messaging = vec![ends];
        messaging.insert(place.min(1), thing);
        let body = json!({ "object": "instagram", "entry": [{ "id": "1", "time": 1, "messaging": messaging }] });
        let seen = parse(SourceKind::Instagram, body.to_string().as_bytes(), received_at()).unwrap();
        prop_assert_eq!(seen.len(), 2);
        prop_assert!(seen.iter().any(|seen| seen.native_id == "message:m"));
    }

    #[test]
    fn a_message_with_something_broken_off_leaves_its_neighbours_alone(spot in any::<Index>(), value in any_value()) {
        let mut broken = said(3);
        let mut found = Vec::new();
        spots(&broken, "", &mut found);
        *broken.pointer_mut(spot.get(&found).as_str()).unwrap() = value;
        let ids: Vec<_> = whatsapp(vec![said(1), broken, said(2)]).unwrap().into_iter().map(|seen| seen.native_id).collect();
        prop_assert!(ids.len() == 3 && ids[0] == "message:wamid.1" && ids[2] == "message:wamid.2");
    }
}
