//! VK Callback API.
//!
//! <https://dev.vk.com/ru/api/callback/getting-started>
//!
//! VK signs nothing: the secret stands in the body. What the community says comes back as `message_reply`; one that names
//! an administrator was written by a person. In group chats a message has no number of its own but the chat's.

use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::observation::{Contact, Observation};
use domain::timestamp::Timestamp;
use serde::Deserialize;
use std::borrow::Cow;

use crate::json::{self, Spot, integer_under, text_under};
use crate::opt_out::mailing;
use crate::referral::Referral;
use crate::seen::{self, attach, note, say, word};
use crate::{Unparsed, VerifyError, proof};

/// The longest text; VK's own limit is 4,096.
const TEXT: usize = 16_384;
/// The longest of what programs tell each other: the data of a button, the name of a link.
const DATA: usize = 4_096;

/// What is read of a body before it has proved itself.
#[derive(Deserialize)]
struct Envelope<'b> {
    #[serde(borrow)]
    r#type: Option<Cow<'b, str>>,
    #[serde(borrow)]
    secret: Option<Cow<'b, str>>,
}

/// The first request asks for the confirmation string and may come without the secret: nothing is stored of it.
pub(crate) fn verify(body: &[u8], secrets: &[&[u8]]) -> Result<(), VerifyError> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|_not_json| VerifyError::WrongProof)?;
    match envelope.secret {
        Some(secret) => proof::is_one_of(secrets, secret.as_bytes()),
        None if envelope.r#type.as_deref() == Some("confirmation") => Ok(()),
        None => Err(VerifyError::missing("member", "secret")),
    }
}

/// Whether VK asks for the confirmation string.
pub(crate) fn asks_to_confirm(body: &[u8]) -> bool {
    serde_json::from_slice::<Envelope<'_>>(body)
        .is_ok_and(|envelope| envelope.r#type.as_deref() == Some("confirmation"))
}

pub(crate) fn parse(body: &[u8], received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
    let value = json::read(body)?;
    let event = Spot::root(&value);
    let kind =
        event.word("type").ok_or_else(|| json::unreadable("/type", "is required: the kind of event"))?;
    let object = event.need("object")?;
    let group = integer_under(&event, "group_id")?;
    let mut observation = match kind {
        "message_new" => message(object.get("message").unwrap_or(object), group, Said::First)?,
        "message_reply" => message(object, group, Said::First)?,
        "message_edit" => message(object, group, Said::Again)?,
        "wall_reply_new" | "photo_comment_new" | "video_comment_new" | "market_comment_new" => {
            comment(object, group, kind)?
        }
        "message_event" => pressed(object, received_at)?,
        // Comes with a client's first message, too: whoever lets the community write has not asked for mailings.
        "message_allow" => permission(object, received_at, "bot_unblocked")?,
        "message_deny" => {
            let mut observation = permission(object, received_at, "bot_blocked")?;
            observation.consent = Some(mailing(false));
            observation
        }
        _ => unknown(kind, event, received_at),
    };
    observation.native_id = match event.word("event_id") {
        Some(id) => format!("event:{id}"),
        // Before version 5.103 events had no id.
        None => format!("{kind}:{}", object.written()),
    };
    Ok(vec![observation])
}

/// Whether a message is new or another edition of an old one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    First,
    Again,
}

fn message(message: Spot<'_>, group: Option<i64>, said: Said) -> Result<Observation, Unparsed> {
    let sent_at = message.need("date")?;
    let edited_at = message.get("update_time").filter(|_| said == Said::Again);
    let at = edited_at.unwrap_or(sent_at).instant()?;
    let author = integer_under(&message, "from_id")?.or(integer_under(&message, "user_id")?);
    let peer = integer_under(&message, "peer_id")?.or(author);
    let peer = peer.ok_or_else(|| message.invalid("must have peer_id or user_id"))?;
    let is_ours =
        integer_under(&message, "out")? == Some(1) || author.is_some_and(|author| is_of(author, group));

    let action = if said == Said::Again { word("edit") } else { Action::Message };
    let mut observation = Observation::new(at, Channel::Vk, peer.to_string(), action);
    if let Some(kind) = message.get("action").and_then(|action| action.word("type")) {
        seen::notice(&mut observation, kind, None);
        return Ok(observation);
    }
    observation.actor = match is_ours {
        false => Actor::Client,
        true if message.has("admin_author_id") => Actor::Staff,
        true => Actor::Assistant,
    };
    let client = if is_ours { Some(peer) } else { author };
    observation.contact.messenger_id = client.filter(|id| is_person(*id)).map(|id| id.to_string());

    let text = text_under(&message, "text", TEXT)?;
    let text = if text.is_some() { text } else { text_under(&message, "body", TEXT)? };
    let attached = message.items("attachments")?.find(|attachment| attachment.word("type").is_some());
    match attached.and_then(|attachment| attachment.word("type")) {
        Some("call") if said == Said::First => {
            observation.action = Action::Call;
            let state = attached.and_then(|attachment| attachment.get("call")?.word("state"));
            note(&mut observation, "status", state.map(str::to_owned));
        }
        Some(kind) => attach(&mut observation, kind),
        None if message.has("geo") => attach(&mut observation, "geo"),
        None if text.is_none() && message.items("fwd_messages")?.next().is_some() => {
            attach(&mut observation, "forward");
        }
        None => {}
    }
    say(&mut observation, text);
    note(&mut observation, "data", data(&message)?);
    Referral::by_link().with(&message, &[("ref", "ref"), ("ref_source", "source")])?.note(&mut observation);
    Ok(observation)
}

/// A comment in public. The conversation with its author in private messages has the same id: there it usually goes on.
fn comment(comment: Spot<'_>, group: Option<i64>, kind: &str) -> Result<Observation, Unparsed> {
    let id = comment.need("id")?.id()?;
    let at = comment.need("date")?.instant()?;
    let author = comment.need("from_id")?.integer()?;
    let person = Some(author).filter(|author| is_person(*author)).map(|author| author.to_string());
    let session = person.clone().unwrap_or_else(|| format!("comment:{id}"));
    let mut observation = Observation::new(at, Channel::Vk, session, word("comment"));
    observation.actor = if is_of(author, group) { Actor::Staff } else { Actor::Client };
    observation.contact.messenger_id = person;
    note(&mut observation, "under", kind.split('_').next().map(str::to_owned));
    if let Some(kind) = comment.items("attachments")?.find_map(|attachment| attachment.word("type")) {
        attach(&mut observation, kind);
    }
    say(&mut observation, text_under(&comment, "text", TEXT)?);
    Ok(observation)
}

/// A button under a message.
fn pressed(event: Spot<'_>, received_at: Timestamp) -> Result<Observation, Unparsed> {
    let user = event.need("user_id")?.integer()?;
    let peer = integer_under(&event, "peer_id")?.unwrap_or(user);
    let mut observation = Observation::new(received_at, Channel::Vk, peer.to_string(), word("button"));
    observation.actor = Actor::Client;
    observation.contact.messenger_id = Some(user.to_string());
    note(&mut observation, "data", data(&event)?);
    Ok(observation)
}

/// What the program gave to a button: JSON, in messages as a text.
fn data(holder: &Spot<'_>) -> Result<Option<String>, Unparsed> {
    let Some(payload) = holder.get("payload") else { return Ok(None) };
    if payload.value().is_string() { payload.text(DATA) } else { Ok(Some(payload.written())) }
}

/// The client lets the community write, or no longer.
fn permission(event: Spot<'_>, received_at: Timestamp, action: &str) -> Result<Observation, Unparsed> {
    let user = event.need("user_id")?.integer()?;
    let mut observation = Observation::new(received_at, Channel::Vk, user.to_string(), word(action));
    observation.actor = Actor::Client;
    observation.contact = Contact { messenger_id: Some(user.to_string()), ..Contact::default() };
    Ok(observation)
}

fn unknown(kind: &str, event: Spot<'_>, received_at: Timestamp) -> Observation {
    let user = event.get("object").and_then(|object| integer_under(&object, "user_id").ok().flatten());
    let session = user.map_or_else(|| format!("change:{kind}"), |user| user.to_string());
    seen::unknown(received_at, Channel::Vk, session, String::new(), kind)
}

/// Whether the community itself wrote it: in group chats others speak, too. Without its number, any community is taken for it.
fn is_of(author: i64, group: Option<i64>) -> bool {
    author < 0 && group.is_none_or(|group| author.checked_neg() == Some(group))
}

/// Communities have negative numbers, group chats numbers from two thousand million on.
fn is_person(id: i64) -> bool {
    (1..2_000_000_000).contains(&id)
}
