//! What becomes of what was sent, and what clients want sent.

use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::observation::Observation;
use serde_json::Value;

use super::{Change, LABEL};
use crate::Unparsed;
use crate::json::{Spot, integer_under, text_under};
use crate::opt_out::mailing;
use crate::seen::{kind_name, note, word};

/// One more step of a message on its way. Steps may be skipped, and come in any order.
pub(super) fn delivery(change: &Change<'_>, status: Spot<'_>) -> Result<Observation, Unparsed> {
    let id = status.need("id")?.id()?;
    let step = status.need("status")?.as_word()?;
    let at = status.need("timestamp")?.instant()?;
    let user = status.word("recipient_user_id").or_else(|| status.word("recipient_participant_user_id"));
    let client = change.client(status.word("recipient_id"), user);
    let session = client.session.ok_or_else(|| status.invalid("must name the recipient"))?;

    let action = match step {
        "sent" => "message_sent",
        "delivered" => "message_delivered",
        "read" => "message_read",
        "played" => "message_played",
        "failed" => "message_failed",
        "deleted" => "delete",
        _ => "unknown_update",
    };
    let mut observation = Observation::new(at, Channel::Whatsapp, session, word(action));
    observation.native_id = format!("status:{id}:{step}");
    observation.actor = Actor::System;
    observation.contact = client.contact;
    note(&mut observation, "message", Some(id));
    if action == "unknown_update" {
        observation.attributes.insert("kind".to_owned(), kind_name(step));
    }
    if let Some(error) = status.items("errors")?.next() {
        let code = integer_under(&error, "code")?;
        observation.attributes.insert("error".to_owned(), Value::from(code));
    }
    Ok(observation)
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
