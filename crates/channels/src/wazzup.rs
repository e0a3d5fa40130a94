//! Wazzup24, which brings messages of several messengers.
//!
//! <https://wazzup24.ru/help/api-ru/webhooks-2/>
//!
//! Wazzup signs nothing; where the account has a key of its CRM, it comes as a bearer token, and otherwise the secret
//! stands in the address. An echo that was sent from Wazzup's own chat was written by a person, any other by a program.

use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::observation::{Contact, Observation};
use domain::timestamp::Timestamp;
use serde_json::Value;

use crate::Unparsed;
use crate::batch::Batch;
use crate::json::{self, Spot, text_under};
use crate::seen::{self, attach, kind_name, note, say, word};

/// The longest text.
const TEXT: usize = 16_384;
/// The longest label: an id, a name.
const LABEL: usize = 256;

/// Whether Wazzup only tries whether somebody is there.
pub(crate) fn is_test(body: &[u8]) -> bool {
    body.len() < 64
        && serde_json::from_slice::<Value>(body)
            .is_ok_and(|value| value.get("test").and_then(Value::as_bool) == Some(true))
}

pub(crate) fn parse(body: &[u8], received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
    let value = json::read(body)?;
    let root = Spot::root(&value).object()?;
    let mut batch = Batch::new(root, received_at);
    for spot in batch.items(Channel::Other, root, "messages") {
        batch.add(Channel::Other, "messages", spot, |spot| message(spot, received_at));
    }
    for spot in batch.items(Channel::Other, root, "statuses") {
        batch.add(Channel::Other, "statuses", spot, status);
    }
    if batch.len() == 0 {
        let kind = root.keys().next().unwrap_or("empty");
        let native_id = format!("change:{}", root.written());
        let session = "change:wazzup".to_owned();
        batch.push(seen::unknown(received_at, Channel::Other, session, native_id, kind));
    }
    batch.finish("", "must hold messages, statuses or a change")
}

fn message(message: Spot<'_>, received_at: Timestamp) -> Result<Observation, Unparsed> {
    let id = message.need("messageId")?.id()?;
    let chat = message.need("chatId")?.id()?;
    let chat_type = message.need("chatType")?.as_word()?;
    let at = message.get("dateTime").map(|at| moment(&at)).transpose()?.unwrap_or(received_at);
    let is = |key: &str| message.get(key).is_some_and(|flag| flag.is_true());
    let changed = if is("isDeleted") {
        Some("delete")
    } else if is("isEdited") {
        Some("edit")
    } else {
        None
    };

    let channel = channel_of(chat_type);
    let mut observation =
        Observation::new(at, channel, session(channel, &chat), changed.map_or(Action::Message, word));
    observation.native_id = match changed {
        Some(change) => format!("{change}:{id}:{}", at.unix_micros()),
        None => format!("message:{id}"),
    };
    observation.actor = match (is("isEcho"), is("sentFromApp")) {
        (false, _) => Actor::Client,
        (true, true) => Actor::Staff,
        (true, false) => Actor::Assistant,
    };
    let is_group = matches!(chat_type, "whatsgroup" | "telegroup" | "maxgroup");
    observation.contact = contact(&message, &chat, channel, is_group)?;
    content(&mut observation, message)?;
    if is("isEcho") && message.word("status") == Some("error") {
        undelivered(&mut observation, message, id);
    } else if changed.is_none() && observation.action == Action::Message && message.has("instPost") {
        observation.action = word("comment");
    }
    Ok(observation)
}

/// The conversation's id. In Instagram that is the client's name there, which finds them for everybody: with `@` before it
/// it is known for personal and kept as a pseudonym. One with a number's digits is so already, and stays the one it was.
fn session(channel: Channel, chat: &str) -> String {
    let digits = |run: &str| run.chars().filter(|c| c.is_numeric()).count();
    let is_number = chat.bytes().all(|b| b.is_ascii_digit())
        || chat.split(char::is_alphabetic).any(|run| digits(run) >= 7);
    let is_name = channel == Channel::Instagram && !is_number && !chat.contains('@');
    if is_name { format!("@{chat}") } else { chat.to_owned() }
}

/// What the business wanted to say, and the client never heard.
fn undelivered(observation: &mut Observation, message: Spot<'_>, id: String) {
    observation.action = word("message_failed");
    observation.actor = Actor::System;
    note(observation, "message", Some(id));
    note(observation, "error", error_of(&message));
    let text = observation.texts.assistant.take();
    note(observation, "text", text);
}

/// Why a message did not arrive, in Wazzup's word.
fn error_of(spot: &Spot<'_>) -> Option<String> {
    let error = spot.get("error")?;
    error.word("error").or_else(|| error.as_word().ok()).map(str::to_owned)
}

fn content(observation: &mut Observation, message: Spot<'_>) -> Result<(), Unparsed> {
    let text = text_under(&message, "text", TEXT)?;
    match message.word("type").unwrap_or("unknown") {
        "text" | "wapi_template" => {}
        "missing_call" => observation.action = Action::Call,
        "system" => {
            seen::notice(observation, "system", text);
            return Ok(());
        }
        kind @ ("image" | "audio" | "video" | "document" | "vcard" | "geo" | "unsupported") => {
            attach(observation, kind);
        }
        kind => {
            observation.action = word("unknown_update");
            observation.attributes.insert("kind".to_owned(), kind_name(kind));
        }
    }
    say(observation, text);
    Ok(())
}

/// The client: in WhatsApp a chat's id is their number.
fn contact(message: &Spot<'_>, chat: &str, channel: Channel, is_group: bool) -> Result<Contact, Unparsed> {
    if is_group {
        return Ok(Contact::default());
    }
    let given = message.get("contact");
    let text = |key: &str| given.map(|given| text_under(&given, key, LABEL)).transpose().map(Option::flatten);
    let number = (channel == Channel::Whatsapp).then(|| format!("+{chat}"));
    let phone = text("phone")?.or(number);
    // Where a client has given no name, their number stands in its place.
    let name = text("name")?.filter(|name| name.trim_start_matches('+') != chat);
    Ok(Contact { phone, name, messenger_id: Some(chat.to_owned()), ..Contact::default() })
}

/// A step of a message on its way. Wazzup does not say in which chat it was sent.
fn status(status: Spot<'_>) -> Result<Observation, Unparsed> {
    let id = status.need("messageId")?.id()?;
    let step = status.need("status")?.as_word()?;
    let at = moment(&status.need("timestamp")?)?;
    let action = match step {
        "sent" => "message_sent",
        "delivered" => "message_delivered",
        "read" => "message_read",
        "error" => "message_failed",
        "edited" => "edit",
        _ => "unknown_update",
    };
    let mut observation = Observation::new(at, Channel::Other, format!("message:{id}"), word(action));
    observation.native_id = format!("status:{id}:{step}");
    observation.actor = Actor::System;
    note(&mut observation, "message", Some(id));
    if action == "unknown_update" {
        observation.attributes.insert("kind".to_owned(), kind_name(step));
    }
    note(&mut observation, "error", error_of(&status));
    Ok(observation)
}

/// An instant. The document has it without an offset, deliveries with that of UTC.
fn moment(spot: &Spot<'_>) -> Result<Timestamp, Unparsed> {
    let in_utc = || Timestamp::parse(&format!("{}Z", spot.as_word().ok()?)).ok();
    spot.moment().or_else(|unparsed| in_utc().ok_or(unparsed))
}

fn channel_of(chat_type: &str) -> Channel {
    match chat_type {
        "whatsapp" | "whatsgroup" => Channel::Whatsapp,
        "instagram" => Channel::Instagram,
        "telegram" | "telegroup" => Channel::Telegram,
        "vk" => Channel::Vk,
        "avito" => Channel::Avito,
        "max" | "maxgroup" => Channel::Max,
        _ => Channel::Other,
    }
}
