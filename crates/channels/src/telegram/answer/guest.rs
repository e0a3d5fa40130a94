//! What a bot says to a client who called it as a guest into a chat it is not in: a result as those of inline mode, which
//! Telegram shows where the bot was called.
//!
//! <https://core.telegram.org/bots/api#answerguestquery>

use serde_json::{Map, Value};

use crate::form;
use crate::telegram::rich;

/// Where [`call`] puts the kind of what is shown besides text.
pub(super) const ATTACHMENT: &str = "attachment";

/// What may be shown in place of a result besides text, by a key nothing before it has: a venue has the place of a location.
const CONTENTS: [(&str, &str); 5] = [
    ("rich_message", "rich_message"),
    ("address", "venue"),
    ("latitude", "location"),
    ("phone_number", "contact"),
    ("prices", "invoice"),
];

/// Whether this is the method that answers a guest. Telegram takes names of methods in any case.
pub(super) fn is_answered_by(method: &str) -> bool {
    method.eq_ignore_ascii_case("answerGuestQuery")
}

/// What is kept of the call: its words where those of plain messages are, and the kind of what it attaches.
pub(super) fn call(method: &str, parameters: &Map<String, Value>) -> Map<String, Value> {
    let mut kept = Map::from_iter([("method".to_owned(), Value::from(method))]);
    let Some(result) = parameters.get("result").map(form::opened) else { return kept };
    let mut keep = |key: &str, text: Option<String>| {
        kept.extend(text.map(|text| (key.to_owned(), Value::from(text))));
    };
    match result.get("input_message_content") {
        // It is shown in place of what the result has itself.
        Some(shown) => {
            let text = shown.get("message_text").and_then(Value::as_str).map(str::to_owned);
            keep("text", text.or_else(|| rich::text(shown.get("rich_message")?)));
            let kind = CONTENTS.iter().find(|(key, _)| shown.get(key).is_some());
            keep(ATTACHMENT, kind.map(|(_, kind)| (*kind).to_owned()));
        }
        None => {
            let word = |key: &str| result.get(key).and_then(Value::as_str);
            keep("caption", word("caption").map(str::to_owned));
            let kind = match word("type") {
                Some("gif" | "mpeg4_gif") => Some("animation"),
                // Shows nothing by itself.
                Some("article") => None,
                kind => kind,
            };
            keep(ATTACHMENT, kind.map(str::to_owned));
        }
    }
    kept
}
