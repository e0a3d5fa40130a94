//! What happens in a conversation.

use domain::action::{Action, Actor};
use domain::observation::{Contact, Observation};
use serde_json::Value;

use super::{Account, DATA, LABEL, TEXT};
use crate::Unparsed;
use crate::json::{Spot, integer_under, text_under};
use crate::opt_out::mailing;
use crate::referral::Referral;
use crate::seen::{self, attach, kind_name, note, say, word};

/// What an item may be, beside keys that say more of it.
const KINDS: [&str; 8] =
    ["message", "postback", "reaction", "read", "delivery", "referral", "optin", "message_edit"];

/// Keys that say who and when. Of an item of no known kind, the first other one names what it is.
const ENVELOPE: [&str; 3] = ["recipient", "sender", "timestamp"];

pub(super) fn observe(account: &Account<'_>, item: Spot<'_>) -> Result<Observation, Unparsed> {
    let item = item.object()?;
    let unknown = || item.keys().find(|key| !ENVELOPE.contains(key)).unwrap_or("empty");
    let kind = KINDS.into_iter().find(|kind| item.has(kind)).unwrap_or_else(unknown);
    let is_between_two = ["sender", "recipient"].iter().all(|end| has_id(&item, end));
    if !is_between_two && !SAID.contains(&kind) {
        return Ok(about_account(account, &item, kind));
    }
    let sender = item.need("sender")?.need("id")?.id()?;
    let recipient = item.need("recipient")?.need("id")?.id()?;
    let message = item.get("message");
    let is_echo = message.and_then(|message| message.get("is_echo")).is_some_and(|echo| echo.is_true());
    let is_own = is_echo || account.is_own(&sender);
    let client = if is_own { &recipient } else { &sender };
    let at = item.get("timestamp").map(|timestamp| timestamp.instant()).transpose()?;

    let mut observation = Observation::new(
        at.unwrap_or_else(|| account.instant()),
        account.channel,
        client.clone(),
        Action::Message,
    );
    observation.actor = match is_own {
        false => Actor::Client,
        true if message.is_some_and(|message| message.has("app_id")) => Actor::Assistant,
        true => Actor::Staff,
    };
    observation.contact = Contact { messenger_id: Some(client.clone()), ..Contact::default() };

    match (kind, item.get(kind)) {
        ("message", Some(message)) => said(&mut observation, message)?,
        ("postback", Some(postback)) => pressed(&mut observation, &item, postback)?,
        ("reaction", Some(reaction)) => reacted(&mut observation, &item, reaction)?,
        ("read", Some(read)) => passed(&mut observation, &item, read, "message_read"),
        ("delivery", Some(delivery)) => passed(&mut observation, &item, delivery, "message_delivered"),
        ("referral", Some(referral)) => {
            observation.action = word("referral");
            observation.native_id = format!("referral:{}", item.written());
            refer(&mut observation, referral)?;
        }
        ("optin", Some(optin))
            if optin.get("type").is_some_and(|kind| kind.is_word("notification_messages")) =>
        {
            observation.native_id = format!("optin:{}", item.written());
            prefer(&mut observation, optin);
        }
        ("message_edit", Some(edit)) if edit.has("text") => edited(&mut observation, edit)?,
        _ => {
            observation.action = word("unknown_update");
            observation.actor = Actor::System;
            observation.native_id = format!("{kind}:{}", item.written());
            observation.attributes.insert("kind".to_owned(), kind_name(kind));
        }
    }
    Ok(observation)
}

/// What a client does. Without its ends nobody knows whose it is, and its words must not get lost in what nobody reads.
const SAID: [&str; 3] = ["message", "postback", "reaction"];

fn has_id(item: &Spot<'_>, end: &str) -> bool {
    item.get(end).is_some_and(|end| end.has("id"))
}

/// What names no client, or not by an id: how the account stands with Meta, who may answer for it, an edit without its text.
fn about_account(account: &Account<'_>, item: &Spot<'_>, kind: &str) -> Observation {
    let at = item.get("timestamp").and_then(|timestamp| timestamp.instant().ok());
    let at = at.unwrap_or_else(|| account.instant());
    let native_id = format!("{kind}:{}", item.written());
    seen::unknown(at, account.channel, format!("change:{}", seen::named(kind)), native_id, kind)
}

/// The text of a message is another from now on.
fn edited(observation: &mut Observation, edit: Spot<'_>) -> Result<(), Unparsed> {
    let id = edit.need("mid")?.message_id()?;
    let edition = integer_under(&edit, "num_edit")?.unwrap_or_default();
    observation.action = word("edit");
    observation.native_id = format!("message_edit:{id}:{edition}");
    say(observation, text_under(&edit, "text", TEXT)?);
    Ok(())
}

fn said(observation: &mut Observation, message: Spot<'_>) -> Result<(), Unparsed> {
    let id = message.need("mid")?.message_id()?;
    let is = |key: &str| message.get(key).is_some_and(|flag| flag.is_true());
    observation.native_id = format!("message:{id}");
    if is("is_deleted") {
        observation.action = word("delete");
        observation.native_id.push_str(":deleted");
        return Ok(());
    }
    // A shared post comes twice for a while, as what it is and under the name it had before.
    let mut kinds = message.items("attachments")?.filter_map(|attachment| attachment.word("type"));
    let first = kinds.next();
    let kind = kinds.find(|_| first == Some("share")).or(first);
    if let Some(kind) = kind.or(is("is_unsupported").then_some("unsupported")) {
        attach(observation, kind);
    }
    if let Some(reply) = message.get("quick_reply") {
        observation.action = word("button");
        note(observation, "data", text_under(&reply, "payload", DATA)?);
    }
    if message.get("reply_to").is_some_and(|reply| reply.has("story")) {
        observation.attributes.insert("reply_to_story".to_owned(), Value::from(true));
    }
    if let Some(referral) = message.get("referral") {
        refer(observation, referral)?;
    }
    say(observation, text_under(&message, "text", TEXT)?);
    Ok(())
}

fn pressed(observation: &mut Observation, item: &Spot<'_>, postback: Spot<'_>) -> Result<(), Unparsed> {
    observation.action = word("button");
    observation.native_id = match text_under(&postback, "mid", DATA)? {
        Some(id) => format!("message:{id}"),
        None => format!("postback:{}", item.written()),
    };
    note(observation, "data", text_under(&postback, "payload", DATA)?);
    say(observation, text_under(&postback, "title", TEXT)?);
    if let Some(referral) = postback.get("referral") {
        refer(observation, referral)?;
    }
    Ok(())
}

fn reacted(observation: &mut Observation, item: &Spot<'_>, reaction: Spot<'_>) -> Result<(), Unparsed> {
    let is_gone = reaction.get("action").is_some_and(|action| action.is_word("unreact"));
    observation.action = word(if is_gone { "reaction_removed" } else { "reaction" });
    observation.native_id = format!("reaction:{}", item.written());
    note(observation, "emoji", text_under(&reaction, "emoji", LABEL)?);
    Ok(())
}

/// The client asked for what Meta calls marketing messages, or for no more of them.
fn prefer(observation: &mut Observation, optin: Spot<'_>) {
    // Said only when messages are stopped or resumed; written with a space in some places.
    let is_stopped =
        optin.word("notification_messages_status").is_some_and(|status| status.starts_with("STOP"));
    observation.action = if is_stopped { Action::ConsentWithdraw } else { Action::ConsentGrant };
    observation.consent = Some(mailing(!is_stopped));
}

/// Messages of the business arrived, or were read.
fn passed(observation: &mut Observation, item: &Spot<'_>, step: Spot<'_>, action: &str) {
    observation.action = word(action);
    observation.actor = Actor::System;
    observation.native_id = format!("{action}:{}", item.written());
    let listed = step.items("mids").ok().into_iter().flatten().chain(step.get("mid"));
    let ids: Vec<_> = listed.filter_map(|id| id.message_id().ok()).collect();
    match ids.as_slice() {
        [] => (),
        [id] => note(observation, "message", Some(id.clone())),
        many => {
            observation.attributes.insert("messages".to_owned(), Value::from(many));
        }
    }
}

/// The advertisement or link a client came by.
fn refer(observation: &mut Observation, referral: Spot<'_>) -> Result<(), Unparsed> {
    let how = if referral.has("ad_id") { Referral::by_advertisement() } else { Referral::by_link() };
    let mut how = how.with(&referral, &[("source", "source"), ("ref", "ref"), ("ad_id", "id")])?;
    if let Some(context) = referral.get("ads_context_data") {
        how = how.with(&context, &[("ad_title", "headline")])?;
    }
    how.note(observation);
    Ok(())
}
