//! The bot was blocked, unblocked, added or removed; or it may do more or less than before.

use domain::action::Actor;
use domain::observation::Observation;

use super::Update;
use super::person::{contact, is_private};
use crate::Unparsed;
use crate::json::Spot;
use crate::opt_out::mailing;
use crate::seen::word;

pub(super) fn observe(
    update: &Update<'_>,
    member: Spot<'_>,
    position: usize,
) -> Result<Observation, Unparsed> {
    let chat = member.need("chat")?;
    let session = chat.need("id")?.integer()?.to_string();
    let at = update.instant(&member, "date")?;
    let gone = is_gone(&member.need("new_chat_member")?)?;
    let was_gone = member.get("old_chat_member").map(|old| is_gone(&old)).transpose()?;

    if !is_private(&chat) {
        if was_gone == Some(gone) {
            return Ok(update.notice("my_chat_member", position, "service_message"));
        }
        let action = word(if gone { "bot_removed" } else { "bot_added" });
        let mut observation = update.observation(position, at, session, action);
        observation.actor = Actor::System;
        return Ok(observation);
    }
    let action = word(if gone { "bot_blocked" } else { "bot_unblocked" });
    let mut observation = update.observation(position, at, session, action);
    observation.actor = Actor::Client;
    observation.contact = contact(&member.need("from")?)?;
    observation.consent = gone.then(|| mailing(false));
    Ok(observation)
}

/// Whether the bot is not in the chat. Who may not do everything may also be outside.
fn is_gone(member: &Spot<'_>) -> Result<bool, Unparsed> {
    let status = member.need("status")?;
    let is_outside = member.get("is_member").is_some_and(|is_member| is_member.value() == false);
    Ok(status.is_word("kicked") || status.is_word("left") || is_outside)
}
