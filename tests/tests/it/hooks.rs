//! Telegram's own webhook.

use serde_json::json;
use system_tests::api::Hook;
use system_tests::{Shape, Stand};

use crate::{event, telegram_message, with};

on_both_shapes! {
    the_clients_words_from_telegram_and_the_bots_own_report_are_one_conversation
    an_update_telegram_delivers_twice_is_one_event
    a_wrong_secret_a_missing_one_and_an_unknown_source_open_nothing
}

const CHAT: i64 = 5_551_112_233;

async fn the_clients_words_from_telegram_and_the_bots_own_report_are_one_conversation(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let hook = &stand.keys.telegram;
    let sent = stand.api.telegram(hook, &telegram_message(1, CHAT, "Хочу записаться")).await.unwrap();
    assert_eq!((sent.status, sent.body), (200, json!({})));
    let contact = json!({"message": {
        "message_id": 2, "date": 1_772_355_620,
        "from": {"id": CHAT, "is_bot": false, "first_name": "Анна"},
        "chat": {"id": CHAT, "type": "private", "first_name": "Анна"},
        "contact": {"phone_number": "79990000001", "first_name": "Анна", "user_id": CHAT},
    }, "update_id": 2});
    assert_eq!(stand.api.telegram(hook, &contact).await.unwrap().status, 200);
    let press = json!({"update_id": 3, "callback_query": {
        "id": "1", "chat_instance": "1", "data": "slot:12",
        "from": {"id": CHAT, "is_bot": false, "first_name": "Анна"},
        "message": {"message_id": 3, "date": 1_772_355_630, "chat": {"id": CHAT, "type": "private"}},
    }});
    assert_eq!(stand.api.telegram(hook, &press).await.unwrap().status, 200);
    let report =
        json!({"channel": "telegram", "timestamp": "2026-03-01T12:01:00+03:00", "action": "create_lead"});
    stand.accept(&with(event(&CHAT.to_string()), report)).await.unwrap();

    let books = stand.settled().await.unwrap();
    assert_eq!((&books["stored"], &books["quarantined"]), (&json!(4), &json!(0)));
    let sessions = stand.api.all(&stand.keys.read, "/v1/sessions", "sessions").await.unwrap();
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    assert_eq!((&sessions[0]["channel"], &sessions[0]["events"]), (&json!("telegram"), &json!(4)));
    // Typing the chat id finds it; what is stored and listed is a pseudonym.
    let session = stand.api.session(&stand.keys.read, &CHAT.to_string()).await.unwrap().unwrap();
    assert_eq!(session["session"]["id"], sessions[0]["id"]);
    assert!(session["session"]["id"].as_str().unwrap().starts_with("v1:"));
    assert!(session.to_string().contains("Хочу записаться"));
}

async fn an_update_telegram_delivers_twice_is_one_event(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    for _ in 0..3 {
        let update = telegram_message(7, CHAT, "Здравствуйте");
        assert_eq!(stand.api.telegram(&stand.keys.telegram, &update).await.unwrap().status, 200);
    }
    let books = stand.settled().await.unwrap();
    assert_eq!((&books["stored"], &books["duplicate"]), (&json!(1), &json!(2)));
}

async fn a_wrong_secret_a_missing_one_and_an_unknown_source_open_nothing(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let update = telegram_message(1, CHAT, "x");
    let wrong = Hook { secret: "wrong".into(), ..stand.keys.telegram.clone() };
    assert_eq!(stand.api.telegram(&wrong, &update).await.unwrap().status, 401);
    let bare = stand.api.post(&stand.keys.admin, &stand.keys.telegram.path, &update).await.unwrap();
    assert_eq!(bare.status, 401);
    let elsewhere = Hook { path: "/v1/hooks/nobody".into(), ..stand.keys.telegram.clone() };
    assert_eq!(stand.api.telegram(&elsewhere, &update).await.unwrap().status, 404);
    assert!(stand.api.all(&stand.keys.read, "/v1/sessions", "sessions").await.unwrap().is_empty());
}
