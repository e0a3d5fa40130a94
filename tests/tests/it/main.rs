//! What the whole promises, tried on the real process through its port and its command line.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod arrival;
mod bad_input;
mod contract;
mod faults;
mod hooks;
mod limits;
mod modesty;
mod order;
mod personal_data;
mod quarantine;
mod sameness;
mod signing;
mod truth;
mod walls;

use std::time::{SystemTime, UNIX_EPOCH};

use domain::timestamp::Timestamp;
use serde_json::{Value, json};

/// The smallest event there is, in a conversation of this id.
fn event(session: &str) -> Value {
    json!({
        "timestamp": "2026-03-01T12:00:00+03:00",
        "channel": "site",
        "session_id": session,
        "action": "message",
        "assistant_response": "Добрый день!",
    })
}

/// The same with other or more keys.
fn with(mut event: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("not an object: {more}") };
    event.as_object_mut().unwrap().extend(more);
    event
}

/// A text message to a Telegram bot.
fn telegram_message(update: i64, chat: i64, text: &str) -> Value {
    json!({
        "update_id": update,
        "message": {
            "message_id": update,
            "from": {"id": chat, "is_bot": false, "first_name": "Анна", "language_code": "ru"},
            "chat": {"id": chat, "first_name": "Анна", "type": "private"},
            "date": 1_772_355_600,
            "text": text,
        },
    })
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_unix_micros(i64::try_from(since.as_micros()).unwrap()).unwrap()
}
