//! People and chats.

use domain::observation::Contact;

use super::LABEL;
use crate::Unparsed;
use crate::json::{Spot, text_under};

/// The client's contact out of a `User` or a private `Chat`: both have the person's id and names. The username is
/// left out: it finds a person for everybody, and the id finds the same person for us.
pub(super) fn contact(person: &Spot<'_>) -> Result<Contact, Unparsed> {
    let id = person.need("id")?.integer()?;
    let first = text_under(person, "first_name", LABEL)?;
    let last = text_under(person, "last_name", LABEL)?;
    let name = match (first, last) {
        (Some(first), Some(last)) => Some(format!("{first} {last}")),
        (first, last) => first.or(last),
    };
    Ok(Contact { name, messenger_id: Some(id.to_string()), ..Contact::default() })
}

/// Whether the chat is one person with the bot, or with the business account.
pub(super) fn is_private(chat: &Spot<'_>) -> bool {
    chat.get("type").is_some_and(|kind| kind.is_word("private"))
}
