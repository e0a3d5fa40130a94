//! Avito Messenger, webhooks of version 3.
//!
//! Avito signs nothing: the secret stands in the address. The author tells who speaks: the account itself, the client, or,
//! where there is none, Avito, which also speaks in the name of others: then the kind of the message says so.

use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::observation::{Contact, Observation};
use domain::timestamp::Timestamp;
use serde_json::Value;

use crate::Unparsed;
use crate::json::{self, Spot, text_under};
use crate::seen::{self, attach, note, say, word};

/// The longest text.
const TEXT: usize = 16_384;

pub(crate) fn parse(body: &[u8], received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
    let value = json::read(body)?;
    let root = Spot::root(&value);
    let payload = root.get("payload").ok_or_else(|| json::unreadable("/payload", "is required"))?;
    let kind = payload.need("type")?.as_word()?;
    if kind != "message" {
        let native_id = format!("change:{}", root.written());
        let session = format!("change:{kind}");
        return Ok(vec![seen::unknown(received_at, Channel::Avito, session, native_id, kind)]);
    }
    Ok(vec![message(root, payload.need("value")?, received_at)?])
}

fn message(delivery: Spot<'_>, message: Spot<'_>, received_at: Timestamp) -> Result<Observation, Unparsed> {
    let id = message.need("id")?.id()?;
    let chat = message.need("chat_id")?.id()?;
    let kind = message.word("type").unwrap_or("text");
    // What was taken back keeps the date on which it was written.
    let dated = if kind == "deleted" { delivery.get("timestamp") } else { message.get("created") };
    let at = dated.map(|at| at.instant()).transpose()?.unwrap_or(received_at);

    let mut observation = Observation::new(at, Channel::Avito, chat, Action::Message);
    observation.native_id = format!("message:{id}");
    if let Some(item) = message.get("item_id") {
        observation.attributes.insert("item".to_owned(), Value::from(item.id()?));
    }
    let content = message.get("content");
    let text = |holder: Option<Spot<'_>>| {
        holder.map(|holder| text_under(&holder, "text", TEXT)).transpose().map(Option::flatten)
    };
    let text = match kind {
        "link" => text(content.and_then(|content| content.get("link")))?,
        _ => text(content)?,
    };
    // Avito's own words come in the name of either side, too: what kind it is decides before who wrote it.
    let author = if kind == "system" { None } else { author(&message)? };
    match author {
        Some(author) => (observation.actor, observation.contact) = author,
        None if kind == "deleted" => observation.actor = Actor::System,
        None => {
            seen::notice(&mut observation, kind, text);
            return Ok(observation);
        }
    }
    match kind {
        "text" => {}
        "deleted" => {
            observation.action = word("delete");
            observation.native_id.push_str(":deleted");
            note(&mut observation, "message", Some(id));
        }
        "call" | "appCall" => {
            observation.action = Action::Call;
            let inside = if kind == "call" { "call" } else { "app_call" };
            let call = content.and_then(|content| content.get(inside));
            note(&mut observation, "status", call.and_then(|call| call.word("status")).map(str::to_owned));
        }
        _ => attach(&mut observation, kind),
    }
    say(&mut observation, text);
    Ok(observation)
}

/// Who wrote it: the account, or the client. Nobody: Avito.
fn author(message: &Spot<'_>) -> Result<Option<(Actor, Contact)>, Unparsed> {
    let id = |key: &str| message.get(key).map(|id| id.id()).transpose();
    let Some(author) = id("author_id")?.filter(|author| author != "0") else { return Ok(None) };
    if Some(&author) == id("user_id")?.as_ref() {
        // Whether a person or a program wrote it, Avito does not say; programs are why we are here.
        return Ok(Some((Actor::Assistant, Contact::default())));
    }
    let contact = Contact { messenger_id: Some(author), ..Contact::default() };
    Ok(Some((Actor::Client, contact)))
}
