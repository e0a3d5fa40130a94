//! Bytes written by earlier editions, which ledgers and buses still hold.
//!
//! A file that is missing is written, and its test fails once, so that a person looks at it before it is committed.
//! A file that is there is never changed: a new form of a message gets a new file beside the old one.

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use domain::action::{Action, Actor, Word};
use domain::channel::Channel;
use domain::event::{Alias, AliasKind, Appointment, Digest, Event, Flags, Sealed};
use domain::id::{AppointmentId, EventId, LeadId, Pseudonym, ReceiptId, SessionId, SourceId, TenantId};
use domain::observation::{Consent, ConsentPurpose, Contact, Scenario, Usage};
use domain::quarantine::{Reason, ReasonClass};
use domain::registry::{MappingText, SourceKind};
use domain::timestamp::Timestamp;
use event_schema::codec::{EventBatch, Quarantined, RawDelivery, decode_event, encode_event};
use event_schema::sealed::{Details, contact_from_json, contact_to_json};
use serde_json::json;
use uuid::Uuid;

/// The committed bytes of `name`, or `now` on the day a form is new.
fn golden(name: &str, now: &[u8]) -> Bytes {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../proto-schemas/golden/v1").join(name);
    if !path.exists() {
        fs::write(&path, now).unwrap();
        panic!("{name} did not exist and was written: look at it, then commit it");
    }
    fs::read(path).unwrap().into()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn word(text: &str) -> Word {
    Word::parse(text).unwrap()
}

fn alias(kind: AliasKind, letter: &str) -> Alias {
    Alias { kind, pseudonym: Pseudonym::parse(&format!("v1:{}", letter.repeat(43))).unwrap() }
}

pub(crate) fn full_event_bytes() -> Bytes {
    encode_event(&full_event())
}

/// Every field set.
pub(crate) fn full_event() -> Event {
    Event {
        action: Action::Book,
        intent: Some(word("appointment_booking")),
        scenario: Some(Scenario { id: word("booking"), version: Some(word("2025-01-15")) }),
        lead: Some(LeadId::from_number(5678)),
        appointment: Some(Appointment {
            id: AppointmentId::parse("rec-9").unwrap(),
            starts_at: Some(at("2025-01-03T10:00:00+03:00")),
            service: Some(word("haircut")),
        }),
        consent: Some(Consent {
            purpose: ConsentPurpose::PersonalData,
            granted: true,
            text_version: Some(word("v3")),
            text_hash: Some("sha256:zzzzz".to_owned()),
        }),
        aliases: vec![
            alias(AliasKind::Phone, "P"),
            alias(AliasKind::Email, "E"),
            alias(AliasKind::Messenger, "M"),
            alias(AliasKind::SenderHash, "S"),
        ],
        confidence: Some(0.92),
        response_time_ms: Some(812),
        usage: Some(Usage { input_tokens: Some(350), output_tokens: Some(42) }),
        flags: Flags { clock_ahead: true, unknown_kind: true },
        details: Some(Sealed::from_bytes(vec![1, 2, 3])),
        contact: Some(Sealed::from_bytes(vec![4, 5, 6])),
        ..least_event()
    }
}

/// Only what every event has.
fn least_event() -> Event {
    Event {
        id: EventId::from_uuid(Uuid::from_u128(0x0190_b3a4_7c1e_7a3b_9d57_5f3c_2b1a_0e4d)),
        tenant: TenantId::parse("salon").unwrap(),
        source: SourceId::parse("bot").unwrap(),
        receipt: receipt(),
        occurred_at: at("2025-01-01T12:34:56.123456+03:00"),
        received_at: at("2025-01-01T09:34:57Z"),
        channel: Channel::Telegram,
        session: SessionId::parse("sess_abc123").unwrap(),
        actor: Actor::Client,
        action: Action::Other(word("отправить_прайс")),
        intent: None,
        scenario: None,
        lead: None,
        appointment: None,
        consent: None,
        aliases: Vec::new(),
        confidence: None,
        response_time_ms: None,
        usage: None,
        flags: Flags::default(),
        details: None,
        contact: None,
        content_digest: Digest::from_bytes([0xcc; 32]),
        payload_digest: Digest::from_bytes([0xdd; 32]),
    }
}

fn receipt() -> ReceiptId {
    ReceiptId::from_uuid(Uuid::from_u128(0x0194_2000_0000_7000_8000_0000_0000_0001))
}

pub(crate) fn batch() -> EventBatch {
    let Event { receipt, tenant, source, received_at, .. } = least_event();
    EventBatch { receipt, tenant, source, received_at, events: vec![least_event(), full_event()] }
}

fn delivery() -> RawDelivery {
    let Event { receipt, tenant, source, received_at, payload_digest, .. } = least_event();
    let sealed_body = Sealed::from_bytes(vec![7, 8, 9]);
    RawDelivery {
        receipt,
        tenant,
        source,
        kind: SourceKind::Telegram,
        received_at,
        payload_digest,
        sealed_body,
        refusal: None,
        mapping: None,
    }
}

fn refused_delivery() -> RawDelivery {
    let detail = "signature-invalid: the signature does not match".to_owned();
    let reason = Reason { class: ReasonClass::Invalid, pointer: Some(String::new()), detail };
    RawDelivery { refusal: Some(reason), ..delivery() }
}

pub(crate) fn quarantined() -> Quarantined {
    let Event { receipt, tenant, source, received_at, .. } = least_event();
    let reason = Reason {
        class: ReasonClass::Invalid,
        pointer: Some("/message/date".to_owned()),
        detail: "must be a whole number".to_owned(),
    };
    Quarantined { receipt, tenant, source, received_at, reason, message: delivery().encode() }
}

#[test]
fn an_event_with_every_field_keeps_its_bytes() {
    let bytes = golden("event-full.binpb", &encode_event(&full_event()));
    assert_eq!(encode_event(&full_event()), bytes);
    assert_eq!(decode_event(bytes).unwrap(), full_event());
}

#[test]
fn an_event_with_the_least_fields_keeps_its_bytes() {
    let bytes = golden("event-least.binpb", &encode_event(&least_event()));
    assert_eq!(encode_event(&least_event()), bytes);
    assert_eq!(decode_event(bytes).unwrap(), least_event());
}

#[test]
fn a_batch_keeps_its_bytes() {
    let bytes = golden("event-batch.binpb", &batch().encode());
    assert_eq!(batch().encode(), bytes);
    assert_eq!(EventBatch::decode(bytes).unwrap(), batch());
}

#[test]
fn a_delivery_keeps_its_bytes() {
    let bytes = golden("raw-delivery.binpb", &delivery().encode());
    assert_eq!(delivery().encode(), bytes);
    assert_eq!(RawDelivery::decode(bytes).unwrap(), delivery());
}

#[test]
fn a_refused_delivery_keeps_its_bytes() {
    let bytes = golden("raw-delivery-refused.binpb", &refused_delivery().encode());
    assert_eq!(refused_delivery().encode(), bytes);
    assert_eq!(RawDelivery::decode(bytes).unwrap(), refused_delivery());
}

#[test]
fn a_delivery_with_a_mapping_keeps_its_bytes() {
    let mapping = MappingText::from_text(r#"{"events":[],"version":1}"#);
    let delivery = RawDelivery { kind: SourceKind::Mapping, ..delivery() }.remapped(mapping);
    let bytes = golden("raw-delivery-mapped.binpb", &delivery.encode());
    assert_eq!(delivery.encode(), bytes);
    assert_eq!(RawDelivery::decode(bytes).unwrap(), delivery);
}

#[test]
fn an_entry_for_the_quarantine_keeps_its_bytes() {
    let bytes = golden("quarantined.binpb", &quarantined().encode());
    assert_eq!(quarantined().encode(), bytes);
    assert_eq!(Quarantined::decode(bytes).unwrap(), quarantined());
}

#[test]
fn sealed_details_keep_their_bytes() {
    let text = |text: &str| Some(text.to_owned());
    let mut attributes = serde_json::Map::new();
    attributes.insert("campaign".to_owned(), json!({ "name": "january", "tags": [1, null, true] }));
    let details = Details {
        user_text: text("Запишите меня"),
        assistant_response: text("Записали"),
        intent: text("хочу записаться"),
        service: text("стрижка и укладка"),
        staff: text("Мария"),
        consent_text_hash: None,
        model: text("assistant-large"),
        raw_input_hash: text("sha256:yyyyy"),
        payload_hash: text("sha256:wwwww"),
        attributes,
    };
    let bytes = golden("details.json", &details.to_json());
    assert_eq!(details.to_json(), bytes);
    assert!(Details::from_json(&bytes).unwrap() == details);
}

#[test]
fn a_sealed_contact_keeps_its_bytes() {
    let text = |text: &str| Some(text.to_owned());
    let contact = Contact {
        phone: text("+79990000001"),
        email: text("client@example.com"),
        name: text("Анна"),
        messenger_id: text("100200300"),
        other_messenger_id: None,
    };
    let bytes = golden("contact.json", &contact_to_json(&contact));
    assert_eq!(contact_to_json(&contact), bytes);
    assert!(contact_from_json(&bytes).unwrap() == contact);
}
