//! Money.

use domain::action::{Action, Actor};
use domain::observation::Observation;
use serde_json::Value;

use super::person::contact;
use super::{LABEL, Update};
use crate::Unparsed;
use crate::json::{Spot, integer_under, text_under};
use crate::seen::{note, word};

/// The client is about to pay, and the bot is asked whether it may go on.
pub(super) fn asked(update: &Update<'_>, query: Spot<'_>, position: usize) -> Result<Observation, Unparsed> {
    let mut observation = by_client(update, &query, position, word("checkout"))?;
    sum(&mut observation, &query)?;
    Ok(observation)
}

/// The client bought photos or videos that are paid for.
pub(super) fn bought(
    update: &Update<'_>,
    bought: Spot<'_>,
    position: usize,
) -> Result<Observation, Unparsed> {
    let mut observation = by_client(update, &bought, position, Action::Pay)?;
    note(&mut observation, "data", text_under(&bought, "paid_media_payload", LABEL)?);
    Ok(observation)
}

/// How much, in the smallest unit of the currency, and what for, in the bot's words.
pub(super) fn sum(observation: &mut Observation, payment: &Spot<'_>) -> Result<(), Unparsed> {
    if let Some(amount) = integer_under(payment, "total_amount")? {
        observation.attributes.insert("amount_minor".to_owned(), Value::from(amount));
    }
    note(observation, "currency", text_under(payment, "currency", LABEL)?);
    note(observation, "data", text_under(payment, "invoice_payload", LABEL)?);
    Ok(())
}

/// These come without a chat and without a date; the person's own chat with the bot has their id.
fn by_client(
    update: &Update<'_>,
    member: &Spot<'_>,
    position: usize,
    action: Action,
) -> Result<Observation, Unparsed> {
    let from = member.need("from")?;
    let session = from.need("id")?.integer()?.to_string();
    let mut observation = update.observation(position, update.received_at, session, action);
    observation.actor = Actor::Client;
    observation.contact = contact(&from)?;
    Ok(observation)
}
