//! A business account and the bot that is connected to it.

use domain::action::Actor;
use domain::observation::Observation;
use serde_json::Value;

use super::Update;
use super::person::{contact, is_private};
use crate::Unparsed;
use crate::json::Spot;
use crate::seen::word;

/// The account was connected to the bot, or no longer is. From then on it sees, or no longer sees, its conversations.
pub(super) fn connection(
    update: &Update<'_>,
    connection: Spot<'_>,
    position: usize,
) -> Result<Observation, Unparsed> {
    let owner = connection.need("user_chat_id")?.integer()?;
    let at = update.instant(&connection, "date")?;
    let is = |spot: Option<Spot<'_>>| spot.is_some_and(|flag| flag.is_true());
    let is_on = is(connection.get("is_enabled"));
    let action = word(if is_on { "business_connected" } else { "business_disconnected" });
    let mut observation = update.observation(position, at, owner.to_string(), action);
    observation.actor = Actor::System;
    // Until version 9 of the Bot API it stood outside the rights.
    let rights = connection.get("rights").and_then(|rights| rights.get("can_reply"));
    let may_reply = is(rights) || is(connection.get("can_reply"));
    observation.attributes.insert("can_reply".to_owned(), Value::from(may_reply));
    Ok(observation)
}

/// Messages were taken back; by which side nothing says.
pub(super) fn deleted(
    update: &Update<'_>,
    deleted: Spot<'_>,
    position: usize,
) -> Result<Observation, Unparsed> {
    let chat = deleted.need("chat")?;
    let session = chat.need("id")?.integer()?.to_string();
    let mut observation = update.observation(position, update.received_at, session, word("delete"));
    observation.actor = Actor::System;
    if is_private(&chat) {
        observation.contact = contact(&chat)?;
    }
    let messages: Result<Vec<i64>, Unparsed> = deleted.items("message_ids")?.map(|id| id.integer()).collect();
    observation.attributes.insert("messages".to_owned(), Value::from(messages?));
    Ok(observation)
}
