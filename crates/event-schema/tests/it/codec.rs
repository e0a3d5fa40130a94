//! Protobuf: what is encoded is decoded, and nothing else is.

use bytes::Bytes;
use domain::event::{Digest, Sealed};
use domain::id::{ReceiptId, SourceId, TenantId};
use domain::quarantine::{Reason, ReasonClass};
use domain::registry::{MappingText, SourceKind};
use domain::timestamp::Timestamp;
use event_schema::codec::{DecodeError, EventBatch, Quarantined, RawDelivery, decode_event, encode_event};
use event_schema::wire;
use proptest::prelude::*;
use prost::Message as _;
use uuid::Uuid;

use crate::golden;
use crate::strategies::event;

fn reason() -> impl Strategy<Value = Reason> {
    let class = prop::sample::select(ReasonClass::ALL.to_vec());
    let pointer = prop::option::of("(/[a-z]{1,9}){0,3}");
    (class, pointer, "\\PC{0,40}").prop_map(|(class, pointer, detail)| Reason { class, pointer, detail })
}

proptest! {
    #[test]
    fn an_event_is_decoded_as_it_was_encoded(event in event()) {
        prop_assert_eq!(decode_event(encode_event(&event)), Ok(event));
    }

    #[test]
    fn a_batch_is_decoded_as_it_was_encoded(events in prop::collection::vec(event(), 0..4)) {
        let batch = EventBatch { events, ..golden::batch() };
        prop_assert_eq!(EventBatch::decode(batch.encode()), Ok(batch));
    }

    #[test]
    fn what_is_written_is_what_the_generated_types_write(events in prop::collection::vec(event(), 0..4)) {
        let batch = EventBatch { events, ..golden::batch() };
        let generated = wire::EventBatch::decode(batch.encode()).unwrap();
        prop_assert_eq!(batch.encode(), generated.encode_to_vec());
        for event in &batch.events {
            let generated = wire::Event::decode(encode_event(event)).unwrap();
            prop_assert_eq!(encode_event(event), generated.encode_to_vec());
        }
    }

    #[test]
    fn an_events_form_is_the_same_in_its_batch_and_alone(events in prop::collection::vec(event(), 0..4)) {
        let batch = EventBatch { events, ..golden::batch() };
        let (decoded, forms) = EventBatch::decode_with_forms(batch.encode()).unwrap();
        prop_assert_eq!(forms, batch.events.iter().map(encode_event).collect::<Vec<_>>());
        prop_assert_eq!(decoded, batch);
    }

    #[test]
    fn a_delivery_is_decoded_as_it_was_encoded(
        receipt in any::<u128>(),
        micros in 0_i64..4_102_444_800_000_000,
        kind in prop::sample::select(SourceKind::ALL.to_vec()),
        digest in any::<[u8; 32]>(),
        body in prop::collection::vec(any::<u8>(), 0..99),
        refusal in prop::option::of(reason()),
        mapping in prop::option::of(".{1,40}"),
    ) {
        let delivery = RawDelivery {
            receipt: ReceiptId::from_uuid(Uuid::from_u128(receipt)),
            tenant: TenantId::parse("salon").unwrap(),
            source: SourceId::parse("bot").unwrap(),
            kind,
            received_at: Timestamp::from_unix_micros(micros).unwrap(),
            payload_digest: Digest::from_bytes(digest),
            sealed_body: Sealed::from_bytes(body),
            refusal,
            mapping: mapping.as_deref().map(MappingText::from_text),
        };
        let generated = wire::RawDelivery::decode(delivery.encode()).unwrap();
        prop_assert_eq!(delivery.encode(), generated.encode_to_vec());
        prop_assert_eq!(RawDelivery::decode(delivery.encode()), Ok(delivery));
    }

    #[test]
    fn an_entry_for_the_quarantine_is_decoded_as_it_was_encoded(
        reason in reason(),
        message in prop::collection::vec(any::<u8>(), 0..99),
    ) {
        let entry = Quarantined { reason, message: message.into(), ..golden::quarantined() };
        prop_assert_eq!(Quarantined::decode(entry.encode()), Ok(entry));
    }

    #[test]
    fn no_bytes_make_decoding_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = Bytes::from(bytes);
        let _any_answer = decode_event(bytes.clone());
        let _any_answer = EventBatch::decode(bytes.clone());
        let _any_answer = RawDelivery::decode(bytes.clone());
        let _any_answer = Quarantined::decode(bytes);
    }

    #[test]
    fn no_damage_to_one_byte_makes_decoding_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = golden::full_event_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _any_answer = decode_event(bytes.into());
    }
}

/// One way to make an event that the domain does not accept.
type Spoil = fn(&mut wire::Event);

#[test]
fn a_field_the_domain_does_not_accept_is_named() {
    let cases: [(&str, Spoil); 20] = [
        ("id", |event| event.id = Bytes::from_static(b"short")),
        ("tenant", |event| event.tenant = "Not a slug".to_owned()),
        ("source", |event| event.source.clear()),
        ("receipt", |event| event.receipt.clear()),
        ("occurred_at_micros", |event| event.occurred_at_micros = -1),
        ("received_at_micros", |event| event.received_at_micros = i64::MAX),
        ("channel", |event| event.channel = "icq".to_owned()),
        ("session", |event| event.session = "a".repeat(129)),
        ("actor", |event| event.actor.clear()),
        ("action", |event| event.action = "two words".to_owned()),
        ("intent", |event| event.intent = Some(String::new())),
        ("scenario.id", |event| event.scenario = Some(wire::Scenario::default())),
        ("appointment.id", |event| event.appointment = Some(wire::Appointment::default())),
        ("appointment.starts_at_micros", |event| {
            event.appointment =
                Some(wire::Appointment { id: "a".to_owned(), starts_at_micros: Some(-1), service: None });
        }),
        ("consent.purpose", |event| event.consent = Some(wire::Consent::default())),
        ("aliases.kind", |event| event.aliases.push(wire::Alias::default())),
        ("confidence", |event| event.confidence = Some(f64::NAN)),
        ("confidence", |event| event.confidence = Some(1.5)),
        ("content_digest", |event| event.content_digest.clear()),
        ("payload_digest", |event| event.payload_digest = Bytes::from_static(&[0; 31])),
    ];
    for (field, spoil) in cases {
        let mut message = wire::Event::decode(golden::full_event_bytes()).unwrap();
        spoil(&mut message);
        let decoded = decode_event(message.encode_to_vec().into());
        assert_eq!(decoded, Err(DecodeError::Field(field)));
    }
}

#[test]
fn what_a_later_edition_added_to_an_event_stays_in_its_form() {
    // Field 999, a length of two, two bytes.
    let event = [&golden::full_event_bytes()[..], &[0xba, 0x3e, 0x02, 0x01, 0x02]].concat();
    let head = EventBatch { events: Vec::new(), ..golden::batch() }.encode();
    let length = u16::try_from(event.len()).unwrap();
    assert!((128..16_384).contains(&length));
    let [low, high] = [length & 0x7f | 0x80, length >> 7].map(|part| u8::try_from(part).unwrap());
    let batch = [&head[..], &[5 << 3 | 2, low, high], &event].concat();
    let (batch, forms) = EventBatch::decode_with_forms(batch.into()).unwrap();
    assert_eq!((batch.events, forms), (vec![golden::full_event()], vec![Bytes::from(event)]));
}

#[test]
fn a_later_editions_unknown_field_is_skipped() {
    let mut bytes = golden::full_event_bytes().to_vec();
    // Field 999, a length of two, two bytes.
    bytes.extend([0xba, 0x3e, 0x02, 0x01, 0x02]);
    assert_eq!(decode_event(bytes.into()).unwrap(), golden::full_event());
}

#[test]
fn bytes_that_are_no_protobuf_are_malformed() {
    let decoded = decode_event(Bytes::from_static(b"{\"id\": 1}"));
    assert!(matches!(decoded, Err(DecodeError::Malformed(_))), "{decoded:?}");
}
