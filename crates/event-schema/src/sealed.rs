//! JSON of what is sealed inside an event. Lies in ledgers for as long as events do: keys are added, never renamed,
//! and a key that is not known is skipped.

use std::borrow::Cow;
use std::fmt;

use domain::observation::Contact;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What was said, and the free labels around it: sealed into [`domain::event::Event::details`].
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// What the client said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_text: Option<String>,
    /// What the assistant said, or a person of the business in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assistant_response: Option<String>,
    /// What the client wanted, when one word was not enough for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// The service booked, when one word was not enough for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Who is to do it: a person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff: Option<String>,
    /// The digest of a consent's text, when it is none by its looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_text_hash: Option<String>,
    /// The language model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The sender's own digest of its input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_input_hash: Option<String>,
    /// The sender's own digest of its payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_hash: Option<String>,
    /// Keys that are not in the event's table, as they came.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
}

impl Details {
    /// Whether there is nothing to seal.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The bytes to seal.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and JSON values under text keys always have a JSON form")
    }

    /// Reads back what [`Self::to_json`] gave. The error may quote what was sealed: it is not for logs.
    pub fn from_json(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

impl fmt::Debug for Details {
    /// Without content, so that it cannot reach a log by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Details").finish_non_exhaustive()
    }
}

/// The sealed form of a [`Contact`]; the domain's own type has no serialised form.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct SealedContact<'c> {
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<Cow<'c, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Cow<'c, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'c, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messenger_id: Option<Cow<'c, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_messenger_id: Option<Cow<'c, str>>,
}

/// The bytes to seal into [`domain::event::Event::contact`].
#[must_use]
pub fn contact_to_json(contact: &Contact) -> Vec<u8> {
    let sealed = SealedContact {
        phone: contact.phone.as_deref().map(Cow::Borrowed),
        email: contact.email.as_deref().map(Cow::Borrowed),
        name: contact.name.as_deref().map(Cow::Borrowed),
        messenger_id: contact.messenger_id.as_deref().map(Cow::Borrowed),
        other_messenger_id: contact.other_messenger_id.as_deref().map(Cow::Borrowed),
    };
    serde_json::to_vec(&sealed).expect("texts under text keys always have a JSON form")
}

/// Reads back what [`contact_to_json`] gave. The error may quote what was sealed: it is not for logs.
pub fn contact_from_json(bytes: &[u8]) -> Result<Contact, serde_json::Error> {
    let sealed: SealedContact<'_> = serde_json::from_slice(bytes)?;
    Ok(Contact {
        phone: sealed.phone.map(Cow::into_owned),
        email: sealed.email.map(Cow::into_owned),
        name: sealed.name.map(Cow::into_owned),
        messenger_id: sealed.messenger_id.map(Cow::into_owned),
        other_messenger_id: sealed.other_messenger_id.map(Cow::into_owned),
    })
}
