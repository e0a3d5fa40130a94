//! What happens in public, under posts.

use domain::action::Actor;
use domain::observation::{Contact, Observation};
use domain::timestamp::Timestamp;

use super::{Account, LABEL, TEXT, message};
use crate::Unparsed;
use crate::json::{Spot, text_under};
use crate::referral::Referral;
use crate::seen::{self, kind_name, note, say, word};

/// One change: `{field, value}`, in the list of changes or in the entry itself.
pub(super) fn observe(account: &Account<'_>, change: Spot<'_>) -> Result<Observation, Unparsed> {
    let field = change.need("field")?.as_word()?;
    let value = change.need("value")?;
    // Where the account logs in as a business of its own, and in the tests of Meta's dashboard, messages come as changes.
    if value.has("sender") && value.has("recipient") {
        return message::observe(account, value);
    }
    if field == "feed" && value.get("item").is_some_and(|item| item.is_word("comment")) {
        return under_post(account, value);
    }
    if !matches!(field, "comments" | "live_comments") {
        let native_id = format!("change:{field}:{}", value.written());
        let session = format!("change:{field}");
        return Ok(seen::unknown(account.instant(), account.channel, session, native_id, field));
    }
    let id = value.need("id")?.id()?;
    let mut observation = by(account, account.instant(), &id, value, "username")?;
    observation.native_id = format!("comment:{id}");
    if let Some(media) = value.get("media") {
        note(&mut observation, "under", media.word("media_product_type").map(str::to_owned));
        if observation.actor == Actor::Client {
            let names = [("ad_id", "id"), ("ad_title", "headline")];
            Referral::by_advertisement().with(&media, &names)?.note(&mut observation);
        }
    }
    say(&mut observation, text_under(&value, "text", TEXT)?);
    Ok(observation)
}

/// A comment in Facebook: made, changed or taken back.
fn under_post(account: &Account<'_>, value: Spot<'_>) -> Result<Observation, Unparsed> {
    let id = value.need("comment_id")?.id()?;
    let at = value.get("created_time").map(|time| time.instant()).transpose()?;
    let mut observation = by(account, at.unwrap_or_else(|| account.instant()), &id, value, "name")?;
    match value.need("verb")?.as_word()? {
        "add" => observation.native_id = format!("comment:{id}"),
        verb @ ("edited" | "edit" | "remove") => {
            observation.action = word(if verb == "remove" { "delete" } else { "edit" });
            observation.native_id = format!("comment:{verb}:{}", value.written());
        }
        verb => {
            observation.action = word("unknown_update");
            observation.actor = Actor::System;
            observation.native_id = format!("change:feed:{}", value.written());
            observation.attributes.insert("kind".to_owned(), kind_name(verb));
            return Ok(observation);
        }
    }
    say(&mut observation, text_under(&value, "message", TEXT)?);
    Ok(observation)
}

/// A comment by whom it names: the business, or a client, who has their name under `name`.
fn by(
    account: &Account<'_>,
    at: Timestamp,
    id: &str,
    value: Spot<'_>,
    name: &str,
) -> Result<Observation, Unparsed> {
    let from = value.get("from");
    let author = from.and_then(|from| from.get("id")).map(|author| author.id()).transpose()?;
    let client = author.clone().filter(|author| !account.is_own(author));
    // The conversation in direct messages has the same id: there it usually goes on.
    let session = client.clone().unwrap_or_else(|| format!("comment:{id}"));
    let mut observation = Observation::new(at, account.channel, session, word("comment"));
    // Meta leaves the author out where it may not name them; what the business says itself it may.
    let is_own = author.is_some() && client.is_none();
    observation.actor = if is_own { Actor::Staff } else { Actor::Client };
    if let Some((client, from)) = client.zip(from) {
        let name = text_under(&from, name, LABEL)?;
        observation.contact = Contact { messenger_id: Some(client), name, ..Contact::default() };
    }
    Ok(observation)
}
