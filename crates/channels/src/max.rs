//! MAX Bot API.
//!
//! <https://dev.max.ru/docs-api>
//!
//! A body is one update, without a number: what makes it unique is its kind, its message and its instant. Numbers of
//! messages are larger than a double can tell apart. A phone comes only inside the card of a shared contact.

use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::observation::{Contact, Observation, Texts};
use domain::timestamp::Timestamp;
use serde_json::Value;

use crate::json::{self, Spot, integer_under, text_under};
use crate::opt_out::mailing;
use crate::referral::Referral;
use crate::seen::{self, attach, kind_name, note, say, word};
use crate::{Delivery, Unparsed, VerifyError, proof};

const SECRET: &str = "x-max-bot-api-secret";

/// The longest text; MAX's own limit is 4,000.
const TEXT: usize = 16_384;
/// The longest name.
const LABEL: usize = 256;
/// Kinds of update that MAX describes and that say nothing of what was said in a conversation.
const SERVICE: [&str; 7] = [
    "chat_title_changed",
    "dialog_cleared",
    "dialog_muted",
    "dialog_unmuted",
    "message_chat_created",
    "user_added",
    "user_removed",
];

/// What buttons under a message are called among its attachments.
const KEYBOARD: &str = "inline_keyboard";
/// The longest of what programs tell each other: the data of a button, the name of a link.
const DATA: usize = 4_096;

pub(crate) fn verify(delivery: &Delivery<'_>, secrets: &[&[u8]]) -> Result<(), VerifyError> {
    proof::in_header(delivery, secrets, SECRET)
}

pub(crate) fn parse(body: &[u8], received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
    let value = json::read(body)?;
    let update = Spot::root(&value);
    let kind = update
        .word("update_type")
        .ok_or_else(|| json::unreadable("/update_type", "is required: the kind of update"))?;
    let at = update.get("timestamp").map(|timestamp| timestamp.instant()).transpose()?;
    let at = at.unwrap_or(received_at);
    let observation = match kind {
        "message_created" => message(update.need("message")?, kind, None)?,
        "message_edited" => message(update.need("message")?, kind, Some(at))?,
        "comment_created" => comment(update, kind)?,
        "message_removed" => removed(update, at)?,
        "message_callback" => pressed(update, at)?,
        "bot_started" => client_did(update, at, kind, "bot_started")?,
        "bot_stopped" => client_left(update, at, kind, "bot_blocked")?,
        "dialog_removed" => client_left(update, at, kind, "dialog_removed")?,
        "bot_added" => system_did(update, at, kind, "bot_added")?,
        "bot_removed" => system_did(update, at, kind, "bot_removed")?,
        _ => unknown(update, at, kind),
    };
    Ok(vec![observation])
}

/// A message, or another edition of it.
fn message(message: Spot<'_>, kind: &str, edited_at: Option<Timestamp>) -> Result<Observation, Unparsed> {
    // Of a message that only passes another on, there may be none.
    let body = message.get("body");
    let sent_at = message.need("timestamp")?.instant()?;
    let at = edited_at.unwrap_or(sent_at);
    let recipient = message.need("recipient")?;

    let action = if edited_at.is_some() { word("edit") } else { Action::Message };
    let mut observation = Observation::new(at, Channel::Max, session(&message, &recipient)?, action);
    let id = body.map(|body| body.need("mid")?.id()).transpose()?.unwrap_or_else(|| message.written());
    observation.native_id = format!("{kind}:{id}:{}", at.unix_micros());
    let Some(sender) = message.get("sender") else {
        observation.action = word("channel_post");
        observation.actor = Actor::System;
        observation.attributes.insert("kind".to_owned(), kind_name(kind));
        return Ok(observation);
    };
    if is_bot(&sender) {
        observation.actor = Actor::Assistant;
        // In a dialogue the other side is the client, unless the bot is named there, too.
        if recipient.get("chat_type").is_some_and(|chat| chat.is_word("dialog")) {
            let client = recipient.get("user_id").map(|id| id.id()).transpose()?;
            let bot = sender.get("user_id").map(|id| id.id()).transpose()?;
            observation.contact.messenger_id = client.filter(|client| Some(client) != bot.as_ref());
        }
    } else {
        observation.actor = Actor::Client;
        observation.contact = contact(&sender)?;
    }
    if let Some(body) = body {
        content(&mut observation, body)?;
    }
    let is_forward =
        message.get("link").and_then(|link| link.get("type")).is_some_and(|kind| kind.is_word("forward"));
    let says_nothing =
        observation.texts == Texts::default() && !observation.attributes.contains_key("attachment");
    if is_forward && says_nothing {
        attach(&mut observation, "forward");
    }
    Ok(observation)
}

/// The conversation: the chat, or, where MAX does not name it, the person on the other side of the dialogue.
fn session(message: &Spot<'_>, recipient: &Spot<'_>) -> Result<String, Unparsed> {
    if let Some(chat) = recipient.get("chat_id") {
        return chat.id();
    }
    let person = match message.get("sender") {
        Some(sender) if !is_bot(&sender) => sender.get("user_id"),
        _ => recipient.get("user_id"),
    };
    person.ok_or_else(|| recipient.invalid("must name a chat or a user"))?.id()
}

fn is_bot(sender: &Spot<'_>) -> bool {
    sender.get("is_bot").is_some_and(|is_bot| is_bot.is_true())
}

/// What a message carries and says.
fn content(observation: &mut Observation, body: Spot<'_>) -> Result<(), Unparsed> {
    for attachment in body.items("attachments")? {
        match attachment.word("type") {
            // Buttons belong to the message, and are nothing in themselves.
            None | Some(KEYBOARD | "reply_keyboard") => {}
            Some(kind) => {
                attach(observation, kind);
                if kind == "contact" {
                    share_contact(observation, attachment)?;
                }
            }
        }
    }
    say(observation, text_under(&body, "text", TEXT)?);
    Ok(())
}

/// A comment under a post of a channel.
fn comment(update: Spot<'_>, kind: &str) -> Result<Observation, Unparsed> {
    let message = update.need("message")?;
    let at = message.need("timestamp")?.instant()?;
    let body = message.need("body")?;
    let sender = message.get("sender");
    let author = sender.and_then(|sender| sender.get("user_id")).map(|id| id.id()).transpose()?;
    let session = match author {
        Some(author) => author,
        None => format!("comment:{}", body.need("mid")?.id()?),
    };
    let mut observation = Observation::new(at, Channel::Max, session, word("comment"));
    observation.native_id = format!("{kind}:{}", update.written());
    observation.actor = match sender {
        Some(sender) if is_bot(&sender) => Actor::Assistant,
        Some(_) | None => Actor::Client,
    };
    if let Some(sender) = sender.filter(|sender| !is_bot(sender)) {
        observation.contact = contact(&sender)?;
    }
    content(&mut observation, body)?;
    Ok(observation)
}

/// A shared contact is the sender's own only where MAX says whose it is.
fn share_contact(observation: &mut Observation, attachment: Spot<'_>) -> Result<(), Unparsed> {
    let Some(payload) = attachment.get("payload") else { return Ok(()) };
    let owner = payload.get("max_info").and_then(|info| info.get("user_id"));
    let owner = owner.map(|id| id.id()).transpose()?;
    if owner.is_some() && owner == observation.contact.messenger_id && observation.actor == Actor::Client {
        let card = text_under(&payload, "vcf_info", TEXT)?;
        observation.contact.phone = card.as_deref().and_then(phone_of).map(str::to_owned);
    } else {
        observation.attributes.insert("contact_of_another".to_owned(), Value::from(true));
    }
    Ok(())
}

/// The first phone of a vCard (RFC 6350, 6.4.1): what follows the colon on a line that begins with `TEL`.
fn phone_of(card: &str) -> Option<&str> {
    let mut phones = card.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        let name = name.split(';').next()?.rsplit('.').next()?;
        name.eq_ignore_ascii_case("TEL").then(|| value.trim().trim_start_matches("tel:"))
    });
    phones.find(|phone| !phone.is_empty())
}

fn pressed(update: Spot<'_>, at: Timestamp) -> Result<Observation, Unparsed> {
    let callback = update.need("callback")?;
    let id = callback.need("callback_id")?.id()?;
    let user = callback.need("user")?;
    let chat = update.get("message").and_then(|message| message.get("recipient")?.get("chat_id"));
    let session = match chat {
        Some(chat) => chat.id()?,
        None => user.need("user_id")?.id()?,
    };
    let pressed_at = callback.get("timestamp").map(|timestamp| timestamp.instant()).transpose()?;
    let mut observation = Observation::new(pressed_at.unwrap_or(at), Channel::Max, session, word("button"));
    observation.native_id = format!("callback:{id}");
    observation.actor = Actor::Client;
    observation.contact = contact(&user)?;
    let data = text_under(&callback, "payload", DATA)?;
    observation.texts.user =
        data.as_deref().and_then(|data| label(update.get("message")?, data)).map(str::to_owned);
    note(&mut observation, "data", data);
    Ok(observation)
}

/// What stands on the button with this data.
fn label<'v>(message: Spot<'v>, data: &str) -> Option<&'v str> {
    let attachments = message.get("body")?.items("attachments").ok()?;
    let keyboards = attachments.filter(|attachment| attachment.word("type") == Some(KEYBOARD));
    let rows = keyboards.filter_map(|keyboard| keyboard.get("payload")?.items("buttons").ok()).flatten();
    let mut buttons = rows.filter_map(|row| row.array().ok()).flatten();
    let pressed = buttons.find(|button| button.get("payload").is_some_and(|of| of.is_word(data)))?;
    pressed.word("text")
}

fn removed(update: Spot<'_>, at: Timestamp) -> Result<Observation, Unparsed> {
    let id = update.need("message_id")?.id()?;
    let session = update.need("chat_id")?.id()?;
    let mut observation = Observation::new(at, Channel::Max, session, word("delete"));
    observation.native_id = format!("message_removed:{id}");
    // By whom is said, and not what they are: client, manager or the bot itself.
    observation.actor = Actor::System;
    note(&mut observation, "message", Some(id));
    note(&mut observation, "by", update.get("user_id").map(|id| id.id()).transpose()?);
    Ok(observation)
}

fn client_did(update: Spot<'_>, at: Timestamp, kind: &str, action: &str) -> Result<Observation, Unparsed> {
    let mut observation = system_did(update, at, kind, action)?;
    observation.actor = Actor::Client;
    if let Some(user) = update.get("user") {
        observation.contact = contact(&user)?;
    }
    Referral::by_link().with(&update, &[("payload", "ref")])?.note(&mut observation);
    Ok(observation)
}

/// The client wants to hear no more.
fn client_left(update: Spot<'_>, at: Timestamp, kind: &str, action: &str) -> Result<Observation, Unparsed> {
    let mut observation = client_did(update, at, kind, action)?;
    observation.consent = Some(mailing(false));
    Ok(observation)
}

fn system_did(update: Spot<'_>, at: Timestamp, kind: &str, action: &str) -> Result<Observation, Unparsed> {
    let session = update.need("chat_id")?.id()?;
    let native_id = format!("{kind}:{session}:{}", at.unix_micros());
    let mut observation = Observation::new(at, Channel::Max, session, word(action));
    observation.native_id = native_id;
    observation.actor = Actor::System;
    Ok(observation)
}

fn unknown(update: Spot<'_>, at: Timestamp, kind: &str) -> Observation {
    let chat = update.get("chat_id").and_then(|id| id.id().ok());
    let session = chat.unwrap_or_else(|| format!("change:{kind}"));
    let native_id = format!("{kind}:{}", update.written());
    let mut observation = seen::unknown(at, Channel::Max, session, native_id, kind);
    if SERVICE.contains(&kind) {
        observation.action = word("service_message");
    }
    observation
}

fn contact(user: &Spot<'_>) -> Result<Contact, Unparsed> {
    let text = |key: &str| text_under(user, key, LABEL);
    let name = match (text("name")?, text("first_name")?, text("last_name")?) {
        (Some(name), _, _) => Some(name),
        (None, Some(first), Some(last)) => Some(format!("{first} {last}").chars().take(LABEL).collect()),
        (None, first, last) => first.or(last),
    };
    Ok(Contact {
        name,
        messenger_id: integer_under(user, "user_id")?.map(|id| id.to_string()),
        ..Contact::default()
    })
}
