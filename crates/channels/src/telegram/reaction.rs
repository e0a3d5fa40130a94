//! Reactions.

use domain::action::Actor;
use domain::observation::Observation;

use super::person::{contact, is_private};
use super::{LABEL, Update};
use crate::Unparsed;
use crate::json::{Spot, integer_under, text_under};
use crate::seen::{note, word};

/// Telegram tells which reactions there were and which there are: what came is a reaction, what only went is one taken back.
pub(super) fn observe(
    update: &Update<'_>,
    reaction: Spot<'_>,
    position: usize,
) -> Result<Observation, Unparsed> {
    let chat = reaction.need("chat")?;
    let session = chat.need("id")?.integer()?.to_string();
    let at = update.instant(&reaction, "date")?;
    let before: Vec<Spot<'_>> = reaction.items("old_reaction")?.collect();
    let now: Vec<Spot<'_>> = reaction.items("new_reaction")?.collect();
    let not_in =
        |others: &[Spot<'_>], one: &Spot<'_>| others.iter().all(|other| other.value() != one.value());
    let came = now.iter().find(|one| not_in(&before, one));
    let went = before.iter().find(|one| not_in(&now, one));

    let action = word(if came.is_some() { "reaction" } else { "reaction_removed" });
    let mut observation = update.observation(position, at, session, action);
    // One's own emoji of a paying account have no character.
    let emoji = came.or(went).map(|one| text_under(one, "emoji", LABEL)).transpose()?.flatten();
    note(&mut observation, "emoji", emoji);
    (observation.actor, observation.contact) = match reaction.get("user") {
        Some(user) if is_private(&chat) && user.need("id")?.integer()? != chat.need("id")?.integer()? => {
            (Actor::Staff, contact(&chat)?)
        }
        Some(user) => (Actor::Client, contact(&user)?),
        None => (hidden(&reaction, &chat)?, Default::default()),
    };
    Ok(observation)
}

/// Who reacts in the name of a chat: of the group itself, one of its administrators.
fn hidden(reaction: &Spot<'_>, chat: &Spot<'_>) -> Result<Actor, Unparsed> {
    let Some(actor) = reaction.get("actor_chat") else { return Ok(Actor::System) };
    let is_of_group = integer_under(&actor, "id")? == integer_under(chat, "id")?;
    Ok(if is_of_group { Actor::Staff } else { Actor::Client })
}
