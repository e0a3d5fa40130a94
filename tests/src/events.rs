//! Events made in numbers, for load and for faults.

use serde_json::{Value, json};
use uuid::Uuid;

/// A text that brings the event to about 450 bytes, the size of an assistant's turn.
const TEXT: &str = "Ближайшее свободное время к Оксане: в пятницу, 14 марта, в 15:30. Записать вас?";

/// The event of this number, in one of `sessions` conversations. The same number and run give the same event, so
/// that sending it again is a resend.
#[must_use]
pub fn numbered(run: u32, number: u32, sessions: u32) -> Value {
    let second = number % 86_400;
    json!({
        "event_id": id(run, number),
        "timestamp": format!("2026-03-01T{:02}:{:02}:{:02}+03:00", second / 3600, second / 60 % 60, second % 60),
        "channel": "site",
        "session_id": session(run, number % sessions),
        "actor": "assistant",
        "action": "message",
        "intent": "appointment_booking",
        "scenario": {"id": "booking", "version": "3.1"},
        "assistant_response": TEXT,
        "confidence": 0.92,
        "response_time_ms": 1240,
    })
}

/// The id of the event of this number.
#[must_use]
pub fn id(run: u32, number: u32) -> String {
    let value = (u128::from(run) << 96) | (0x8_u128 << 76) | (0x8_u128 << 60) | u128::from(number);
    Uuid::from_u128(value).to_string()
}

/// The id of a conversation.
#[must_use]
pub fn session(run: u32, number: u32) -> String {
    format!("run-{run}-talk-{number}")
}
