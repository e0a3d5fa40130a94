//! Messages of clients, and of people of the business.

use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::observation::Observation;

use super::content::{self, Said};
use super::{Change, Client, LABEL, status};
use crate::Unparsed;
use crate::json::{Spot, text_under};
use crate::seen::{kind_name, note, word};

pub(super) fn from_client(change: &Change<'_>, message: Spot<'_>) -> Result<Observation, Unparsed> {
    let system = message.get("system");
    // Of a client whose number or id has changed, the new one is named, and perhaps not the old one.
    let renamed = |key: &str| system.and_then(|system| system.word(key));
    let number = message.word("from").or_else(|| renamed("wa_id"));
    let user = message.word("from_user_id").or_else(|| renamed("user_id"));
    observe(change, message, number, user, Actor::Client)
}

/// What a person of the business did in the app.
pub(super) fn from_business(change: &Change<'_>, message: Spot<'_>) -> Result<Observation, Unparsed> {
    let own = change.value.get("metadata").and_then(|metadata| metadata.word("display_phone_number"));
    // Where a message is taken back, the two numbers have been seen to stand the other way round.
    let ends = if message.word("to") == own { ["from", "from_user_id"] } else { ["to", "to_user_id"] };
    let [number, user] = ends.map(|key| message.word(key));
    observe(change, message, number, user, Actor::Staff)
}

fn observe(
    change: &Change<'_>,
    message: Spot<'_>,
    number: Option<&str>,
    user: Option<&str>,
    actor: Actor,
) -> Result<Observation, Unparsed> {
    let id = message.need("id")?.message_id()?;
    let at = message.need("timestamp")?.instant()?;
    let group = message.word("group_id");
    // In a group, what the business is told of as the other end is the group.
    let client = match (group, actor) {
        (Some(_), Actor::Staff) => Client::default(),
        _ => change.client(number, user),
    };
    let session = group.map(str::to_owned).or(client.session);
    let session = session.ok_or_else(|| message.invalid("must name the client by number or user id"))?;

    let mut observation = Observation::new(at, Channel::Whatsapp, session, Action::Message);
    observation.native_id = format!("message:{id}");
    observation.actor = actor;
    observation.contact = client.contact;
    match message.word("type") {
        Some("edit") => {
            let edit = message.need("edit")?;
            content::read(&mut observation, edit.need("message")?, Said::Again)?;
        }
        Some("revoke") => observation.action = word("delete"),
        Some("system") => notice(&mut observation, message)?,
        _ => content::read(&mut observation, message, Said::First)?,
    }
    Ok(observation)
}

/// What WhatsApp calls it when a client goes by another number or id.
const RENAMED: [&str; 3] = ["user_changed_number", "customer_changed_number", "user_changed_user_id"];

/// WhatsApp's own notice: that a client goes by another number or id from now on; or, in an older form of what is a field of
/// its own now, that they want advertising or no more of it.
fn notice(observation: &mut Observation, message: Spot<'_>) -> Result<(), Unparsed> {
    let system = message.get("system");
    if let Some(wish) = system.and_then(|system| system.word("marketing")) {
        status::prefer(observation, wish);
        return Ok(());
    }
    observation.actor = Actor::System;
    let text =
        |key: &str| system.map(|system| text_under(&system, key, LABEL)).transpose().map(Option::flatten);
    let kind = text("type")?;
    if kind.as_deref().is_some_and(|kind| !RENAMED.contains(&kind)) {
        observation.action = word("service_message");
        observation.attributes.insert("kind".to_owned(), kind_name(kind.as_deref().unwrap_or_default()));
        return Ok(());
    }
    observation.action = word("client_renamed");
    note(observation, "kind", kind);
    let new = text("user_id")?.or(text("wa_id")?).or(text("new_wa_id")?);
    let contact = &mut observation.contact;
    contact.other_messenger_id = new.filter(|new| contact.messenger_id.as_ref() != Some(new));
    Ok(())
}
