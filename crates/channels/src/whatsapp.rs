//! WhatsApp Cloud API.
//!
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks>
//!
//! What a business sends through the API does not come back as text, only as statuses; what a person of the business
//! writes in the app does (`smb_message_echoes`). A body holds up to 1,000 updates of several accounts, in no order.
//!
//! Since 2026 a client may be known by a user id alone, without a number. A message's id holds the client's number in
//! base64: it is digested with the rest of what makes an event unique, and kept only under seal.

mod content;
mod message;
mod status;

use domain::channel::Channel;
use domain::observation::{Contact, Observation};
use domain::timestamp::Timestamp;

use crate::batch::Batch;
use crate::json::{self, Spot, text_under};
use crate::{Unparsed, seen};

/// The longest text; WhatsApp's own limit is 4,096.
const TEXT: usize = 16_384;
/// The longest name or other label.
const LABEL: usize = 256;
/// The longest of what programs tell each other: the data of a button, an address.
const DATA: usize = 4_096;

pub(crate) fn parse(body: &[u8], received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
    let value = json::read(body)?;
    let root = Spot::root(&value);
    if !root.get("object").is_some_and(|object| object.is_word("whatsapp_business_account")) {
        return Err(json::unreadable("/object", "must be whatsapp_business_account"));
    }
    let mut batch = Batch::new(root, received_at);
    for entry in root.items("entry")? {
        for change in batch.items(Channel::Whatsapp, entry, "changes") {
            match Change::read(change.alone(), received_at) {
                Ok(change) => change.observe(&mut batch),
                Err(unparsed) => batch.refuse(Channel::Whatsapp, "changes", change, unparsed),
            }
        }
    }
    batch.finish("/entry", "must hold at least one change")
}

/// Reads one update of a change.
type Read = fn(&Change<'_>, Spot<'_>) -> Result<Observation, Unparsed>;

/// Where updates stand in a change.
const LISTS: [(&str, Read); 5] = [
    ("messages", message::from_client),
    ("message_echoes", message::from_business),
    ("statuses", status::delivery),
    ("user_preferences", status::preference),
    ("user_id_update", status::new_user_id),
];

/// One change of one account: what its updates share.
struct Change<'v> {
    received_at: Timestamp,
    field: &'v str,
    value: Spot<'v>,
    people: Vec<Person<'v>>,
}

/// A client, as a body introduces them once for all its updates.
struct Person<'v> {
    number: Option<&'v str>,
    user: Option<&'v str>,
    name: Option<String>,
}

impl<'v> Person<'v> {
    fn read(contact: &Spot<'v>) -> Self {
        let name = || text_under(&contact.get("profile")?, "name", LABEL).ok().flatten();
        Self { number: contact.word("wa_id"), user: contact.word("user_id"), name: name() }
    }
}

impl<'v> Change<'v> {
    fn read(change: Spot<'v>, received_at: Timestamp) -> Result<Self, Unparsed> {
        let field = change.need("field")?;
        let value = change.need("value")?.object()?;
        // Beside what happened: who cannot be read is without a name, and costs no update.
        let contacts = value.items("contacts").ok().into_iter().flatten();
        let people = contacts.map(|contact| Person::read(&contact)).collect();
        Ok(Self { received_at, field: field.as_word()?, value, people })
    }

    fn observe(&self, batch: &mut Batch<'v>) {
        let before = batch.len();
        for (list, read) in LISTS {
            for item in batch.items(Channel::Whatsapp, self.value, list) {
                batch.add(Channel::Whatsapp, list, item, |item| read(self, item));
            }
        }
        if batch.len() == before {
            let native_id = format!("change:{}:{}", self.field, self.value.written());
            let session = format!("change:{}", self.field);
            let kind = self.field;
            batch.push(seen::unknown(self.received_at, Channel::Whatsapp, session, native_id, kind));
        }
    }

    /// The client of an update: by number and user id as the update names them, with what the body says of them else.
    fn client<'a>(&'a self, number: Option<&'a str>, user: Option<&'a str>) -> Client {
        let known = self.people.iter().find(|person| {
            let same = |a: Option<&str>, b: Option<&str>| a.is_some() && a == b;
            same(person.user, user) || same(person.number, number)
        });
        let user = user.or_else(|| known?.user);
        let number = number.or_else(|| known?.number);
        Client {
            session: user.or(number).map(str::to_owned),
            contact: Contact {
                phone: number.map(|number| format!("+{}", number.trim_start_matches('+'))),
                messenger_id: user.or(number).map(str::to_owned),
                name: known.and_then(|person| person.name.clone()),
                ..Contact::default()
            },
        }
    }
}

/// Whom a conversation is with.
#[derive(Default)]
struct Client {
    /// The conversation's id: the client's own, of the two the one that stays when the number is hidden.
    session: Option<String>,
    contact: Contact,
}
