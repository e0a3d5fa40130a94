//! What becomes of what was sent, and what clients want sent.

use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::observation::{Contact, Observation};
use serde_json::Value;

use super::{Change, LABEL};
use crate::Unparsed;
use crate::json::{Spot, integer_under, text_under};
use crate::opt_out::mailing;
use crate::seen::{kind_name, note, word};

/// What has statuses in the form of a message's.
const OF_OTHERS: [&str; 2] = ["payment", "call"];

/// One more step of a message on its way. Steps may be skipped, and come in any order.
pub(super) fn delivery(change: &Change<'_>, status: Spot<'_>) -> Result<Observation, Unparsed> {
    let id = status.need("id")?.message_id()?;
    let step = status.need("status")?.as_word()?;
    let at = status.need("timestamp")?.instant()?;
    let to = Recipient::read(change, &status)?;

    let about = status.word("type").filter(|about| OF_OTHERS.contains(about));
    let action = match step {
        _ if about.is_some() => "service_message",
        "sent" => "message_sent",
        "delivered" => "message_delivered",
        "read" => "message_read",
        "played" => "message_played",
        "failed" => "message_failed",
        "deleted" => "delete",
        _ => "unknown_update",
    };
    let mut observation = Observation::new(at, Channel::Whatsapp, to.session, word(action));
    observation.native_id = format!("status:{id}:{step}");
    if let Some(participant) = to.participant {
        observation.native_id.push(':');
        observation.native_id.push_str(participant);
    }
    observation.actor = Actor::System;
    observation.contact = to.contact;
    if let Some(about) = about {
        observation.attributes.insert("kind".to_owned(), kind_name(about));
        observation.attributes.insert("status".to_owned(), kind_name(step));
    } else if action == "unknown_update" {
        observation.attributes.insert("kind".to_owned(), kind_name(step));
    }
    note(&mut observation, "message", Some(id));
    if let Some(error) = status.items("errors")?.next() {
        let code = integer_under(&error, "code")?;
        observation.attributes.insert("error".to_owned(), Value::from(code));
    }
    Ok(observation)
}

/// Whom something was sent to.
struct Recipient<'v> {
    session: String,
    contact: Contact,
    /// Who of a group: each of them has statuses of their own, of one message.
    participant: Option<&'v str>,
}

impl<'v> Recipient<'v> {
    fn read(change: &Change<'_>, status: &Spot<'v>) -> Result<Self, Unparsed> {
        let number = status.word("recipient_participant_id");
        // Documented under this name, too.
        let number = number.or_else(|| status.word("participant_recipient_id"));
        let user = status.word("recipient_participant_user_id");
        let participant = user.or(number);
        let group = status.word("group_id").or_else(|| {
            let is_group = status.get("recipient_type").is_some_and(|kind| kind.is_word("group"));
            status.word("recipient_id").filter(|_| is_group || participant.is_some())
        });
        if let Some(group) = group {
            let contact = participant.map(|_| change.client(number, user).contact).unwrap_or_default();
            return Ok(Self { session: group.to_owned(), contact, participant });
        }
        // A participant of a group that is not named is known at least.
        let user = status.word("recipient_user_id").or(user);
        let client = change.client(status.word("recipient_id"), user);
        let session = client.session.ok_or_else(|| status.invalid("must name the recipient"))?;
        Ok(Self { session, contact: client.contact, participant })
    }
}

/// A client wants advertising again, or no more of it.
pub(super) fn preference(change: &Change<'_>, preference: Spot<'_>) -> Result<Observation, Unparsed> {
    let at = preference.need("timestamp")?.instant()?;
    let client = change.client(preference.word("wa_id"), preference.word("user_id"));
    let session = client.session.ok_or_else(|| preference.invalid("must name the client"))?;
    let value = preference.need("value")?.as_word()?;
    let mut observation = Observation::new(at, Channel::Whatsapp, session.clone(), word("unknown_update"));
    observation.native_id = format!("preference:{session}:{value}:{}", at.unix_micros());
    observation.contact = client.contact;
    prefer(&mut observation, value);
    note(&mut observation, "category", text_under(&preference, "category", LABEL)?);
    Ok(observation)
}

/// What a client wants, in WhatsApp's word.
pub(super) fn prefer(observation: &mut Observation, value: &str) {
    observation.actor = Actor::Client;
    let (action, consent) = match value {
        "resume" => (Action::ConsentGrant, Some(mailing(true))),
        "stop" => (Action::ConsentWithdraw, Some(mailing(false))),
        _ => (word("unknown_update"), None),
    };
    observation.action = action;
    observation.consent = consent;
}

/// A client has another user id from now on.
pub(super) fn new_user_id(change: &Change<'_>, update: Spot<'_>) -> Result<Observation, Unparsed> {
    let at = update.need("timestamp")?.instant()?;
    let ids = update.need("user_id")?;
    let current = ids.need("current")?.id()?;
    let client = change.client(update.word("wa_id"), Some(&current));
    let mut observation = Observation::new(at, Channel::Whatsapp, current.clone(), word("client_renamed"));
    observation.native_id = format!("user_id:{current}");
    observation.actor = Actor::System;
    observation.contact = client.contact;
    observation.attributes.insert("kind".to_owned(), Value::from("user_id_update"));
    observation.contact.other_messenger_id = text_under(&ids, "previous", LABEL)?;
    Ok(observation)
}
