//! What happens in public, under posts.

use domain::action::Actor;
use domain::observation::{Contact, Observation};

use super::{Account, LABEL, TEXT};
use crate::Unparsed;
use crate::json::{Spot, text_under};
use crate::seen::{self, note, say, word};

/// One change: `{field, value}`, in the list of changes or in the entry itself.
pub(super) fn observe(account: &Account<'_>, change: Spot<'_>) -> Result<Observation, Unparsed> {
    let field = change.need("field")?.as_word()?;
    let value = change.need("value")?;
    if !matches!(field, "comments" | "live_comments") {
        let native_id = format!("change:{field}:{}", value.written());
        let session = format!("change:{field}");
        return Ok(seen::unknown(account.instant(), account.channel, session, native_id, field));
    }
    let id = value.need("id")?.id()?;
    let from = value.need("from")?;
    let author = from.need("id")?.id()?;
    let is_own = account.is_own(&author);
    // The conversation in direct messages has the same id: there it usually goes on.
    let session = if is_own { format!("comment:{id}") } else { author.clone() };

    let mut observation = Observation::new(account.instant(), account.channel, session, word("comment"));
    observation.native_id = format!("comment:{id}");
    if is_own {
        observation.actor = Actor::Staff;
    } else {
        observation.actor = Actor::Client;
        observation.contact = Contact {
            messenger_id: Some(author),
            name: text_under(&from, "username", LABEL)?,
            ..Contact::default()
        };
    }
    let media = value.get("media").and_then(|media| media.word("media_product_type"));
    note(&mut observation, "under", media.map(str::to_owned));
    say(&mut observation, text_under(&value, "text", TEXT)?);
    Ok(observation)
}
