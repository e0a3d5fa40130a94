//! Chats of Jivo's that are over, and come whole.

use channels::{Unparsed, parse};
use domain::action::Actor;
use domain::observation::Observation;
use domain::registry::SourceKind;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::damage::any_value;
use crate::meaning::received_at;

fn read(event: &Value) -> Result<Vec<Observation>, Unparsed> {
    parse(SourceKind::Jivo, event.to_string().as_bytes(), received_at())
}

fn over(messages: &[Value]) -> Value {
    json!({ "event_name": "chat_finished", "chat_id": 7, "visitor": { "name": "Анна", "phone": "+79990000001" },
        "chat": { "messages": messages } })
}

fn said(n: usize) -> Value {
    json!({ "type": "visitor", "timestamp": 1_760_000_000 + n, "message": format!("{n}") })
}

fn is_kept(seen: &&Observation) -> bool {
    seen.attributes.contains_key("unreadable")
}

#[test]
fn one_message_that_cannot_be_read_takes_no_other_of_its_chat_along_and_moves_none() {
    for (text, why) in [
        (json!("я".repeat(16_385)), "/message must be at most 16384 characters"),
        (json!(5), "/message must be text"),
        (json!("a\u{0}"), "/message must not contain the character U+0000"),
    ] {
        let bad = json!({ "type": "agent", "timestamp": 1_760_000_001, "message": text });
        let seen = read(&over(&[said(0), bad, said(2)])).unwrap();
        let whole = read(&over(&[said(0), said(1), said(2)])).unwrap();
        assert_eq!(seen.len(), 4);
        assert!(seen[0] == whole[0] && seen[2] == whole[2]);
        assert!(seen[2].native_id.starts_with("chat:7:2:"));
        assert_eq!(
            (seen[1].action.as_str(), seen[1].session.as_str()),
            ("unknown_update", "unreadable:messages")
        );
        assert_eq!(
            (&seen[1].attributes["kind"], &seen[1].attributes["unreadable"]),
            (&json!("messages"), &json!(why))
        );
        assert_eq!(seen[3].attributes["kind"], json!("chat_finished"));
    }
}

#[test]
fn what_is_no_list_of_messages_costs_no_more_than_itself() {
    let mut event = over(&[]);
    event["chat"]["messages"] = json!({ "0": said(0) });
    let seen = read(&event).unwrap();
    assert_eq!(seen[0].attributes["unreadable"], json!("/messages must be an array"));
    assert_eq!(seen[1].attributes["kind"], json!("chat_finished"));
}

#[test]
fn a_phone_that_is_a_number_is_a_phone_and_what_is_no_name_costs_a_name() {
    let mut event = over(&[said(0)]);
    event["visitor"] = json!({ "phone": 79_990_000_001_u64, "name": 5, "email": "a\u{0}" });
    let seen = read(&event).unwrap();
    assert_eq!((seen.len(), seen[0].texts.user.as_deref()), (2, Some("0")));
    for seen in seen {
        assert_eq!(seen.contact.phone.as_deref(), Some("79990000001"));
        assert_eq!((seen.contact.name, seen.contact.email), (None, None));
    }

    event["event_name"] = json!("offline_message");
    assert_eq!(read(&event).unwrap()[0].contact.phone.as_deref(), Some("79990000001"));
    let to_bot = json!({ "event": "CLIENT_MESSAGE", "id": "1", "chat_id": "2", "sender": { "phone": 79_990_000_001_u64 },
        "message": { "type": "TEXT", "text": "a" } });
    assert_eq!(read(&to_bot).unwrap()[0].contact.phone.as_deref(), Some("79990000001"));
}

#[test]
fn what_nobody_wrote_in_a_chat_carries_no_contact() {
    let seen =
        read(&over(&[said(0), json!({}), json!({ "type": "system", "message": "Анна ушла" })])).unwrap();
    let of = |n: usize| (seen[n].actor, seen[n].contact.is_empty());
    assert_eq!([of(0), of(1), of(2)], [(Actor::Client, false), (Actor::System, true), (Actor::System, true)]);
    assert!(!seen[3].contact.is_empty(), "of the chat as a whole");
}

#[test]
fn of_a_chat_a_thousand_messages_are_read_and_the_others_are_one_thing_that_says_how_many() {
    let messages: Vec<_> = (0..1_203).map(said).collect();
    let whole = read(&over(&messages[..1_000])).unwrap();
    assert!(whole.len() == 1_001 && !whole.iter().any(|seen| is_kept(&seen)));

    let seen = read(&over(&messages)).unwrap();
    let kept: Vec<_> = seen.iter().filter(is_kept).collect();
    assert_eq!((seen.len(), kept.len()), (1_002, 1));
    assert_eq!(
        kept[0].attributes["unreadable"],
        json!("/messages must hold at most 1000, and holds 203 more")
    );
    assert_eq!(kept[0].attributes["item"], json!(messages[1_000..]));
    let read_as = |seen: &[Observation]| {
        let messages = seen.iter().filter(|seen| seen.native_id.starts_with("chat:"));
        messages.map(|seen| seen.native_id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(read_as(&seen), read_as(&whole));
    assert_eq!(read(&over(&vec![json!({}); 100_000])).unwrap().len(), 1_002);
}

proptest! {
    #[test]
    fn whatever_stands_among_messages_of_a_chat_they_are_read(thing in any_value(), place in 0..3_usize) {
        let inside = json!({ "type": "agent", "timestamp": thing, "message": thing });
        for thing in [thing, inside] {
            let mut messages = vec![said(1), said(2)];
            messages.insert(place, thing);
            let seen = read(&over(&messages)).unwrap();
            let texts: Vec<_> = seen.iter().filter_map(|seen| seen.texts.user.as_deref()).collect();
            prop_assert_eq!((seen.len(), texts), (4, vec!["1", "2"]));
        }
    }

    #[test]
    fn whoever_the_visitor_is_the_chat_is_read(key in "phone|name|email|.{0,5}", thing in any_value()) {
        let mut event = over(&[said(1)]);
        event["visitor"][key] = thing.clone();
        prop_assert_eq!(read(&event).unwrap().len(), 2);
        event["visitor"] = thing;
        prop_assert_eq!(read(&event).unwrap().len(), 2);
    }
}
