//! What a bot says in its answer to a delivery that was passed on to it: Telegram lets the answer carry a call of a method.
//!
//! The answer is written down as an update of our own making, under the number of the one it answers, which makes it the
//! same one however often it is told. Of the call is kept what was said and where; of what it attaches, the kind.
//!
//! <https://core.telegram.org/bots/api#making-requests-when-getting-updates>

mod guest;

use domain::action::{Action, Actor};
use domain::observation::Observation;
use domain::timestamp::Timestamp;
use serde_json::{Map, Value, json};

use super::{TEXT, Update, chat_of, message, rich, update_id};
use crate::Unparsed;
use crate::answer::{Answer, Told};
use crate::form::{self, Call};
use crate::json::{Spot, integer_under, text_under};
use crate::seen::{attach, note, word};

/// The member of such an update.
pub(super) const KIND: &str = "letopis_answer";

/// Where the parameters of a method say something, the first that is there.
const WORDS: [&str; 3] = ["text", "caption", "question"];

/// Writes an answer down.
pub(crate) fn wrap(update: &[u8], answer: &Answer<'_>) -> Told {
    let parameters = match form::call(answer.content_type, answer.body) {
        Call::None => return Told::Nothing,
        Call::Unreadable => return Told::Unreadable,
        Call::Of(parameters) => parameters,
    };
    let Some(method) = parameters.get("method").and_then(Value::as_str).map(str::to_owned) else {
        return Told::Nothing;
    };
    // In the name of a business account: Telegram itself tells of it, in an update of its own.
    if parameters.contains_key("business_connection_id") {
        return Told::Nothing;
    }
    let call = match guest::is_answered_by(&method) {
        true => guest::call(&method, &parameters),
        false => kept(in_words(parameters)),
    };
    if meaning(&method, &call).is_none() {
        return Told::Nothing;
    }
    let Ok(update) = serde_json::from_slice::<Value>(update) else { return Told::Nothing };
    let Some(number) = update_id(&update) else { return Told::Nothing };
    let spot = Spot::root(&update);
    let chat = spot.keys().filter_map(|key| spot.get(key)).find_map(|member| asked_in(&member));
    let said = json!({
        "update_id": number,
        KIND: {
            "answered_at": answer.at.unix_micros(),
            "took_ms": answer.took_ms,
            "chat": chat,
            "call": call,
        },
    });
    Told::Said(said.to_string().into_bytes())
}

/// The conversation that an answer without a chat belongs to: the one its update stands in.
fn asked_in(member: &Spot<'_>) -> Option<i64> {
    match message::asked_by(member) {
        Some(client) => client.get("id")?.integer().ok(),
        None => chat_of(member),
    }
}

/// The same call with its words where those of plain messages are.
fn in_words(mut parameters: Map<String, Value>) -> Map<String, Value> {
    if let Some(text) = parameters.get("rich_message").and_then(rich::text) {
        parameters.insert("text".to_owned(), Value::from(text));
    }
    if let Some(caption) = first_caption(&parameters) {
        parameters.insert("caption".to_owned(), Value::from(caption));
    }
    parameters
}

/// What is kept of a call: what was said, and where.
fn kept(mut parameters: Map<String, Value>) -> Map<String, Value> {
    parameters.retain(|key, _| key == "method" || key == "chat_id" || WORDS.contains(&key.as_str()));
    parameters
}

/// Of photos that are sent together, one may have a text, which is shown for all of them.
fn first_caption(parameters: &Map<String, Value>) -> Option<String> {
    let one_or_many = form::opened(parameters.get("media")?);
    let items = one_or_many.as_array().map_or(std::slice::from_ref(&*one_or_many), Vec::as_slice);
    items.iter().find_map(|item| item.get("caption")?.as_str()).map(str::to_owned)
}

/// Reads an answer that was written down.
pub(super) fn observe(update: &Update<'_>, answer: Spot<'_>) -> Result<Observation, Unparsed> {
    let call = answer.need("call")?;
    let method = call.need("method")?.as_word()?;
    let parameters = call.value().as_object().ok_or_else(|| call.invalid("must be an object"))?;
    let action = meaning(method, parameters).ok_or_else(|| call.invalid("must say something"))?;
    let named = call.get("chat_id").map(|chat| chat.id()).transpose()?;
    let session = match named {
        Some(chat) => chat,
        // A word under a pressed button, which names no chat, is said where the button was pressed; one to a guest, where they
        // are answered otherwise.
        None => answer.need("chat")?.integer()?.to_string(),
    };
    let at = answer.need("answered_at")?;
    let at = Timestamp::from_unix_micros(at.integer()?).map_err(|error| at.invalid(&error.to_string()))?;

    // Chats of persons have positive numbers, which are theirs.
    let person = session.parse::<i64>().ok().filter(|id| *id > 0);
    let mut observation = update.observation(0, at, session, action);
    observation.native_id.push_str(":answer");
    observation.actor = Actor::Assistant;
    observation.contact.messenger_id = person.map(|id| id.to_string());
    observation.response_time_ms =
        integer_under(&answer, "took_ms")?.and_then(|took| u32::try_from(took).ok()).map(u64::from);
    for key in WORDS {
        let text = text_under(&call, key, TEXT)?;
        observation.texts.assistant = observation.texts.assistant.or(text);
    }
    let shown = call.word(guest::ATTACHMENT).map(str::to_owned);
    if let Some(kind) = attachment(method).or(shown) {
        attach(&mut observation, &kind);
    }
    note(&mut observation, "method", Some(method.to_owned()));
    Ok(observation)
}

/// What a call means in a conversation; nothing, when nobody sees anything of it.
fn meaning(method: &str, parameters: &Map<String, Value>) -> Option<Action> {
    let has_words = WORDS
        .iter()
        .any(|key| parameters.get(*key).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty()));
    // Telegram takes names of methods in any case.
    let method = method.to_ascii_lowercase();
    match method.as_str() {
        "sendchataction" | "sendmessagedraft" | "sendrichmessagedraft" => None,
        "editmessagetext" | "editmessagecaption" | "editmessagemedia" => Some(word("edit")),
        _ if ["send", "copymessage", "forwardmessage"].iter().any(|verb| method.starts_with(verb)) => {
            Some(Action::Message)
        }
        _ if has_words || parameters.contains_key(guest::ATTACHMENT) => Some(Action::Message),
        _ => None,
    }
}

/// The kind of what a method sends besides text, in the words of all channels: `sendVideoNote` sends a `video_note`.
fn attachment(method: &str) -> Option<String> {
    let sent = method
        .strip_prefix("send")
        .filter(|sent| !sent.is_empty() && !sent.eq_ignore_ascii_case("message"))?;
    let mut name = String::new();
    for letter in sent.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    Some(name)
}
