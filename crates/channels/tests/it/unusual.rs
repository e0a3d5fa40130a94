//! What messengers are known to do and fixtures do not show.

use channels::parse;
use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::observation::Observation;
use domain::registry::SourceKind;
use serde_json::{Value, json};

use crate::fixtures;
use crate::meaning::received_at;

fn read(kind: SourceKind, body: &Value) -> Vec<Observation> {
    parse(kind, body.to_string().as_bytes(), received_at()).unwrap()
}

/// The one thing a body means.
fn only(kind: SourceKind, body: &Value) -> Observation {
    let observations = read(kind, body);
    assert_eq!(observations.len(), 1);
    observations.into_iter().next().unwrap()
}

#[test]
fn what_a_messenger_says_itself_begins_no_conversation_whoever_it_names_as_the_author() {
    for (kind, name) in [
        (SourceKind::Avito, "system-author0"),
        (SourceKind::Avito, "system-in-the-name-of-the-account"),
        (SourceKind::Avito, "system-in-the-name-of-a-stranger"),
        (SourceKind::Wazzup, "system"),
        (SourceKind::Max, "channel-post"),
        (SourceKind::Vk, "message-new-chat-action"),
    ] {
        let seen = parse(kind, &fixtures::one(kind, name), received_at()).unwrap().remove(0);
        assert_eq!(seen.actor, Actor::System, "{kind} {name}");
        assert!(matches!(seen.action, Action::Other(_)), "{kind} {name}");
        assert_eq!((seen.texts.user, seen.texts.assistant), (None, None), "{kind} {name}");
    }
}

#[test]
fn a_message_of_avitos_taken_back_is_another_event_than_the_message() {
    let read = |kind: &str| {
        only(
            SourceKind::Avito,
            &json!({ "id": "1", "timestamp": 1_776_384_060, "payload": { "type": "message", "value": {
                "id": "m-1", "chat_id": "u2i-1", "user_id": 7, "author_id": 5, "created": 1_776_384_000, "type": kind,
                "content": { "text": "Здравствуйте" } } } }),
        )
    };
    let (said, taken_back) = (read("text"), read("deleted"));
    assert_eq!(
        (said.native_id.as_str(), taken_back.native_id.as_str()),
        ("message:m-1", "message:m-1:deleted")
    );
    assert_eq!(taken_back.occurred_at.unix_micros() - said.occurred_at.unix_micros(), 60_000_000);
}

#[test]
fn a_bot_of_max_that_is_named_as_its_own_recipient_is_not_the_client() {
    let by_bot = |recipient: i64| {
        let message = json!({ "timestamp": 1_775_025_603_499_i64, "body": { "mid": "1", "text": "Да" },
            "sender": { "user_id": 7, "is_bot": true },
            "recipient": { "chat_id": 5, "chat_type": "dialog", "user_id": recipient } });
        only(SourceKind::Max, &json!({ "update_type": "message_created", "message": message }))
    };
    assert_eq!(by_bot(9).contact.messenger_id.as_deref(), Some("9"));
    assert_eq!(by_bot(7).contact.messenger_id, None);
}

#[test]
fn in_a_group_chat_of_vk_only_this_community_is_the_assistant() {
    let by = |author: i64, group: Option<i64>| {
        let message = json!({ "date": 1, "from_id": author, "peer_id": 2_000_000_001, "text": "Да" });
        only(
            SourceKind::Vk,
            &json!({ "type": "message_new", "event_id": "e", "group_id": group, "object": { "message": message } }),
        )
        .actor
    };
    assert_eq!(by(-222, Some(222)), Actor::Assistant);
    assert_eq!(by(-999, Some(222)), Actor::Client);
    assert_eq!(by(-999, None), Actor::Assistant, "whose else nobody knows");
    assert_eq!(by(i64::MIN, Some(222)), Actor::Client);
}

fn whatsapp(value: &Value) -> Value {
    json!({ "object": "whatsapp_business_account", "entry": [
        { "id": "1", "changes": [{ "field": "messages", "value": value }] },
    ] })
}

#[test]
fn a_whatsapp_client_without_a_number_is_known_by_the_user_id_alone() {
    let longest = format!("RU.{}", "a1".repeat(64));
    let seen = only(
        SourceKind::Whatsapp,
        &whatsapp(&json!({
            "contacts": [{ "profile": { "name": "Анна", "username": "anna" }, "user_id": longest }],
            "messages": [{ "id": "wamid.1", "from_user_id": longest, "timestamp": "1760000000", "type": "text",
                "text": { "body": "Здравствуйте" } }],
        })),
    );
    assert_eq!((seen.session.as_str(), seen.contact.phone.as_deref()), (longest.as_str(), None));
    assert_eq!(seen.contact.messenger_id.as_deref(), Some(longest.as_str()));
    assert_eq!(seen.contact.name.as_deref(), Some("Анна"));
}

#[test]
fn whatsapp_contacts_go_with_messages_by_their_ids_and_not_by_their_places() {
    let observations = read(
        SourceKind::Whatsapp,
        &whatsapp(&json!({
            "contacts": [
                { "profile": { "name": "Олег" }, "wa_id": "79990000002" },
                { "profile": { "name": "Анна" }, "wa_id": "79990000001" },
            ],
            "messages": [
                { "id": "1", "from": "79990000001", "timestamp": "1760000000", "type": "text", "text": { "body": "a" } },
                { "id": "2", "from": "79990000003", "timestamp": "1760000000", "type": "text", "text": { "body": "b" } },
            ],
        })),
    );
    let names: Vec<_> = observations.iter().map(|seen| seen.contact.name.as_deref()).collect();
    assert_eq!(names, [Some("Анна"), None]);
}

#[test]
fn a_thousand_whatsapp_updates_in_one_body_are_a_thousand_events() {
    let messages: Vec<_> = (0..1_000)
        .map(|n| {
            json!({ "id": format!("wamid.{n}"), "from": "79990000001", "timestamp": "1760000000", "type": "text",
            "text": { "body": format!("{n}") } })
        })
        .collect();
    let observations = read(SourceKind::Whatsapp, &whatsapp(&json!({ "messages": messages })));
    assert_eq!(observations.len(), 1_000);
}

#[test]
fn whatsapps_empty_reaction_takes_one_back_and_a_field_of_the_future_is_kept() {
    let reaction = |inside: Value| {
        let message = json!({ "id": "1", "from": "79990000001", "timestamp": "1760000000", "type": "reaction",
            "reaction": inside });
        only(SourceKind::Whatsapp, &whatsapp(&json!({ "messages": [message] })))
    };
    for gone in [json!({ "message_id": "2" }), json!({ "message_id": "2", "emoji": "" })] {
        assert_eq!(reaction(gone).action.as_str(), "reaction_removed");
    }
    assert_eq!(reaction(json!({ "message_id": "2", "emoji": "👍" })).action.as_str(), "reaction");

    let future = json!({ "object": "whatsapp_business_account", "entry": [
        { "id": "1", "changes": [{ "field": "group_lifecycle_update", "value": { "groups": [] } }] },
    ] });
    let seen = only(SourceKind::Whatsapp, &future);
    assert_eq!(
        (seen.action.as_str(), &seen.attributes["kind"]),
        ("unknown_update", &json!("group_lifecycle_update"))
    );
}

fn instagram(item: &Value) -> Value {
    json!({ "object": "instagram", "entry": [{ "id": "17841400000000001", "time": 1_761_287_298, "messaging": [item] }] })
}

#[test]
fn instagrams_echo_is_the_business_and_belongs_to_the_clients_conversation() {
    let echo = |message: Value| {
        only(
            SourceKind::Instagram,
            &instagram(&json!({ "sender": { "id": "17841400000000001" }, "recipient": { "id": "123" },
                "timestamp": 1_761_287_294_014_i64, "message": message })),
        )
    };
    let by_person = echo(json!({ "mid": "1", "is_echo": true, "text": "Ждём вас" }));
    assert_eq!((by_person.session.as_str(), by_person.actor), ("123", Actor::Staff));
    assert_eq!(by_person.texts.assistant.as_deref(), Some("Ждём вас"));
    assert_eq!(echo(json!({ "mid": "1", "is_echo": true, "app_id": 7 })).actor, Actor::Assistant);
}

#[test]
fn a_message_taken_back_in_instagram_is_another_event_than_the_message() {
    let said = |message: Value| {
        let item = json!({ "sender": { "id": "123" }, "recipient": { "id": "17841400000000001" }, "timestamp": 1, "message": message });
        only(SourceKind::Instagram, &instagram(&item))
    };
    let (first, gone) =
        (said(json!({ "mid": "1", "text": "a" })), said(json!({ "mid": "1", "is_deleted": true })));
    assert_eq!(gone.action.as_str(), "delete");
    assert_ne!(first.native_id, gone.native_id);
}

#[test]
fn what_comes_beside_a_message_hides_it_not_and_what_nobody_knows_is_kept() {
    let item = |inside: Value| {
        let mut item = json!({ "sender": { "id": "5" }, "recipient": { "id": "1" }, "timestamp": 1 });
        item.as_object_mut().unwrap().extend(inside.as_object().unwrap().clone());
        only(SourceKind::Instagram, &instagram(&item))
    };
    let beside = json!({ "app_context": { "a": 1 }, "message": { "mid": "m", "text": "a" } });
    assert_eq!(item(beside).action, Action::Message);
    let unknown = item(json!({ "take_thread_control": { "previous_owner_app_id": 1 } }));
    assert_eq!((unknown.action.as_str(), unknown.actor), ("unknown_update", Actor::System));
    assert_eq!(unknown.attributes["kind"], json!("take_thread_control"));
}

#[test]
fn what_stands_by_and_what_comes_wrapped_is_read_and_messenger_is_another_channel() {
    let item = json!({ "sender": { "id": "5" }, "recipient": { "id": "1" }, "timestamp": 1, "message": { "mid": "m", "text": "a" } });
    let body = json!([{ "object": "page", "entry": [{ "id": "1", "time": 1, "standby": [item] }] }]);
    assert_eq!(only(SourceKind::Instagram, &body).channel, Channel::Other);
}

#[test]
fn both_forms_of_instagrams_comments_are_one_comment() {
    let value = json!({ "id": "c1", "from": { "id": "123", "username": "anna" }, "text": "Сколько?", "media": { "id": "m" } });
    let entry = |inside: Value| {
        let mut entry = json!({ "id": "17841400000000001", "time": 1_761_287_298 });
        entry.as_object_mut().unwrap().extend(inside.as_object().unwrap().clone());
        only(SourceKind::Instagram, &json!({ "object": "instagram", "entry": [entry] }))
    };
    let flat = entry(json!({ "field": "comments", "value": value }));
    let listed = entry(json!({ "changes": [{ "field": "comments", "value": value }] }));
    assert!(flat == listed);
}

#[test]
fn vks_reply_that_names_an_administrator_was_written_by_a_person() {
    let reply = |admin: Value| {
        let mut object =
            json!({ "date": 1_683_278_670, "from_id": -214, "peer_id": 100, "id": 1, "out": 1, "text": "a" });
        if !admin.is_null() {
            object["admin_author_id"] = admin;
        }
        only(SourceKind::Vk, &json!({ "type": "message_reply", "event_id": "e", "object": object })).actor
    };
    assert_eq!([reply(json!(7)), reply(json!(null))], [Actor::Staff, Actor::Assistant]);
}

#[test]
fn vks_button_is_the_clients_and_its_payload_is_kept() {
    let event = json!({ "user_id": 100, "peer_id": 100, "event_id": "x", "payload": { "slot": 12 } });
    let seen = only(SourceKind::Vk, &json!({ "type": "message_event", "event_id": "e", "object": event }));
    assert_eq!((seen.action.as_str(), seen.actor), ("button", Actor::Client));
    assert_eq!(seen.attributes["data"], json!("{\"slot\":12}"));
}

#[test]
fn maxs_numbers_above_what_a_double_can_tell_apart_stay_apart() {
    let said = |id: &str, seq: u64| {
        let message = json!({ "recipient": { "chat_id": 9_007_199_254_740_993_i64, "chat_type": "chat" }, "timestamp": 1_775_025_603_399_i64,
            "body": { "mid": id, "seq": seq, "text": "a" }, "sender": { "user_id": 1, "is_bot": false } });
        only(
            SourceKind::Max,
            &json!({ "update_type": "message_created", "timestamp": 1, "message": message }),
        )
    };
    let seen = said("m1", 116_327_994_376_978_687);
    assert_eq!(seen.session, "9007199254740993");
    assert_ne!(seen.native_id, said("m2", 116_327_994_376_978_688).native_id);
}

#[test]
fn a_card_of_somebody_else_in_max_gives_nobody_a_phone() {
    let shared = |owner: Value| {
        let attachment = json!({ "type": "contact", "payload": {
            "vcf_info": "BEGIN:VCARD\nFN:Анна\nitem1.TEL;TYPE=cell;VALUE=uri:tel:+79990000001\nEND:VCARD", "max_info": owner } });
        let message = json!({ "recipient": { "chat_id": 1, "chat_type": "dialog" }, "timestamp": 1_775_025_603_399_i64,
            "body": { "mid": "m", "text": null, "attachments": [attachment] }, "sender": { "user_id": 7, "is_bot": false } });
        only(
            SourceKind::Max,
            &json!({ "update_type": "message_created", "timestamp": 1, "message": message }),
        )
        .contact
        .phone
    };
    assert_eq!(shared(json!({ "user_id": 7 })).as_deref(), Some("+79990000001"));
    assert_eq!([shared(json!({ "user_id": 8 })), shared(json!(null))], [None, None]);
}

#[test]
fn wazzups_echo_from_its_own_chat_was_written_by_a_person() {
    let echo = |from_app: bool| {
        let message = json!({ "messageId": "1", "dateTime": "2025-05-06T14:16:00.002Z", "chatType": "max", "chatId": "1",
            "type": "text", "isEcho": true, "sentFromApp": from_app, "text": "a", "status": "sent" });
        only(SourceKind::Wazzup, &json!({ "messages": [message] }))
    };
    assert_eq!((echo(true).actor, echo(false).actor), (Actor::Staff, Actor::Assistant));
    assert_eq!(echo(true).channel, Channel::Max);
}

#[test]
fn avitos_account_speaks_for_itself() {
    let value = json!({ "id": "1", "chat_id": "c", "user_id": 7, "author_id": 7, "created": 1_776_384_000, "type": "image", "content": {} });
    let seen = only(SourceKind::Avito, &json!({ "payload": { "type": "message", "value": value } }));
    assert_eq!((seen.actor, seen.contact.messenger_id), (Actor::Assistant, None));
    assert_eq!(seen.attributes["attachment"], json!("photo"));
}

fn record(data: &Value, status: &str) -> Observation {
    only(
        SourceKind::Yclients,
        &json!({ "company_id": 1, "resource": "record", "resource_id": 5, "status": status, "data": data }),
    )
}

#[test]
fn of_a_record_the_visit_decides_then_the_attendance_and_a_deleted_one_is_cancelled() {
    let at = |attendance: i64| record(&json!({ "attendance": attendance }), "update").action;
    assert_eq!(
        [at(-1), at(0), at(1), at(2), at(7)],
        [Action::NoShow, Action::Book, Action::Attend, Action::Confirm, Action::Book]
    );
    assert_eq!(record(&json!({ "visit_attendance": -1, "attendance": 1 }), "create").action, Action::NoShow);
    assert_eq!(record(&json!({ "attendance": 1, "deleted": true }), "update").action, Action::Cancel);
    assert_eq!(record(&json!({ "attendance": 0 }), "delete").action, Action::Cancel);
}

#[test]
fn a_record_without_a_client_and_with_both_ways_to_write_an_offset_is_read() {
    let seen = record(
        &json!({ "client": null, "datetime": "2025-07-12T12:10:00+05:00", "last_change_date": "2025-07-13T00:15:24+0500",
            "date": "2025-07-12 12:10:00" }),
        "update",
    );
    assert!(seen.contact.is_empty());
    assert_eq!(seen.occurred_at.to_string(), "2025-07-12T19:15:24Z");
    let starts_at = seen.appointment.and_then(|appointment| appointment.starts_at).unwrap();
    assert_eq!(starts_at.to_string(), "2025-07-12T07:10:00Z");
}

#[test]
fn a_time_of_the_salons_own_is_not_taken_for_one_of_ours() {
    let seen = record(
        &json!({ "datetime": "2025-07-12T12:10:00", "last_change_date": "2025-07-13 00:15:24" }),
        "update",
    );
    assert_eq!(seen.occurred_at, received_at());
    assert_eq!(seen.appointment.and_then(|appointment| appointment.starts_at), None);
}

#[test]
fn what_only_looks_like_an_offset_is_a_mistake_and_nothing_worse() {
    for written in ["2025-07-12T12:10:00+€1", "2025-07-12T12:10:00+0a00", "2025-07-12T12:10:0€0500"] {
        let data = json!({ "last_change_date": written });
        let body = json!({ "resource": "record", "resource_id": 5, "status": "update", "data": data });
        let found = parse(SourceKind::Yclients, body.to_string().as_bytes(), received_at());
        if let Err(unparsed) = found {
            assert_eq!(unparsed.pointer.as_deref(), Some("/data/last_change_date"));
        }
    }
}

#[test]
fn money_that_goes_back_is_no_payment() {
    let operation = |amount: i64| {
        let body = json!({ "resource": "finances_operation", "status": "create", "resource_id": 1, "company_id": 1,
            "data": { "amount": amount, "record_id": 5 } });
        only(SourceKind::Yclients, &body).action
    };
    assert_eq!(operation(2_500), Action::Pay);
    assert_eq!(operation(-2_500).as_str(), "finances_operation");
}

#[test]
fn in_a_whatsapp_group_the_conversation_is_the_groups_and_the_contact_who_wrote() {
    let message = json!({ "id": "1", "from": "79990000001", "group_id": "Y2Fw", "timestamp": "1760000000", "type": "text",
        "text": { "body": "a" } });
    let seen = only(SourceKind::Whatsapp, &whatsapp(&json!({ "messages": [message] })));
    assert_eq!((seen.session.as_str(), seen.contact.phone.as_deref()), ("Y2Fw", Some("+79990000001")));
    let echo = json!({ "id": "2", "from": "100", "to": "Y2Fw", "group_id": "Y2Fw", "timestamp": "1760000000", "type": "text",
        "text": { "body": "a" } });
    let seen = only(SourceKind::Whatsapp, &whatsapp(&json!({ "message_echoes": [echo] })));
    assert!(seen.session == "Y2Fw" && seen.contact.is_empty());
}

#[test]
fn each_participant_of_an_unnamed_whatsapp_group_has_steps_of_their_own() {
    let read_by = |recipient: Value| {
        let mut status = json!({ "id": "wamid.1", "status": "read", "timestamp": "1760000000" });
        status.as_object_mut().unwrap().extend(recipient.as_object().unwrap().clone());
        only(SourceKind::Whatsapp, &whatsapp(&json!({ "statuses": [status] })))
    };
    let seen = ["RU.1", "RU.2"].map(|user| read_by(json!({ "recipient_participant_user_id": user })));
    let ids = seen.each_ref().map(|seen| seen.native_id.as_str());
    assert_eq!(ids, ["status:wamid.1:read:RU.1", "status:wamid.1:read:RU.2"]);
    assert_eq!(seen.map(|seen| seen.session), ["RU.1", "RU.2"]);
    for alone in [
        json!({ "recipient_id": "79990000001" }),
        json!({ "recipient_user_id": "RU.1" }),
        json!({ "group_id": "Y2Fw" }),
    ] {
        assert_eq!(read_by(alone).native_id, "status:wamid.1:read");
    }
}

#[test]
fn what_a_whatsapp_client_says_of_calls_and_what_becomes_of_calls_is_no_message() {
    let status = |about: Value| {
        let mut status = json!({ "id": "1", "recipient_id": "79990000001", "status": "failed", "timestamp": "1760000000" });
        if !about.is_null() {
            status["type"] = about;
        }
        only(SourceKind::Whatsapp, &whatsapp(&json!({ "statuses": [status] })))
    };
    assert_eq!(status(json!("payment")).action.as_str(), "service_message");
    for plain in [json!(null), json!("message")] {
        assert_eq!(status(plain).action.as_str(), "message_failed");
    }
}

#[test]
fn a_message_whose_ends_are_missing_is_not_taken_for_a_notice() {
    let body = instagram(
        &json!({ "recipient": { "id": "1" }, "timestamp": 1, "message": { "mid": "m", "text": "a" } }),
    );
    let unparsed = parse(SourceKind::Instagram, body.to_string().as_bytes(), received_at()).unwrap_err();
    assert_eq!(unparsed.pointer.as_deref(), Some("/entry/0/messaging/0/sender"));
}

#[test]
fn a_comment_in_facebook_is_made_changed_and_taken_back_and_three_events() {
    let comment = |verb: &str| {
        let value = json!({ "item": "comment", "verb": verb, "comment_id": "4_5", "created_time": 1_784_121_600,
            "message": "Сколько?", "from": { "id": "77", "name": "Анна" } });
        let change = json!({ "field": "feed", "value": value });
        only(
            SourceKind::Instagram,
            &json!({ "object": "page", "entry": [{ "id": "6", "changes": [change] }] }),
        )
    };
    let seen = ["add", "edited", "remove", "hide"].map(comment);
    let actions = seen.each_ref().map(|seen| seen.action.as_str().to_owned());
    assert_eq!(actions, ["comment", "edit", "delete", "unknown_update"]);
    let mut ids = seen.map(|seen| seen.native_id).to_vec();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[test]
fn wazzups_instagram_names_become_personal_and_numbers_stay_what_they_were() {
    let session = |chat: &str, chat_type: &str| {
        let message =
            json!({ "messageId": "1", "chatType": chat_type, "chatId": chat, "type": "text", "text": "a" });
        only(SourceKind::Wazzup, &json!({ "messages": [message] })).session
    };
    assert_eq!(session("anna.i", "instagram"), "@anna.i");
    for chat in ["1234", "anna79131234567", "@anna", "a12_34_567"] {
        assert_eq!(session(chat, "instagram"), chat);
    }
    assert_eq!(session("anna", "viber"), "anna");
}

#[test]
fn the_ids_of_metas_messages_may_be_longer_than_ours() {
    let id = format!("wamid.{}", "HBgL".repeat(200));
    let message = json!({ "id": id, "from": "79990000001", "timestamp": "1760000000", "type": "text", "text": { "body": "a" } });
    let seen = only(SourceKind::Whatsapp, &whatsapp(&json!({ "messages": [message] })));
    assert_eq!(seen.native_id, format!("message:{id}"));
    let item = json!({ "sender": { "id": "5" }, "recipient": { "id": "1" }, "timestamp": 1, "message": { "mid": id, "text": "a" } });
    assert_eq!(only(SourceKind::Instagram, &instagram(&item)).native_id, format!("message:{id}"));
}
