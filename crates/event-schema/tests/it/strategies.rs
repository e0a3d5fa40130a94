//! Arbitrary values of the domain.

use domain::action::{Action, Actor, Word};
use domain::channel::Channel;
use domain::event::{Alias, AliasKind, Appointment, Digest, Event, Flags, Sealed};
use domain::id::{AppointmentId, EventId, LeadId, Pseudonym, ReceiptId, SessionId, SourceId, TenantId};
use domain::observation::{
    Consent, ConsentPurpose, Contact, GivenHashes, Observation, ObservedAppointment, Scenario, Texts, Usage,
};
use domain::timestamp::Timestamp;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value};
use uuid::Uuid;

const LAST_MICROSECOND: i64 = 4_102_444_800_000_000 - 1;

/// Any JSON a sender may put into an event: texts of every kind, NUL among them.
pub(crate) fn json() -> impl Strategy<Value = Value> {
    json_of(prop_oneof![9 => "\\PC{0,8}", 1 => ".{0,3}\u{0}.{0,3}"].boxed())
}

/// JSON without NUL, and with numbers that have one written form.
fn clean_json() -> impl Strategy<Value = Value> {
    json_of("\\PC{0,8}".boxed())
}

fn json_of(text: BoxedStrategy<String>) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1000_i16..1000).prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text.clone(), inner, 0..4)
                .prop_map(|keys| Value::Object(keys.into_iter().collect())),
        ]
    })
}

pub(crate) fn attributes() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map("\\PC{1,64}", clean_json(), 0..5).prop_map(|keys| keys.into_iter().collect())
}

pub(crate) fn word() -> impl Strategy<Value = Word> {
    "[\\p{L}_.:/-]{1,40}[0-9]{0,9}".prop_map(|text| Word::parse(&text).unwrap())
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        prop::sample::select(vec!["message", "create_lead", "book", "no_show", "lead_stage"])
            .prop_map(|known| Action::parse(known).unwrap()),
        word().prop_map(|word| Action::parse(word.as_str()).unwrap()),
    ]
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    (0..=LAST_MICROSECOND).prop_map(|micros| Timestamp::from_unix_micros(micros).unwrap())
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn label() -> impl Strategy<Value = String> {
    "\\PC{1,256}".prop_filter("not blank", |text| !text.trim().is_empty())
}

fn id() -> impl Strategy<Value = String> {
    "\\PC{1,128}".prop_filter("an id", |text| !text.trim().is_empty() && !text.chars().any(char::is_control))
}

fn whole() -> impl Strategy<Value = u64> {
    0_u64..(1 << 53)
}

fn usage() -> impl Strategy<Value = Usage> {
    (option::of(whole()), option::of(whole()))
        .prop_map(|(input_tokens, output_tokens)| Usage { input_tokens, output_tokens })
}

fn scenario() -> impl Strategy<Value = Scenario> {
    (word(), option::of(word())).prop_map(|(id, version)| Scenario { id, version })
}

fn consent() -> impl Strategy<Value = Consent> {
    let purpose = prop::sample::select(ConsentPurpose::ALL.to_vec());
    (purpose, any::<bool>(), option::of(word()), option::of(label())).prop_map(
        |(purpose, granted, text_version, text_hash)| Consent { purpose, granted, text_version, text_hash },
    )
}

/// The fields of a contact, in order; a [`Contact`] itself has no `Debug`, as it should.
pub(crate) type ContactFields =
    (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>);

pub(crate) fn contact_fields() -> impl Strategy<Value = ContactFields> {
    (option::of(label()), option::of(label()), option::of(label()), option::of(id()), option::of(id()))
}

pub(crate) fn contact_of((phone, email, name, messenger_id, other_messenger_id): ContactFields) -> Contact {
    Contact { phone, email, name, messenger_id, other_messenger_id }
}

fn lead() -> impl Strategy<Value = LeadId> {
    (1_u64..1_000_000_000_000_000_000).prop_map(LeadId::from_number)
}

prop_compose! {
    /// Anything `public::parse` can give.
    pub(crate) fn observation()(
        (occurred_at, channel, session, action) in
            (timestamp(), prop::sample::select(Channel::ALL.to_vec()), id(), action()),
        (event_id, actor, intent, scenario) in
            (option::of(uuid()), prop::sample::select(Actor::ALL.to_vec()), option::of(label()), option::of(scenario())),
        (lead, appointment, consent, contact, user_hash) in
            (option::of(lead()), option::of((id(), option::of(timestamp()), option::of(label()), option::of(label()))), option::of(consent()), contact_fields(), option::of(label())),
        (user, assistant) in (option::of("(?s).{1,99}"), option::of(label())),
        (confidence, response_time_ms, model, usage) in
            (option::of(0.0..=1.0), option::of(whole()), option::of(label()), option::of(usage())),
        (raw_input, payload, attributes) in (option::of(label()), option::of(label()), attributes()),
    ) -> Observation {
        let user = user.map(|text: String| text.replace('\0', "")).filter(|text| !text.trim().is_empty());
        Observation {
            event_id: event_id.map(EventId::from_uuid),
            actor,
            intent,
            scenario,
            lead,
            appointment: appointment.map(|(id, starts_at, service, staff)| ObservedAppointment {
                id,
                starts_at,
                service,
                staff,
            }),
            consent,
            contact: contact_of(contact),
            user_hash,
            texts: Texts { user, assistant },
            confidence,
            response_time_ms,
            model,
            usage,
            given_hashes: GivenHashes { raw_input, payload },
            attributes,
            ..Observation::new(occurred_at, channel, session, action)
        }
    }
}

fn sealed() -> impl Strategy<Value = Sealed> {
    prop::collection::vec(any::<u8>(), 0..40).prop_map(Sealed::from_bytes)
}

fn alias() -> impl Strategy<Value = Alias> {
    (prop::sample::select(AliasKind::ALL.to_vec()), "v1:[A-Za-z0-9_-]{43}")
        .prop_map(|(kind, text)| Alias { kind, pseudonym: Pseudonym::parse(&text).unwrap() })
}

prop_compose! {
    fn appointment()(
        id in id(),
        starts_at in option::of(timestamp()),
        service in option::of(word()),
    ) -> Appointment {
        Appointment { id: AppointmentId::parse(&id).unwrap(), starts_at, service }
    }
}

prop_compose! {
    /// Anything `privacy` can make.
    pub(crate) fn event()(
        (id, receipt) in (uuid(), uuid()),
        (tenant, source, session) in ("[a-z0-9-]{1,40}", "[a-z0-9-]{1,60}", id()),
        (occurred_at, received_at) in (timestamp(), timestamp()),
        (channel, actor, action) in
            (prop::sample::select(Channel::ALL.to_vec()), prop::sample::select(Actor::ALL.to_vec()), action()),
        (intent, scenario, lead, appointment, consent) in
            (option::of(word()), option::of(scenario()), option::of(lead()), option::of(appointment()), option::of(consent())),
        aliases in prop::collection::vec(alias(), 0..4),
        (confidence, response_time_ms, usage) in
            (option::of(0.0..=1.0), option::of(any::<u64>()), option::of(usage())),
        (clock_ahead, unknown_kind) in any::<(bool, bool)>(),
        (details, contact) in (option::of(sealed()), option::of(sealed())),
        (content_digest, payload_digest) in any::<([u8; 32], [u8; 32])>(),
    ) -> Event {
        Event {
            id: EventId::from_uuid(id),
            tenant: TenantId::parse(&tenant).unwrap(),
            source: SourceId::parse(&source).unwrap(),
            receipt: ReceiptId::from_uuid(receipt),
            occurred_at,
            received_at,
            channel,
            session: SessionId::parse(&session).unwrap(),
            actor,
            action,
            intent,
            scenario,
            lead,
            appointment,
            consent,
            aliases,
            confidence,
            response_time_ms,
            usage,
            flags: Flags { clock_ahead, unknown_kind },
            details,
            contact,
            content_digest: Digest::from_bytes(content_digest),
            payload_digest: Digest::from_bytes(payload_digest),
        }
    }
}
