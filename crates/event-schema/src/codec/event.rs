//! The event from and to its protobuf message.

use domain::action::{Action, Actor, Word};
use domain::channel::Channel;
use domain::event::{Alias, AliasKind, Appointment, Digest, Event, Flags, Sealed};
use domain::id::{AppointmentId, EventId, LeadId, Pseudonym, ReceiptId, SessionId, SourceId, TenantId};
use domain::observation::{Consent, ConsentPurpose, Scenario, Usage};

use super::DecodeError;
use super::field::{bytes, instant, read, read_optional};
use crate::wire;

pub(super) fn to_wire(event: &Event) -> wire::Event {
    wire::Event {
        id: bytes(event.id.as_bytes()),
        tenant: event.tenant.to_string(),
        source: event.source.to_string(),
        receipt: bytes(event.receipt.as_bytes()),
        occurred_at_micros: event.occurred_at.unix_micros(),
        received_at_micros: event.received_at.unix_micros(),
        channel: event.channel.to_string(),
        session: event.session.to_string(),
        actor: event.actor.to_string(),
        action: event.action.to_string(),
        intent: event.intent.as_ref().map(Word::to_string),
        scenario: event.scenario.as_ref().map(|scenario| wire::Scenario {
            id: scenario.id.to_string(),
            version: scenario.version.as_ref().map(Word::to_string),
        }),
        lead: event.lead.map(LeadId::number),
        appointment: event.appointment.as_ref().map(|appointment| wire::Appointment {
            id: appointment.id.to_string(),
            starts_at_micros: appointment.starts_at.map(|at| at.unix_micros()),
            service: appointment.service.as_ref().map(Word::to_string),
        }),
        consent: event.consent.as_ref().map(|consent| wire::Consent {
            purpose: consent.purpose.as_str().to_owned(),
            granted: consent.granted,
            text_version: consent.text_version.as_ref().map(Word::to_string),
            text_hash: consent.text_hash.clone(),
        }),
        aliases: event.aliases.iter().map(alias_to_wire).collect(),
        confidence: event.confidence,
        response_time_ms: event.response_time_ms,
        usage: event
            .usage
            .map(|Usage { input_tokens, output_tokens }| wire::Usage { input_tokens, output_tokens }),
        flags: flags_to_wire(event.flags),
        details: event.details.as_ref().map(|sealed| bytes(sealed.as_bytes())),
        contact: event.contact.as_ref().map(|sealed| bytes(sealed.as_bytes())),
        content_digest: bytes(event.content_digest.as_bytes()),
        payload_digest: bytes(event.payload_digest.as_bytes()),
    }
}

fn alias_to_wire(alias: &Alias) -> wire::Alias {
    wire::Alias { kind: alias.kind.as_str().to_owned(), pseudonym: alias.pseudonym.to_string() }
}

/// An event with nothing odd about it, nearly every one, carries no flags at all.
fn flags_to_wire(flags: Flags) -> Option<wire::Flags> {
    let Flags { clock_ahead, unknown_kind } = flags;
    (flags != Flags::default()).then_some(wire::Flags { clock_ahead, unknown_kind })
}

pub(super) fn from_wire(event: wire::Event) -> Result<Event, DecodeError> {
    Ok(Event {
        id: read(EventId::from_slice(&event.id), "id")?,
        tenant: read(TenantId::parse(&event.tenant), "tenant")?,
        source: read(SourceId::parse(&event.source), "source")?,
        receipt: read(ReceiptId::from_slice(&event.receipt), "receipt")?,
        occurred_at: instant(event.occurred_at_micros, "occurred_at_micros")?,
        received_at: instant(event.received_at_micros, "received_at_micros")?,
        channel: read(event.channel.parse::<Channel>(), "channel")?,
        session: read(SessionId::parse(&event.session), "session")?,
        actor: read(event.actor.parse::<Actor>(), "actor")?,
        action: read(Action::parse(&event.action), "action")?,
        intent: optional_word(event.intent, "intent")?,
        scenario: event.scenario.map(scenario_from_wire).transpose()?,
        lead: event.lead.map(LeadId::from_number),
        appointment: event.appointment.map(appointment_from_wire).transpose()?,
        consent: event.consent.map(consent_from_wire).transpose()?,
        aliases: event.aliases.iter().map(alias_from_wire).collect::<Result<_, _>>()?,
        confidence: read_optional(
            event.confidence,
            |confidence| Some(confidence).filter(|value| (0.0..=1.0).contains(value)),
            "confidence",
        )?,
        response_time_ms: event.response_time_ms,
        usage: event
            .usage
            .map(|wire::Usage { input_tokens, output_tokens }| Usage { input_tokens, output_tokens }),
        flags: event.flags.map_or_else(Flags::default, |wire::Flags { clock_ahead, unknown_kind }| Flags {
            clock_ahead,
            unknown_kind,
        }),
        details: event.details.map(|sealed| Sealed::from_bytes(sealed.into())),
        contact: event.contact.map(|sealed| Sealed::from_bytes(sealed.into())),
        content_digest: read(Digest::from_slice(&event.content_digest), "content_digest")?,
        payload_digest: read(Digest::from_slice(&event.payload_digest), "payload_digest")?,
    })
}

fn optional_word(text: Option<String>, field: &'static str) -> Result<Option<Word>, DecodeError> {
    read_optional(text, |text| Word::parse(&text), field)
}

fn scenario_from_wire(scenario: wire::Scenario) -> Result<Scenario, DecodeError> {
    Ok(Scenario {
        id: read(Word::parse(&scenario.id), "scenario.id")?,
        version: optional_word(scenario.version, "scenario.version")?,
    })
}

fn appointment_from_wire(appointment: wire::Appointment) -> Result<Appointment, DecodeError> {
    Ok(Appointment {
        id: read(AppointmentId::parse(&appointment.id), "appointment.id")?,
        starts_at: appointment
            .starts_at_micros
            .map(|micros| instant(micros, "appointment.starts_at_micros"))
            .transpose()?,
        service: optional_word(appointment.service, "appointment.service")?,
    })
}

fn consent_from_wire(consent: wire::Consent) -> Result<Consent, DecodeError> {
    Ok(Consent {
        purpose: read(ConsentPurpose::parse(&consent.purpose), "consent.purpose")?,
        granted: consent.granted,
        text_version: optional_word(consent.text_version, "consent.text_version")?,
        text_hash: consent.text_hash,
    })
}

fn alias_from_wire(alias: &wire::Alias) -> Result<Alias, DecodeError> {
    Ok(Alias {
        kind: read(AliasKind::ALL.into_iter().find(|kind| kind.as_str() == alias.kind), "aliases.kind")?,
        pseudonym: read(Pseudonym::parse(&alias.pseudonym), "aliases.pseudonym")?,
    })
}
