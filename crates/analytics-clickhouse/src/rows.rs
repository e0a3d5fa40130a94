//! The rows of the three tables.

use clickhouse::Row;
use domain::event::{Event, Flags};
use domain::observation::{Consent, Usage};
use domain::rollup::SessionRollup;
use serde::Serialize;

use crate::batch::Heard;
use crate::encoding::{At, NO_STEP, Said, at, channel_code, earliest, latest, said, step_code};

/// An event: what is pseudonymous about it, and nothing sealed.
#[derive(Row, Serialize)]
pub(crate) struct EventRow {
    id: (u64, u64),
    tenant: String,
    source: String,
    receipt: (u64, u64),
    occurred_at: i64,
    received_at: i64,
    channel: &'static str,
    session: String,
    actor: &'static str,
    action: String,
    intent: String,
    scenario: String,
    scenario_version: String,
    lead: Option<u64>,
    appointment: String,
    starts_at: Option<i64>,
    service: String,
    consent: &'static str,
    consent_granted: Option<bool>,
    consent_text_version: String,
    aliases: Vec<(&'static str, String)>,
    confidence: Option<f64>,
    response_time_ms: Option<u64>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    clock_ahead: bool,
    unknown_kind: bool,
}

impl EventRow {
    pub(crate) fn of(event: &Event) -> Self {
        let (scenario, appointment) = (event.scenario.as_ref(), event.appointment.as_ref());
        let consent = event.consent.as_ref();
        let Usage { input_tokens, output_tokens } = event.usage.unwrap_or_default();
        let Flags { clock_ahead, unknown_kind } = event.flags;
        Self {
            id: event.id.as_uuid().as_u64_pair(),
            tenant: event.tenant.to_string(),
            source: event.source.to_string(),
            receipt: event.receipt.as_uuid().as_u64_pair(),
            occurred_at: event.occurred_at.unix_micros(),
            received_at: event.received_at.unix_micros(),
            channel: event.channel.as_str(),
            session: event.session.to_string(),
            actor: event.actor.as_str(),
            action: event.action.to_string(),
            intent: or_empty(event.intent.as_ref()),
            scenario: or_empty(scenario.map(|scenario| &scenario.id)),
            scenario_version: or_empty(scenario.and_then(|scenario| scenario.version.as_ref())),
            lead: event.lead.map(|lead| lead.number()),
            appointment: or_empty(appointment.map(|appointment| &appointment.id)),
            starts_at: appointment.and_then(|appointment| appointment.starts_at).map(|at| at.unix_micros()),
            service: or_empty(appointment.and_then(|appointment| appointment.service.as_ref())),
            consent: consent.map_or("", |Consent { purpose, .. }| purpose.as_str()),
            consent_granted: consent.map(|consent| consent.granted),
            consent_text_version: or_empty(consent.and_then(|consent| consent.text_version.as_ref())),
            aliases: event
                .aliases
                .iter()
                .map(|alias| (alias.kind.as_str(), alias.pseudonym.to_string()))
                .collect(),
            confidence: event.confidence,
            response_time_ms: event.response_time_ms,
            input_tokens,
            output_tokens,
            clock_ahead,
            unknown_kind,
        }
    }
}

fn or_empty(text: Option<&impl ToString>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

/// What some events say of a session.
#[derive(Row, Serialize)]
pub(crate) struct SessionRow {
    tenant: String,
    session: String,
    opened: Said<u8>,
    last: At,
    marks: u32,
    lead: Said<u64>,
    step: Said<u8>,
}

impl SessionRow {
    pub(crate) fn of(rollup: &SessionRollup) -> Self {
        Self {
            tenant: rollup.tenant.to_string(),
            session: rollup.session.to_string(),
            opened: said(rollup.opened.moment, channel_code(rollup.opened.value)),
            last: at(rollup.last),
            marks: rollup.marks.bits(),
            lead: earliest(rollup.lead.as_ref(), |lead| lead.number()),
            step: latest(rollup.step.as_ref(), NO_STEP, |step| step_code(*step)),
        }
    }
}

/// What some events say of an appointment.
#[derive(Row, Serialize)]
pub(crate) struct AppointmentRow {
    tenant: String,
    appointment: String,
    opened: (i64, [u8; 16], u8, String),
    last: i64,
    starts: Said<i64>,
    step: Said<u8>,
    marks: u32,
}

impl AppointmentRow {
    pub(crate) fn of(heard: &Heard) -> Self {
        let rollup = &heard.rollup;
        let (opened_at, opened_event) = at(rollup.opened.moment);
        let (channel, session) = &rollup.opened.value;
        Self {
            tenant: rollup.tenant.to_string(),
            appointment: rollup.appointment.to_string(),
            opened: (opened_at, opened_event, channel_code(*channel), session.to_string()),
            last: heard.last.unix_micros(),
            starts: latest(rollup.starts_at.as_ref(), -1, |starts| starts.unix_micros()),
            step: latest(rollup.step.as_ref(), NO_STEP, |step| step_code(*step)),
            marks: rollup.marks.bits(),
        }
    }
}
