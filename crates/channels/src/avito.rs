//! Avito Messenger, webhooks of version 3.
//!
//! Avito signs nothing: the secret stands in the address. The author tells who speaks: the account itself, the client, or,
//! where there is none, Avito.

use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::observation::{Contact, Observation};
use domain::timestamp::Timestamp;
use serde_json::Value;

use crate::Unparsed;
use crate::json::{self, Spot, integer_under, text_under};
use crate::seen::{self, attach, say};

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
    let message = payload.need("value")?;
    let id = message.need("id")?.id()?;
    let chat = message.need("chat_id")?.id()?;
    let at = message.get("created").map(|created| created.instant()).transpose()?.unwrap_or(received_at);
    let author = integer_under(&message, "author_id")?.filter(|author| *author != 0);
    let account = integer_under(&message, "user_id")?;

    let mut observation = Observation::new(at, Channel::Avito, chat, Action::Message);
    observation.native_id = format!("message:{id}");
    match author {
        None => observation.actor = Actor::System,
        // Whether a person or a program wrote it, Avito does not say; programs are why we are here.
        Some(_) if author == account => observation.actor = Actor::Assistant,
        Some(author) => {
            observation.actor = Actor::Client;
            observation.contact = Contact { messenger_id: Some(author.to_string()), ..Contact::default() };
        }
    }
    let kind = message.word("type").unwrap_or("text");
    if !matches!(kind, "text" | "system") {
        attach(&mut observation, kind);
    }
    if let Some(item) = message.get("item_id") {
        observation.attributes.insert("item".to_owned(), Value::from(item.id()?));
    }
    if let Some(content) = message.get("content") {
        say(&mut observation, text_under(&content, "text", TEXT)?);
    }
    Ok(vec![observation])
}
