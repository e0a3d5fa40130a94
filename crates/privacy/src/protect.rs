//! From an observation, in the clear, to an event that may be stored.

use std::borrow::Cow;

use domain::action::{Action, Word};
use domain::event::{Appointment, Digest, Event, Flags};
use domain::id::{EventId, ReceiptId, SessionId, SourceId, TenantId};
use domain::observation::{Consent, Contact, Observation, ObservedAppointment};
use domain::timestamp::Timestamp;
use event_schema::sealed::Details;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::identifier::is_pseudonym;
use crate::key::TenantKeys;

/// The acceptance an observation came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which.
    pub id: ReceiptId,
    /// Whose.
    pub tenant: TenantId,
    /// From where.
    pub source: SourceId,
    /// When the gateway took it.
    pub received_at: Timestamp,
    /// Digest of the bytes received.
    pub payload_digest: Digest,
}

/// What makes an event that event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The idempotency key.
    pub event_id: EventId,
    /// What a resend has in common with the first.
    pub content_digest: Digest,
}

/// The action by which a channel says that it does not know this kind of message.
pub const UNKNOWN_UPDATE: &str = "unknown_update";

impl TenantKeys {
    /// The digest of received bytes.
    #[must_use]
    pub fn payload_digest(&self, bytes: &[u8]) -> Digest {
        self.digest("payload", &[bytes])
    }

    /// Which event an observation is.
    ///
    /// A canonical event is the sender's `event_id`, or else what it says: white space and the order of keys do not
    /// matter. A messenger's delivery is its own number at that messenger, and its content is the bytes received,
    /// so that a parser that learns to read more does not turn a resend into a conflict.
    #[must_use]
    pub fn identify(
        &self,
        source: &SourceId,
        observation: &Observation,
        payload_digest: &Digest,
    ) -> Identity {
        let native = observation.native_id.as_bytes();
        let content_digest = if native.is_empty() {
            self.digest("content", &[&event_schema::public::print_content(observation)])
        } else {
            self.digest("native content", &[payload_digest.as_bytes(), native])
        };
        let derived = || {
            let name: &[u8] = if native.is_empty() { content_digest.as_bytes() } else { native };
            let digest = self.digest("event id", &[source.as_str().as_bytes(), name]);
            let (sixteen, _) = digest.as_bytes().split_first_chunk::<16>().expect("a digest has 32 bytes");
            // Version 8 of RFC 9562: an id of our own making, which this is.
            EventId::from_uuid(Uuid::new_v8(*sixteen))
        };
        Identity { event_id: observation.event_id.unwrap_or_else(derived), content_digest }
    }

    /// Takes everything personal out of an observation: identifiers become pseudonyms, texts are redacted and sealed,
    /// contacts are sealed. Who the event is was settled before by what came, so that a resend stays one when redaction
    /// learns to find more.
    #[must_use]
    pub fn protect(&self, observation: Observation, receipt: &Receipt) -> Event {
        let identity = self.identify(&receipt.source, &observation, &receipt.payload_digest);
        let id = identity.event_id;
        let Observation { channel, action, appointment, contact, occurred_at, .. } = observation;
        let user_hash = observation.user_hash;
        let aliases = self.aliases(channel, &contact, user_hash.as_deref());
        let contact = in_the_clear(contact);
        let mut details = Details {
            user_text: observation.texts.user.map(redacted),
            assistant_response: observation.texts.assistant.map(redacted),
            model: observation.model,
            raw_input_hash: observation.given_hashes.raw_input,
            payload_hash: observation.given_hashes.payload,
            attributes: without_persons(observation.attributes),
            ..Details::default()
        };
        let intent = observation.intent.and_then(|intent| label_or_sealed(intent, &mut details.intent));
        let appointment = appointment.map(|appointment| self.protect_appointment(appointment, &mut details));
        let consent = observation.consent.map(|consent| Consent {
            text_hash: consent
                .text_hash
                .and_then(|hash| digest_or_sealed(hash, &mut details.consent_text_hash)),
            ..consent
        });
        // A ruling stands by itself, wherever its sender put it: it is about persons, and of no conversation.
        let session = match action {
            Action::SubjectJoin | Action::SubjectSplit => SessionId::of_ruling(id),
            _ => self.session_id(channel, &observation.session),
        };
        let unknown_kind = matches!(&action, Action::Other(word) if word.as_str() == UNKNOWN_UPDATE);
        Event {
            id,
            tenant: receipt.tenant.clone(),
            source: receipt.source.clone(),
            receipt: receipt.id,
            occurred_at,
            received_at: receipt.received_at,
            channel,
            session,
            actor: observation.actor,
            action,
            intent,
            scenario: observation.scenario,
            lead: observation.lead,
            appointment,
            consent,
            aliases,
            confidence: observation.confidence,
            response_time_ms: observation.response_time_ms,
            usage: observation.usage,
            flags: Flags { unknown_kind, ..Flags::of_clocks(occurred_at, receipt.received_at) },
            details: (!details.is_empty()).then(|| self.seal_details(id, &details)),
            contact: (!contact.is_empty()).then(|| self.seal_contact(id, &contact)),
            content_digest: identity.content_digest,
            payload_digest: receipt.payload_digest,
        }
    }

    fn protect_appointment(&self, observed: ObservedAppointment, details: &mut Details) -> Appointment {
        let ObservedAppointment { id, starts_at, service, staff } = observed;
        details.staff = staff;
        Appointment {
            id: self.appointment_id(&id),
            starts_at,
            service: service.and_then(|service| label_or_sealed(service, &mut details.service)),
        }
    }
}

/// What of a contact is no pseudonym that came back: only that is of use to whoever opens it.
fn in_the_clear(contact: Contact) -> Contact {
    let clear = |text: Option<String>| text.filter(|text| !is_pseudonym(text.trim()));
    Contact {
        phone: clear(contact.phone),
        email: clear(contact.email),
        name: contact.name,
        messenger_id: clear(contact.messenger_id),
        other_messenger_id: clear(contact.other_messenger_id),
    }
}

/// The text with placeholders for whatever names or reaches a person.
fn redacted(text: String) -> String {
    match redaction::redact(&text) {
        Cow::Borrowed(_nothing_found) => text,
        Cow::Owned(redacted) => redacted,
    }
}

/// Attributes with every text and number in them redacted, however deep; keys stay, for they are the sender's vocabulary.
fn without_persons(attributes: Map<String, Value>) -> Map<String, Value> {
    attributes.into_iter().map(|(key, value)| (key, without_person(value))).collect()
}

/// As deep as JSON is let in, which has a limit.
fn without_person(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(redacted(text)),
        Value::Array(values) => Value::Array(values.into_iter().map(without_person).collect()),
        Value::Object(members) => Value::Object(without_persons(members)),
        // A phone is not always sent as a text.
        Value::Number(number) => match redaction::redact(&number.to_string()) {
            Cow::Borrowed(_nothing_found) => Value::Number(number),
            Cow::Owned(redacted) => Value::String(redacted),
        },
        Value::Null | Value::Bool(_) => value,
    }
}

/// A text that is a label stays in the clear, for figures; any other wording is redacted and put under seal.
fn label_or_sealed(text: String, sealed: &mut Option<String>) -> Option<Word> {
    match Word::parse(&text) {
        Ok(word) => Some(word),
        Err(_not_a_label) => {
            *sealed = Some(redacted(text));
            None
        }
    }
}

/// A digest stays in the clear, for proofs; any other wording is redacted and put under seal.
fn digest_or_sealed(text: String, sealed: &mut Option<String>) -> Option<String> {
    let hex = text.split_once(':').map_or(text.as_str(), |(_algorithm, hex)| hex);
    let algorithm = text.split_once(':').map_or("", |(algorithm, _hex)| algorithm);
    let is_digest = ["", "md5", "sha1", "sha256", "sha512", "streebog256"].contains(&algorithm)
        && (32..=128).contains(&hex.len())
        && hex.bytes().all(|b| b.is_ascii_hexdigit());
    if is_digest {
        return Some(text);
    }
    *sealed = Some(redacted(text));
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::channel::Channel;
    use domain::observation::{ConsentPurpose, Texts};
    use serde_json::json;

    use super::*;
    use crate::{MasterKeys, Vault};

    const MARKERS: [&str; 5] =
        ["79131234567", "anna@mail.ru", "Анна Смирнова", "5551112233", "красные туфли"];

    fn keys() -> Arc<TenantKeys> {
        let vault = Vault::new(MasterKeys::parse(&"A".repeat(43)).unwrap());
        vault.tenant(&TenantId::parse("salon").unwrap())
    }

    fn receipt() -> Receipt {
        Receipt {
            id: ReceiptId::generate(),
            tenant: TenantId::parse("salon").unwrap(),
            source: SourceId::parse("bot").unwrap(),
            received_at: Timestamp::parse("2026-01-01T00:00:00Z").unwrap(),
            payload_digest: Digest::from_bytes([1; 32]),
        }
    }

    fn observation() -> Observation {
        let at = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let mut observation =
            Observation::new(at, Channel::Telegram, MARKERS[3].to_owned(), Action::parse("book").unwrap());
        observation.contact = Contact {
            phone: Some(MARKERS[0].to_owned()),
            email: Some(MARKERS[1].to_owned()),
            name: Some(MARKERS[2].to_owned()),
            messenger_id: Some(MARKERS[3].to_owned()),
            other_messenger_id: Some(MARKERS[3].to_owned()),
        };
        observation.texts = Texts { user: Some(MARKERS.join(" ")), assistant: Some(MARKERS[4].to_owned()) };
        observation.intent = Some(MARKERS.join(" "));
        observation.attributes.insert("note".to_owned(), json!(MARKERS));
        observation.consent = Some(Consent {
            purpose: ConsentPurpose::Mailing,
            granted: true,
            text_version: None,
            text_hash: Some(MARKERS.join(" ")),
        });
        observation.appointment = Some(ObservedAppointment {
            id: MARKERS[0].to_owned(),
            starts_at: None,
            service: Some(MARKERS[4].to_owned()),
            staff: Some(MARKERS[2].to_owned()),
        });
        observation
    }

    #[test]
    fn a_ruling_stands_by_itself_wherever_its_sender_put_it_and_is_found_there() {
        let ruling = Observation { action: Action::SubjectSplit, ..observation() };
        let event = keys().protect(ruling, &receipt());
        assert_eq!(event.session, SessionId::of_ruling(event.id));
        assert!(keys().session_ids(event.session.as_str()).contains(&event.session));
    }

    #[test]
    fn nothing_personal_is_left_in_the_clear_and_the_texts_open_again() {
        let (keys, receipt) = (keys(), receipt());
        let event = keys.protect(observation(), &receipt);
        let wire = event_schema::codec::encode_event(&event);
        for marker in MARKERS {
            let found = wire.windows(marker.len()).any(|window| window == marker.as_bytes());
            assert!(!found, "{marker} in the clear");
        }
        let details = keys.open_details(event.id, event.details.as_ref().unwrap()).unwrap();
        assert_eq!(details.assistant_response.as_deref(), Some(MARKERS[4]));
        assert_eq!(details.staff.as_deref(), Some(MARKERS[2]));
        let contact = keys.open_contact(event.id, event.contact.as_ref().unwrap()).unwrap();
        assert!(contact == observation().contact);
    }

    #[test]
    fn who_opens_the_texts_reads_placeholders_and_not_the_person() {
        let (keys, receipt) = (keys(), receipt());
        let mut told = observation();
        let said = "Это Анна Смирнова, +7 913 123-45-67, anna@mail.ru, на 18:30";
        told.texts.user = Some(said.to_owned());
        told.intent = Some("перезвонить Анне на 89131234567".to_owned());
        told.attributes
            .insert("form".to_owned(), json!({"deep": [{"Анна": said}, 79131234567_u64, 3, true]}));
        if let Some(appointment) = &mut told.appointment {
            appointment.service = Some("стрижка для Анны".to_owned());
        }
        let event = keys.protect(told, &receipt);
        let details = keys.open_details(event.id, event.details.as_ref().unwrap()).unwrap();
        let expected = "Это [имя], [телефон], [почта], на 18:30";
        assert_eq!(details.user_text.as_deref(), Some(expected));
        assert_eq!(details.intent.as_deref(), Some("перезвонить [имя] на [телефон]"));
        assert_eq!(details.service.as_deref(), Some("стрижка для [имя]"));
        let form = &details.attributes["form"];
        assert_eq!(form, &json!({"deep": [{"Анна": expected}, "[телефон]", 3, true]}), "keys stay");
        assert_eq!(details.staff.as_deref(), Some(MARKERS[2]), "the salon's own people stay known");
    }

    #[test]
    fn what_redaction_takes_out_still_tells_two_events_apart() {
        let (keys, receipt) = (keys(), receipt());
        let named = |name: &str| {
            let mut told = observation();
            told.texts.user = Some(format!("Запишите {name}"));
            keys.protect(told, &receipt)
        };
        let (anna, maria) = (named("Анну"), named("Марию"));
        assert_ne!(anna.id, maria.id);
        assert_ne!(anna.content_digest, maria.content_digest);
        assert_eq!(named("Анну").id, anna.id);
    }

    #[test]
    fn a_resend_is_the_same_event_and_another_text_is_another() {
        let (keys, source) = (keys(), SourceId::parse("bot").unwrap());
        let identify = |observation: &Observation, payload: u8| {
            keys.identify(&source, observation, &Digest::from_bytes([payload; 32]))
        };
        let first = identify(&observation(), 1);
        assert_eq!(identify(&observation(), 2), first, "the bytes do not matter, what they say does");
        let mut other = observation();
        other.texts.user = None;
        assert_ne!(identify(&other, 1).event_id, first.event_id);
        let mut named = observation();
        named.event_id = Some(EventId::from_uuid(Uuid::from_u128(7)));
        assert_eq!(identify(&named, 1).content_digest, first.content_digest);
        assert_eq!(identify(&named, 1).event_id, EventId::from_uuid(Uuid::from_u128(7)));
    }

    #[test]
    fn a_messengers_delivery_is_its_number_whatever_is_read_out_of_it() {
        let (keys, source) = (keys(), SourceId::parse("bot").unwrap());
        let mut known = observation();
        known.native_id = "update:1".to_owned();
        let mut better_read = known.clone();
        better_read.texts.user = Some("more".to_owned());
        let payload = Digest::from_bytes([1; 32]);
        assert_eq!(keys.identify(&source, &known, &payload), keys.identify(&source, &better_read, &payload));
        let changed = keys.identify(&source, &known, &Digest::from_bytes([2; 32]));
        assert_eq!(changed.event_id, keys.identify(&source, &known, &payload).event_id);
        assert_ne!(changed.content_digest, keys.identify(&source, &known, &payload).content_digest);
    }
}
