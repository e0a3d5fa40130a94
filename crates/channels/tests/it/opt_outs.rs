//! What clients do that says: no more mailings. And what only looks like it.

use channels::{Mapping, parse, parse_mapped};
use domain::action::Actor;
use domain::observation::{Consent, ConsentPurpose, Observation};
use domain::registry::SourceKind;
use serde_json::{Value, json};

use crate::fixtures;
use crate::meaning::received_at;

fn only(kind: SourceKind, body: &Value) -> Observation {
    let mut observations = parse(kind, body.to_string().as_bytes(), received_at()).unwrap();
    assert_eq!(observations.len(), 1);
    observations.remove(0)
}

/// Whether mailings are wanted, where that is said.
fn wants(consent: Option<&Consent>) -> Option<bool> {
    consent.map(|consent| {
        assert_eq!(consent.purpose, ConsentPurpose::Mailing);
        consent.granted
    })
}

fn of_fixture(kind: SourceKind, name: &str) -> Observation {
    only(kind, &serde_json::from_slice(&fixtures::one(kind, name)).unwrap())
}

fn telegram(from: &Value, text: &str) -> Value {
    json!({ "update_id": 1, "message": {
        "message_id": 1, "date": 1_760_000_000, "from": from, "chat": { "id": 5, "type": "private" }, "text": text,
    } })
}

/// The same words out of every channel that brings words of clients.
fn said_everywhere(text: &str) -> Vec<(SourceKind, Value)> {
    let meta = json!({ "sender": { "id": "123" }, "recipient": { "id": "9" }, "timestamp": 1_760_000_000,
        "message": { "mid": "1", "text": text } });
    let whatsapp = json!({ "id": "1", "from": "79990000001", "timestamp": "1760000000", "type": "text",
        "text": { "body": text } });
    vec![
        (SourceKind::Telegram, telegram(&json!({ "id": 5, "is_bot": false, "first_name": "Анна" }), text)),
        (
            SourceKind::Whatsapp,
            json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [
                { "field": "messages", "value": { "messages": [whatsapp] } },
            ] }] }),
        ),
        (
            SourceKind::Instagram,
            json!({ "object": "instagram", "entry": [{ "id": "9", "messaging": [meta] }] }),
        ),
        (
            SourceKind::Vk,
            json!({ "type": "message_new", "event_id": "1", "object": {
                "message": { "date": 1_760_000_000, "from_id": 100_200_300, "peer_id": 100_200_300, "text": text },
            } }),
        ),
        (
            SourceKind::Max,
            json!({ "update_type": "message_created", "timestamp": 1_760_000_000_000_i64, "message": {
                "sender": { "user_id": 1, "is_bot": false }, "recipient": { "chat_id": 2, "chat_type": "dialog" },
                "timestamp": 1_760_000_000_000_i64, "body": { "mid": "m", "seq": 1, "text": text },
            } }),
        ),
        (
            SourceKind::Wazzup,
            json!({ "messages": [{ "messageId": "1", "chatId": "79990000001", "chatType": "whatsapp", "type": "text",
                "isEcho": false, "text": text }] }),
        ),
        (
            SourceKind::Avito,
            json!({ "payload": { "type": "message", "value": { "id": "1", "chat_id": "c", "user_id": 1, "author_id": 2,
                "created": 1_760_000_000, "type": "text", "content": { "text": text } } } }),
        ),
        (
            SourceKind::Jivo,
            json!({ "event": "CLIENT_MESSAGE", "id": "1", "client_id": "5", "chat_id": "7",
                "message": { "type": "TEXT", "text": text, "timestamp": 1_760_000_000 } }),
        ),
    ]
}

#[test]
fn a_client_who_types_stop_and_nothing_else_wants_no_more_mailings_in_any_channel() {
    for (kind, body) in said_everywhere("Стоп!") {
        let seen = only(kind, &body);
        assert_eq!((seen.actor, wants(seen.consent.as_ref())), (Actor::Client, Some(false)), "{kind}");
        assert_eq!(seen.action.as_str(), "message", "it is still what was said");
    }
    for (kind, body) in said_everywhere("Стоп, я передумала: можно на 18:30?") {
        assert_eq!(only(kind, &body).consent, None, "{kind}");
    }
}

#[test]
fn the_word_of_anybody_but_the_client_is_no_opt_out() {
    let bot = json!({ "id": 9, "is_bot": true, "first_name": "Бот" });
    assert_eq!(only(SourceKind::Telegram, &telegram(&bot, "Стоп")).consent, None);
    let mut edited = telegram(&json!({ "id": 5, "is_bot": false, "first_name": "Анна" }), "Стоп");
    edited["edited_message"] = edited["message"].take();
    edited.as_object_mut().unwrap().remove("message");
    assert_eq!(only(SourceKind::Telegram, &edited).consent, None, "an edit is about what was said before");
}

#[test]
fn a_button_that_says_unsubscribe_is_meant() {
    let pressed = json!({ "update_id": 1, "callback_query": {
        "id": "1", "from": { "id": 5, "is_bot": false, "first_name": "Анна" }, "data": "u",
        "message": { "message_id": 1, "date": 1_760_000_000, "chat": { "id": 5, "type": "private" }, "text": "Акция!",
            "reply_markup": { "inline_keyboard": [[{ "text": "Отписаться", "callback_data": "u" }]] } },
    } });
    assert_eq!(wants(only(SourceKind::Telegram, &pressed).consent.as_ref()), Some(false));
}

#[test]
fn a_messenger_that_says_the_client_shut_the_door_withdraws_and_one_that_says_they_opened_it_grants_nothing()
{
    let shut = [
        (SourceKind::Telegram, "my-chat-member-kicked"),
        (SourceKind::Vk, "message-deny"),
        (SourceKind::Max, "bot-stopped"),
        (SourceKind::Max, "dialog-removed"),
    ];
    for (kind, name) in shut {
        let seen = of_fixture(kind, name);
        assert_eq!((seen.actor, wants(seen.consent.as_ref())), (Actor::Client, Some(false)), "{kind} {name}");
        assert!(seen.contact.messenger_id.is_some(), "{kind} {name}: whose consent");
    }
    let opened = [
        (SourceKind::Telegram, "my-chat-member-member"),
        (SourceKind::Telegram, "my-chat-member-group"),
        (SourceKind::Vk, "message-allow"),
        (SourceKind::Vk, "group-leave-ignored"),
        (SourceKind::Max, "bot-started"),
        (SourceKind::Max, "bot-added"),
    ];
    for (kind, name) in opened {
        assert_eq!(of_fixture(kind, name).consent, None, "{kind} {name}");
    }
}

#[test]
fn whatsapps_preference_is_one_in_either_form() {
    let field = |value: &str| {
        json!({ "user_preferences": [{ "wa_id": "79990000001", "category": "marketing_messages", "value": value,
            "timestamp": 1_760_000_000 }] })
    };
    let notice = |value: &str| {
        json!({ "messages": [{ "id": "1", "from": "79990000001", "timestamp": "1760000000", "type": "system",
            "system": { "body": "…", "type": "user_preference_changed", "marketing": value } }] })
    };
    for form in [field as fn(&str) -> Value, notice] {
        for (value, action, wanted) in [
            ("stop", "consent_withdraw", Some(false)),
            ("resume", "consent_grant", Some(true)),
            ("less", "unknown_update", None),
        ] {
            let seen = only(
                SourceKind::Whatsapp,
                &json!({ "object": "whatsapp_business_account",
                    "entry": [{ "id": "1", "changes": [{ "field": "f", "value": form(value) }] }] }),
            );
            assert_eq!((seen.action.as_str(), seen.actor), (action, Actor::Client));
            assert_eq!(wants(seen.consent.as_ref()), wanted);
        }
    }
}

#[test]
fn metas_marketing_messages_are_asked_for_stopped_and_resumed() {
    let said = |optin: Value| {
        let item =
            json!({ "sender": { "id": "123" }, "recipient": { "id": "9" }, "timestamp": 1, "optin": optin });
        only(
            SourceKind::Instagram,
            &json!({ "object": "page", "entry": [{ "id": "9", "messaging": [item] }] }),
        )
    };
    let asked = json!({ "type": "notification_messages", "notification_messages_token": "t" });
    assert_eq!(wants(said(asked.clone()).consent.as_ref()), Some(true));
    for (status, wanted) in
        [("STOP_NOTIFICATIONS", false), ("STOP NOTIFICATIONS", false), ("RESUME_NOTIFICATIONS", true)]
    {
        let mut changed = asked.clone();
        changed["notification_messages_status"] = status.into();
        assert_eq!(wants(said(changed).consent.as_ref()), Some(wanted), "{status}");
    }
    // A plugin on a site, which says where the client pressed it and nothing of mailings.
    let plugin = said(json!({ "ref": "banner" }));
    assert_eq!((plugin.action.as_str(), plugin.consent), ("unknown_update", None));
}

#[test]
fn a_mapping_that_reads_a_consent_knows_better_than_the_word() {
    let mapping = json!({ "version": 1, "events": [{ "set": {
        "channel": "site", "session_id": "/chat", "action": "message", "actor": "client", "user_text": "/text",
        "consent": { "purpose": "/agreed", "granted": true },
    } }] });
    let mapping = Mapping::parse(&mapping.to_string()).unwrap();
    let said = |body: Value| {
        parse_mapped(SourceKind::Mapping, &mapping, body.to_string().as_bytes(), received_at())
            .unwrap()
            .remove(0)
    };
    let unsaid = said(json!({ "chat": "7", "text": "Отписаться" }));
    assert_eq!(wants(unsaid.consent.as_ref()), Some(false));
    let told = said(json!({ "chat": "7", "text": "Отписаться", "agreed": "medical" })).consent.unwrap();
    assert_eq!((told.purpose, told.granted), (ConsentPurpose::Medical, true));
}

#[test]
fn our_own_event_says_of_consents_what_there_is_to_say() {
    let event = json!({ "timestamp": "2026-03-01T12:00:00+03:00", "channel": "site", "session_id": "s", "actor": "client",
        "action": "message", "user_text": "Стоп" });
    assert_eq!(only(SourceKind::Events, &event).consent, None);
}
