//! What the whole promises, tried on the real processes through their ports and their command line, on both shapes.
//!
//! A scenario is a function of the shape; [`on_both_shapes`] makes two tests of it, `<scenario>::one_box` and
//! `<scenario>::cluster`, so that a failure says which shape has it. What makes sense on one shape only says why.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

/// Two tests of each scenario, one a shape.
macro_rules! on_both_shapes {
    ($($scenario:ident)*) => { $(
        mod $scenario {
            use system_tests::Shape;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn one_box() {
                super::$scenario(Shape::OneBox).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn cluster() {
                super::$scenario(Shape::Cluster).await;
            }
        }
    )* };
}

mod answers;
mod arrival;
mod bad_input;
mod contract;
mod doors;
mod faults;
mod forward;
mod harness;
mod hooks;
mod limits;
mod modesty;
mod order;
mod personal_data;
mod quarantine;
mod queues;
mod releases;
mod rotation;
mod sameness;
mod shapes;
mod signing;
mod snippets;
mod sources;
mod subjects;
mod tenants;
mod trials;
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
