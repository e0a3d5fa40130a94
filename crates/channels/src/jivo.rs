//! Jivo, a chat on a site: its Bot API, which passes on what clients write to the bot, and its [Webhooks API](webhook), which
//! tells afterwards what was said in a chat.
//!
//! <https://www.jivochat.com/docs/bot/>
//!
//! Jivo signs nothing: the secret stands in the address.

mod webhook;

use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::observation::{Contact, Observation};
use domain::timestamp::Timestamp;

use crate::Unparsed;
use crate::json::{self, Spot, text_under};
use crate::seen::{self, attach, say, word};

/// The longest text.
const TEXT: usize = 16_384;
/// The longest label: an id, a name.
const LABEL: usize = 256;

/// What the bot is told besides what the client writes: a person takes over, nobody can, the chat is over.
const NOTICES: [&str; 3] = ["AGENT_JOINED", "AGENT_UNAVAILABLE", "CHAT_CLOSED"];

pub(crate) fn parse(body: &[u8], received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
    let value = json::read(body)?;
    let event = Spot::root(&value);
    if let Some(kind) = event.word("event_name") {
        return webhook::read(&event, kind, received_at);
    }
    let kind =
        event.word("event").ok_or_else(|| json::unreadable("/event", "is required: the kind of event"))?;
    let channel = channel_of(&event);
    let id = event.get("id").map(|id| id.id()).transpose()?;
    let native_id = format!("{kind}:{}", id.unwrap_or_else(|| event.written()));
    let chat = event.get("chat_id").map(|chat| chat.id()).transpose()?;
    if kind != "CLIENT_MESSAGE" {
        let session = chat.unwrap_or_else(|| format!("change:{kind}"));
        let mut observation = seen::unknown(received_at, channel, session, native_id, kind);
        if NOTICES.contains(&kind) {
            observation.action = word("service_message");
            observation.contact = contact(&event)?;
        }
        return Ok(vec![observation]);
    }
    let message = event.need("message")?;
    let at = message.get("timestamp").map(|at| at.instant()).transpose()?.unwrap_or(received_at);
    let session = chat.ok_or_else(|| event.invalid("must have chat_id"))?;

    let mut observation = Observation::new(at, channel, session, Action::Message);
    observation.native_id = native_id;
    observation.actor = Actor::Client;
    observation.contact = contact(&event)?;
    let kind = message.word("type").unwrap_or("TEXT").to_lowercase();
    if !matches!(kind.as_str(), "text" | "markdown") {
        attach(&mut observation, &kind);
    }
    say(&mut observation, text_under(&message, "text", TEXT)?);
    Ok(vec![observation])
}

fn contact(event: &Spot<'_>) -> Result<Contact, Unparsed> {
    let id = event.get("client_id").map(|id| id.id()).transpose()?;
    let Some(sender) = event.get("sender") else {
        return Ok(Contact { messenger_id: id, ..Contact::default() });
    };
    let text = |key: &str| text_under(&sender, key, LABEL);
    Ok(Contact {
        phone: phone(&sender)?,
        email: text("email")?,
        name: text("name")?,
        messenger_id: id,
        ..Contact::default()
    })
}

/// A phone, also one that was written as a number: whoever gives the widget what it knows of a visitor writes it as they like.
fn phone(person: &Spot<'_>) -> Result<Option<String>, Unparsed> {
    match person.get("phone").and_then(|phone| phone.value().as_u64()) {
        Some(number) => Ok(Some(number.to_string())),
        None => text_under(person, "phone", LABEL),
    }
}

/// Jivo's own widget is the site; other messengers go by names of their own.
fn channel_of(event: &Spot<'_>) -> Channel {
    match event.get("channel").and_then(|channel| channel.word("type")) {
        None | Some("widget") => Channel::Site,
        Some("tg") => Channel::Telegram,
        Some("vk") => Channel::Vk,
        Some("ig") => Channel::Instagram,
        Some("wa" | "whatsapp") => Channel::Whatsapp,
        Some("avito") => Channel::Avito,
        Some(_) => Channel::Other,
    }
}
