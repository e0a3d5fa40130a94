//! Jivo Webhooks API: what becomes of a chat, and, once it is over, all that was said in it.
//!
//! <https://www.jivochat.com/docs/webhooks/>
//!
//! Events have no id: what makes one unique is what it says. The visitor's number is not the client's id of the Bot API.

use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::observation::{Contact, Observation};
use domain::timestamp::Timestamp;

use super::{LABEL, TEXT, phone};
use crate::Unparsed;
use crate::batch::Batch;
use crate::json::{Spot, text_under};
use crate::seen::{self, note, say, word};

/// Kinds of event that say how a chat is doing, and nothing of what is said in it.
const NOTICES: [&str; 6] =
    ["call_event", "chat_accepted", "chat_assigned", "chat_finished", "chat_updated", "client_updated"];

/// The most messages of one chat that are read, as many as others put into a body. What is said in a chat has no limit of
/// Jivo's, and each message would become an event.
const MOST_MESSAGES: usize = 1_000;

pub(super) fn read(
    event: &Spot<'_>,
    kind: &str,
    received_at: Timestamp,
) -> Result<Vec<Observation>, Unparsed> {
    let chat = event.get("chat_id").map(|chat| chat.id()).transpose()?;
    let visitor = event.get("visitor").map(|visitor| contact(&visitor)).unwrap_or_default();
    if kind == "offline_message" {
        return Ok(vec![left_word(event, chat, visitor, received_at)?]);
    }
    let mut batch = Batch::new(*event, received_at);
    if kind == "chat_finished"
        && let (Some(chat), Some(inside)) = (&chat, event.get("chat"))
    {
        let messages = batch.first_items(Channel::Site, inside, "messages", MOST_MESSAGES);
        for (position, spot) in messages.enumerate() {
            batch.add(Channel::Site, "messages", spot, |spot| {
                message(&spot, chat, position, &visitor, received_at)
            });
        }
    }
    batch.push(notice(event, kind, chat, visitor, received_at));
    batch.finish("", "must hold an event")
}

/// One message of a chat that is over.
fn message(
    message: &Spot<'_>,
    chat: &str,
    position: usize,
    visitor: &Contact,
    received_at: Timestamp,
) -> Result<Observation, Unparsed> {
    let at = message.get("timestamp").map(|at| at.instant()).transpose()?.unwrap_or(received_at);
    let mut said = Observation::new(at, Channel::Site, chat.to_owned(), Action::Message);
    said.native_id = format!("chat:{chat}:{position}:{}", message.written());
    let text = text_under(message, "message", TEXT)?;
    match message.word("type") {
        Some("visitor") => said.actor = Actor::Client,
        // A bot is an agent like any other here.
        Some("agent") => said.actor = Actor::Staff,
        kind => {
            seen::notice(&mut said, kind.unwrap_or("message"), text);
            return Ok(said);
        }
    }
    said.contact = visitor.clone();
    say(&mut said, text);
    Ok(said)
}

/// What a visitor wrote while nobody was there.
fn left_word(
    event: &Spot<'_>,
    chat: Option<String>,
    visitor: Contact,
    received_at: Timestamp,
) -> Result<Observation, Unparsed> {
    let id = event.get("offline_message_id").map(|id| id.id()).transpose()?;
    let session = chat.or_else(|| id.as_ref().map(|id| format!("offline_message:{id}")));
    let session = session.unwrap_or_else(|| "change:offline_message".to_owned());
    let native_id = format!("offline_message:{}", id.unwrap_or_else(|| event.written()));
    let mut said = Observation::new(received_at, Channel::Site, session, Action::Message);
    said.native_id = native_id;
    said.actor = Actor::Client;
    said.contact = visitor;
    say(&mut said, text_under(event, "message", TEXT)?);
    Ok(said)
}

fn notice(
    event: &Spot<'_>,
    kind: &str,
    chat: Option<String>,
    visitor: Contact,
    received_at: Timestamp,
) -> Observation {
    let native_id = format!("{kind}:{}", event.written());
    let session = chat.unwrap_or_else(|| format!("change:{kind}"));
    let mut observation = seen::unknown(received_at, Channel::Site, session, native_id, kind);
    observation.contact = visitor;
    if NOTICES.contains(&kind) {
        observation.action = word("service_message");
    }
    let inside = |holder: &str, key: &str| event.get(holder)?.word(key).map(str::to_owned);
    note(&mut observation, "rate", inside("chat", "rate"));
    note(&mut observation, "status", inside("call", "status"));
    observation
}

/// What can be read of who wrote. What cannot is left out: no word of a chat is lost by it.
fn contact(visitor: &Spot<'_>) -> Contact {
    let text = |key: &str| text_under(visitor, key, LABEL).ok().flatten();
    let phone = phone(visitor).ok().flatten();
    Contact { phone, email: text("email"), name: text("name"), ..Contact::default() }
}
