//! The event from and to its protobuf message.

use domain::action::{Action, Actor, Word};
use domain::channel::Channel;
use domain::event::{Alias, AliasKind, Appointment, Digest, Event, Flags, Sealed};
use domain::id::{AppointmentId, EventId, LeadId, Pseudonym, ReceiptId, SessionId, SourceId, TenantId};
use domain::observation::{Consent, ConsentPurpose, Scenario, Usage};

use super::DecodeError;
use super::field::{instant, read, read_optional};
use super::write::Fields;
use crate::wire;

/// How many bytes an event takes at most beside its seals, unless its labels are long: what is set aside at first.
const TYPICAL_BYTES: usize = 512;

/// How many bytes to set aside for an event.
pub(super) fn expected_bytes(event: &Event) -> usize {
    let sealed = |sealed: &Option<Sealed>| sealed.as_ref().map_or(0, |sealed| sealed.as_bytes().len());
    TYPICAL_BYTES + sealed(&event.details) + sealed(&event.contact)
}

/// Writes the fields of [`wire::Event`].
pub(super) fn write(event: &Event, fields: &mut Fields<'_>) {
    fields.bytes(1, event.id.as_bytes());
    fields.text(2, event.tenant.as_str());
    fields.text(3, event.source.as_str());
    fields.bytes(4, event.receipt.as_bytes());
    fields.int64(5, event.occurred_at.unix_micros());
    fields.int64(6, event.received_at.unix_micros());
    fields.text(7, event.channel.as_str());
    fields.text(8, event.session.as_str());
    fields.text(9, event.actor.as_str());
    fields.text(10, event.action.as_str());
    fields.given_text(11, event.intent.as_ref().map(Word::as_str));
    if let Some(scenario) = &event.scenario {
        fields.message(12, |fields| {
            fields.text(1, scenario.id.as_str());
            fields.given_text(2, scenario.version.as_ref().map(Word::as_str));
        });
    }
    fields.given_uint64(13, event.lead.map(LeadId::number));
    if let Some(appointment) = &event.appointment {
        fields.message(14, |fields| {
            fields.text(1, appointment.id.as_str());
            fields.given_int64(2, appointment.starts_at.map(|at| at.unix_micros()));
            fields.given_text(3, appointment.service.as_ref().map(Word::as_str));
        });
    }
    if let Some(consent) = &event.consent {
        fields.message(15, |fields| {
            fields.text(1, consent.purpose.as_str());
            fields.truth(2, consent.granted);
            fields.given_text(3, consent.text_version.as_ref().map(Word::as_str));
            fields.given_text(4, consent.text_hash.as_deref());
        });
    }
    for Alias { kind, pseudonym } in &event.aliases {
        fields.message(16, |fields| {
            fields.text(1, kind.as_str());
            fields.text(2, pseudonym.as_str());
        });
    }
    write_figures(event, fields);
    fields.given_bytes(21, event.details.as_ref().map(Sealed::as_bytes));
    fields.given_bytes(22, event.contact.as_ref().map(Sealed::as_bytes));
    fields.bytes(23, event.content_digest.as_bytes());
    fields.bytes(24, event.payload_digest.as_bytes());
}

fn write_figures(event: &Event, fields: &mut Fields<'_>) {
    fields.given_double(17, event.confidence);
    fields.given_uint64(18, event.response_time_ms);
    if let Some(Usage { input_tokens, output_tokens }) = event.usage {
        fields.message(19, |fields| {
            fields.given_uint64(1, input_tokens);
            fields.given_uint64(2, output_tokens);
        });
    }
    // An event with nothing odd about it, nearly every one, carries no flags at all.
    if event.flags != Flags::default() {
        let Flags { clock_ahead, unknown_kind } = event.flags;
        fields.message(20, |fields| {
            fields.truth(1, clock_ahead);
            fields.truth(2, unknown_kind);
        });
    }
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
