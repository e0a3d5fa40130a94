//! Telegram Bot API updates.
//!
//! What comes is what clients do. The bot's own replies never come back from Telegram (there is no echo), so the bot
//! reports them itself as canonical events with the chat id as `session_id`, or its deliveries pass through here and
//! [`answer`] reads what it answers. Where an update happens to show a text of the bot's (a pressed button, a reply),
//! it is kept with what the client did, and is no event: it would be the same message twice.
//!
//! A kind of update not listed in [`meaning`] is recorded, not refused: Telegram adds kinds every few months.

mod answer;
mod business;
mod membership;
mod message;
mod payment;
mod person;
mod reaction;
mod rich;

use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::observation::Observation;
use domain::timestamp::Timestamp;
use serde_json::Value;

use crate::json::{self, Spot};
use crate::seen::{kind_name, word};
use crate::{Delivery, Unparsed, VerifyError, proof};
pub(crate) use answer::wrap;
use message::Said;

const SECRET: &str = "x-telegram-bot-api-secret-token";

/// Telegram promises one member beside `update_id`; more than a few are not an update.
const MAX_MEMBERS: usize = 8;

/// The longest text of a message; Telegram's own limit is 4,096.
const TEXT: usize = 16_384;
/// The longest label: a name, a button's data, the payload of a start link. Telegram's own limits are 64 and less.
const LABEL: usize = 256;

/// Kinds of update that Telegram describes and that say nothing of a conversation.
const SERVICE: [&str; 10] = [
    "chat_boost",
    "chat_join_request",
    "chat_member",
    "chosen_inline_result",
    "inline_query",
    "message_reaction_count",
    "poll",
    "poll_answer",
    "removed_chat_boost",
    "shipping_query",
];

pub(crate) fn verify(delivery: &Delivery<'_>, secrets: &[&[u8]]) -> Result<(), VerifyError> {
    proof::in_header(delivery, secrets, SECRET)
}

pub(crate) fn parse(body: &[u8], received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
    let value = json::read(body)?;
    if !value.is_object() {
        return Err(json::unreadable("", "must be a JSON object"));
    }
    let update = Spot::root(&value);
    let id = update_id(&value).ok_or_else(|| {
        json::unreadable("/update_id", "is required: a whole number, the number of the update")
    })?;
    let update = Update { id, received_at, spot: update };
    let kinds: Vec<&str> = members(&update.spot).take(MAX_MEMBERS + 1).collect();
    match kinds.as_slice() {
        [] => Ok(vec![update.unknown("none", 0)]),
        [_, ..] if kinds.len() > MAX_MEMBERS => {
            Err(json::unreadable("", "must have one member beside update_id"))
        }
        _ => kinds.iter().zip(0..).map(|(kind, position)| meaning(&update, kind, position)).collect(),
    }
}

/// One update, and what every observation of it shares.
struct Update<'v> {
    id: i64,
    received_at: Timestamp,
    spot: Spot<'v>,
}

/// What one member of an update means.
fn meaning(update: &Update<'_>, kind: &str, position: usize) -> Result<Observation, Unparsed> {
    let Some(member) = update.spot.get(kind) else { return Ok(update.unknown(kind, position)) };
    match kind {
        "message" | "business_message" | "guest_message" => {
            message::observe(update, member, position, Said::First)
        }
        "edited_message" | "edited_business_message" => {
            message::observe(update, member, position, Said::Edited)
        }
        "callback_query" => message::pressed(update, member, position),
        "my_chat_member" => membership::observe(update, member, position),
        "message_reaction" => reaction::observe(update, member, position),
        "business_connection" => business::connection(update, member, position),
        "deleted_business_messages" => business::deleted(update, member, position),
        "pre_checkout_query" => payment::asked(update, member, position),
        "purchased_paid_media" => payment::bought(update, member, position),
        answer::KIND => answer::observe(update, member),
        "channel_post" | "edited_channel_post" => Ok(update.notice(kind, position, "channel_post")),
        _ if SERVICE.contains(&kind) => Ok(update.notice(kind, position, "service_message")),
        _ => Ok(update.unknown(kind, position)),
    }
}

impl Update<'_> {
    /// An observation of this update, with what every one has.
    fn observation(&self, position: usize, at: Timestamp, session: String, action: Action) -> Observation {
        let mut observation = Observation::new(at, Channel::Telegram, session, action);
        observation.native_id = match position {
            0 => format!("update:{}", self.id),
            _ => format!("update:{}:{position}", self.id),
        };
        observation
    }

    /// When something happened: what it says itself, or when it came. Telegram writes 0 for "cannot be told".
    fn instant(&self, spot: &Spot<'_>, key: &str) -> Result<Timestamp, Unparsed> {
        let Some(date) = spot.get(key) else { return Ok(self.received_at) };
        match date.integer()? {
            0 => Ok(self.received_at),
            seconds => Timestamp::from_unix_seconds(seconds)
                .map_err(|out_of_range| date.invalid(&out_of_range.to_string())),
        }
    }

    /// An update of a kind that says nothing to us yet. Read leniently: whatever it looks like, it is recorded.
    fn unknown(&self, kind: &str, position: usize) -> Observation {
        self.notice(kind, position, "unknown_update")
    }

    fn notice(&self, kind: &str, position: usize, action: &str) -> Observation {
        let member = self.spot.get(kind);
        let at = member.as_ref().and_then(|member| self.instant(member, "date").ok());
        let session = member.as_ref().and_then(chat_of).map(|id| id.to_string());
        let mut observation = self.observation(
            position,
            at.unwrap_or(self.received_at),
            session.unwrap_or_else(|| format!("update:{}", self.id)),
            word(action),
        );
        observation.actor = Actor::System;
        observation.attributes.insert("kind".to_owned(), kind_name(kind));
        observation
    }
}

fn update_id(update: &Value) -> Option<i64> {
    update.get("update_id").and_then(Value::as_i64)
}

fn members<'v>(update: &Spot<'v>) -> impl Iterator<Item = &'v str> + use<'v> {
    update.keys().filter(|&key| key != "update_id")
}

/// The chat a member of an update belongs to; without one, the person's own chat with the bot, which has their id.
fn chat_of(member: &Spot<'_>) -> Option<i64> {
    let direct = member.get("chat");
    let through_message = || member.get("message")?.get("chat");
    let chat = direct.or_else(through_message).and_then(|chat| chat.get("id"));
    let own = || member.get("user_chat_id");
    let person = || member.get("from").or_else(|| member.get("user"))?.get("id");
    chat.or_else(own).or_else(person)?.integer().ok()
}
