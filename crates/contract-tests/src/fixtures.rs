//! Tenants, events and messages for the clauses: plain where a clause does not say otherwise.

use std::time::Duration;

use bytes::Bytes;
use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::event::{Appointment, Digest, Event, Flags};
use domain::id::{AppointmentId, EventId, ReceiptId, SessionId, SourceId, TenantId};
use domain::quarantine::{QuarantineEntry, QuarantineState, Reason, ReasonClass, Stage};
use domain::timestamp::Timestamp;
use ports::bus::{Group, Message, Partition, Subscription, Topic};
use ports::ledger::{LedgerEntry, ReceiptBatch};
use uuid::Uuid;

/// A claim TTL nobody lives to see the end of.
pub const LONG: Duration = Duration::from_secs(600);

/// A claim TTL that is over soon.
pub const SHORT: Duration = Duration::from_millis(50);

pub fn tenant(slug: &str) -> TenantId {
    TenantId::parse(slug).unwrap()
}

/// The tenant of everything that names no other.
pub fn salon() -> TenantId {
    tenant("salon")
}

pub fn source() -> SourceId {
    SourceId::parse("bot").unwrap()
}

pub fn session(id: &str) -> SessionId {
    SessionId::parse(id).unwrap()
}

/// Seconds into an ordinary day.
pub fn at(second: u64) -> Timestamp {
    Timestamp::parse("2026-01-15T09:00:00Z").unwrap().plus(Duration::from_secs(second))
}

/// An event of its own id and content.
pub fn event(session: &str, second: u64, action: Action) -> Event {
    let id = EventId::from_uuid(Uuid::new_v4());
    Event {
        id,
        tenant: salon(),
        source: source(),
        receipt: ReceiptId::generate(),
        occurred_at: at(second),
        received_at: at(second),
        channel: Channel::Telegram,
        session: SessionId::parse(session).unwrap(),
        actor: Actor::Client,
        action,
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
        content_digest: digest(id.as_bytes()),
        payload_digest: digest(id.as_bytes()),
    }
}

/// The same id with another content.
pub fn contradiction(of: &Event) -> Event {
    Event { content_digest: digest(b"another content"), ..of.clone() }
}

pub fn appointment(id: &str) -> Appointment {
    Appointment { id: AppointmentId::parse(id).unwrap(), starts_at: Some(at(7_200)), service: None }
}

/// A receipt of its own that brings these events, received when the first of them happened.
pub fn batch(events: &[Event]) -> ReceiptBatch {
    let receipt = ReceiptId::generate();
    ReceiptBatch {
        receipt,
        tenant: events.first().map_or_else(salon, |event| event.tenant.clone()),
        source: source(),
        received_at: events.first().map_or(at(0), |event| event.received_at),
        events: events.iter().map(|event| LedgerEntry { event: event.clone(), wire: wire(event) }).collect(),
        message: Bytes::from(format!("message of {receipt}")),
    }
}

/// What stands for the wire form of an event here.
pub fn wire(event: &Event) -> Bytes {
    Bytes::from(format!("wire of {}", event.id))
}

/// What the quarantine holds of a receipt that stopped at a stage.
pub fn quarantined(receipt: ReceiptId, stage: Stage, second: u64) -> QuarantineEntry {
    QuarantineEntry {
        receipt,
        stage,
        tenant: salon(),
        source: source(),
        reason: Reason {
            class: ReasonClass::Invalid,
            pointer: Some("/timestamp".to_owned()),
            detail: "an instant".to_owned(),
        },
        received_at: at(second),
        quarantined_at: at(second),
        message: b"sealed".to_vec(),
        state: QuarantineState::Open,
        replays: 0,
    }
}

pub fn message(text: &str) -> Message {
    Message::new(salon(), Partition::FIRST, Bytes::copy_from_slice(text.as_bytes()))
}

/// A message of a tenant.
pub fn message_of(slug: &str, text: &str) -> Message {
    Message { tenant: tenant(slug), ..message(text) }
}

pub fn subscription(topic: Topic, group: Group, consumer: &str, claim_ttl: Duration) -> Subscription {
    Subscription { topic, group, consumer: consumer.to_owned(), claim_ttl }
}

/// 32 bytes that differ where the content does.
pub fn digest(content: &[u8]) -> Digest {
    let mut bytes = [0; 32];
    for (index, byte) in content.iter().enumerate() {
        bytes[index % 32] ^= byte.rotate_left(u32::try_from(index / 32).unwrap());
    }
    Digest::from_bytes(bytes)
}
