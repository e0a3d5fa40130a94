//! MAX Bot API.
//!
//! <https://dev.max.ru/docs-api>
//!
//! A body is one update, without a number: what makes it unique is its kind, its message and its instant. Numbers of
//! messages are larger than a double can tell apart. A phone comes only inside the card of a shared contact.

use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::observation::{Contact, Observation};
use domain::timestamp::Timestamp;
use serde_json::Value;

use crate::json::{self, Spot, integer_under, text_under};
use crate::opt_out::mailing;
use crate::referral::Referral;
use crate::seen::{self, attach, note, say, word};
use crate::{Delivery, Unparsed, VerifyError, proof};

const SECRET: &str = "x-max-bot-api-secret";

/// The longest text; MAX's own limit is 4,000.
const TEXT: usize = 16_384;
/// The longest name.
const LABEL: usize = 256;
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
    let body = message.need("body")?;
    let id = body.need("mid")?.id()?;
    let sent_at = message.need("timestamp")?.instant()?;
    let at = edited_at.unwrap_or(sent_at);
    let recipient = message.need("recipient")?;
    let session = recipient.need("chat_id")?.id()?;

    let action = if edited_at.is_some() { word("edit") } else { Action::Message };
    let mut observation = Observation::new(at, Channel::Max, session, action);
    observation.native_id = format!("{kind}:{id}:{}", at.unix_micros());
    let sender = message.get("sender");
    let is_bot = sender.and_then(|sender| sender.get("is_bot")).is_some_and(|is_bot| is_bot.is_true());
    match sender {
        Some(sender) if !is_bot => {
            observation.actor = Actor::Client;
            observation.contact = contact(&sender)?;
        }
        Some(_bot) => {
            observation.actor = Actor::Assistant;
            // In a dialogue the other side is the client.
            if recipient.get("chat_type").is_some_and(|chat| chat.is_word("dialog")) {
                observation.contact.messenger_id = recipient.get("user_id").map(|id| id.id()).transpose()?;
            }
        }
        // A post in a channel.
        None => observation.actor = Actor::System,
    }
    for attachment in body.items("attachments")? {
        let Some(kind) = attachment.word("type") else { continue };
        attach(&mut observation, kind);
        if kind == "contact" {
            share_contact(&mut observation, attachment)?;
        }
    }
    say(&mut observation, text_under(&body, "text", TEXT)?);
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
    note(&mut observation, "data", text_under(&callback, "payload", DATA)?);
    Ok(observation)
}

fn removed(update: Spot<'_>, at: Timestamp) -> Result<Observation, Unparsed> {
    let id = update.need("message_id")?.id()?;
    let session = update.need("chat_id")?.id()?;
    let mut observation = Observation::new(at, Channel::Max, session, word("delete"));
    observation.native_id = format!("message_removed:{id}");
    observation.actor = Actor::System;
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
    seen::unknown(at, Channel::Max, session, native_id, kind)
}

fn contact(user: &Spot<'_>) -> Result<Contact, Unparsed> {
    let name = text_under(user, "name", LABEL)?;
    let first = || text_under(user, "first_name", LABEL);
    Ok(Contact {
        name: if name.is_some() { name } else { first()? },
        messenger_id: integer_under(user, "user_id")?.map(|id| id.to_string()),
        ..Contact::default()
    })
}
