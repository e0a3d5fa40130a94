//! The bot was blocked, unblocked, added or removed.

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
    let status = member.need("new_chat_member")?.need("status")?;
    let gone = status.is_word("kicked") || status.is_word("left");

    if !is_private(&chat) {
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
