//! What a message carries, whoever wrote it.

use domain::observation::Observation;

use super::{DATA, LABEL, TEXT};
use crate::Unparsed;
use crate::json::{Spot, text_under};
use crate::referral::Referral;
use crate::seen::{attach, kind_name, note, say, word};

/// Whether a message is new or another edition of an old one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    First,
    Again,
}

pub(super) fn read(observation: &mut Observation, message: Spot<'_>, said: Said) -> Result<(), Unparsed> {
    let kind = message.need("type")?.as_word()?;
    let inside = message.get(kind);
    let text_of = |key: &str, max: usize| {
        inside.map(|inside| text_under(&inside, key, max)).transpose().map(Option::flatten)
    };
    match kind {
        "text" => say(observation, text_of("body", TEXT)?),
        "image" | "video" | "document" | "audio" | "sticker" => {
            let is_voice = inside.and_then(|inside| inside.get("voice")).is_some_and(|voice| voice.is_true());
            attach(observation, if is_voice { "voice" } else { kind });
            say(observation, text_of("caption", TEXT)?);
        }
        "location" | "contacts" => attach(observation, kind),
        "order" => {
            attach(observation, kind);
            say(observation, text_of("text", TEXT)?);
        }
        "unsupported" => attach(observation, "unsupported"),
        "reaction" => {
            let emoji = text_of("emoji", LABEL)?;
            observation.action = word(if emoji.is_some() { "reaction" } else { "reaction_removed" });
            note(observation, "emoji", emoji);
        }
        "button" => {
            observation.action = word("button");
            note(observation, "data", text_of("payload", DATA)?);
            say(observation, text_of("text", TEXT)?);
        }
        "interactive" => interactive(observation, message.need("interactive")?)?,
        _ => {
            observation.action = word("unknown_update");
            observation.attributes.insert("kind".to_owned(), kind_name(kind));
        }
    }
    if said == Said::Again {
        observation.action = word("edit");
    }
    referral(observation, message)?;
    Ok(())
}

/// An answer by a button, out of a list, or by a form.
fn interactive(observation: &mut Observation, interactive: Spot<'_>) -> Result<(), Unparsed> {
    let kind = interactive.need("type")?.as_word()?;
    let Some(reply) = interactive.get(kind) else {
        observation.action = word("unknown_update");
        observation.attributes.insert("kind".to_owned(), kind_name(kind));
        return Ok(());
    };
    if kind == "nfm_reply" {
        attach(observation, "form");
        note(observation, "data", text_under(&reply, "response_json", TEXT)?);
    } else {
        observation.action = word("button");
        // Whether the business may call is answered with a word instead.
        let data = text_under(&reply, "id", DATA)?.or(text_under(&reply, "response", DATA)?);
        note(observation, "data", data);
        say(observation, text_under(&reply, "title", TEXT)?);
    }
    Ok(())
}

/// The advertisement a client came from; only the first message after it says so.
fn referral(observation: &mut Observation, message: Spot<'_>) -> Result<(), Unparsed> {
    let Some(referral) = message.get("referral") else { return Ok(()) };
    let names = [
        ("source_type", "via"),
        ("source_id", "id"),
        ("source_url", "url"),
        ("headline", "headline"),
        ("ctwa_clid", "click_id"),
    ];
    Referral::by_advertisement().with(&referral, &names)?.note(observation);
    Ok(())
}
