//! The rows of the three tables.

use clickhouse::Row;
use domain::action::Word;
use domain::event::{Event, Flags};
use domain::observation::{Consent, Usage};
use domain::rollup::SessionRollup;
use serde::Serialize;

use crate::batch::Heard;
use crate::encoding::{Said, channel_code, earliest, last_step, latest, said};

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
            tenant: event.tenant.as_str().to_owned(),
            source: event.source.as_str().to_owned(),
            receipt: event.receipt.as_uuid().as_u64_pair(),
            occurred_at: event.occurred_at.unix_micros(),
            received_at: event.received_at.unix_micros(),
            channel: event.channel.as_str(),
            session: event.session.as_str().to_owned(),
            actor: event.actor.as_str(),
            action: event.action.as_str().to_owned(),
            intent: or_empty(event.intent.as_ref().map(Word::as_str)),
            scenario: or_empty(scenario.map(|scenario| scenario.id.as_str())),
            scenario_version: or_empty(
                scenario.and_then(|scenario| scenario.version.as_ref()).map(Word::as_str),
            ),
            lead: event.lead.map(|lead| lead.number()),
            appointment: or_empty(appointment.map(|appointment| appointment.id.as_str())),
            starts_at: appointment.and_then(|appointment| appointment.starts_at).map(|at| at.unix_micros()),
            service: or_empty(
                appointment.and_then(|appointment| appointment.service.as_ref()).map(Word::as_str),
            ),
            consent: consent.map_or("", |Consent { purpose, .. }| purpose.as_str()),
            consent_granted: consent.map(|consent| consent.granted),
            consent_text_version: or_empty(
                consent.and_then(|consent| consent.text_version.as_ref()).map(Word::as_str),
            ),
            aliases: event
                .aliases
                .iter()
                .map(|alias| (alias.kind.as_str(), alias.pseudonym.as_str().to_owned()))
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

fn or_empty(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

/// What some events say of a session.
#[derive(Row, Serialize)]
pub(crate) struct SessionRow<'a> {
    tenant: &'a str,
    session: &'a str,
    opened: Said,
    last: i64,
    marks: u32,
    lead: Said,
    step: Said,
}

impl<'a> SessionRow<'a> {
    pub(crate) fn of(rollup: &'a SessionRollup) -> Self {
        Self {
            tenant: rollup.tenant.as_str(),
            session: rollup.session.as_str(),
            opened: said(rollup.opened.moment, channel_code(rollup.opened.value)),
            last: rollup.last.at.unix_micros(),
            marks: rollup.marks.bits(),
            lead: earliest(rollup.lead.as_ref(), |lead| lead.number()),
            step: last_step(rollup.step.as_ref()),
        }
    }
}

/// What some events say of an appointment.
#[derive(Row, Serialize)]
pub(crate) struct AppointmentRow<'a> {
    tenant: &'a str,
    appointment: &'a str,
    opened: Said,
    last: i64,
    starts: Said,
    step: Said,
    marks: u32,
}

impl<'a> AppointmentRow<'a> {
    pub(crate) fn of(heard: &'a Heard) -> Self {
        let rollup = &heard.rollup;
        let (channel, _session) = &rollup.opened.value;
        Self {
            tenant: rollup.tenant.as_str(),
            appointment: rollup.appointment.as_str(),
            opened: said(rollup.opened.moment, channel_code(*channel)),
            last: heard.last.unix_micros(),
            // And one, for 0 says that nothing was said.
            starts: latest(rollup.starts_at.as_ref(), |starts| starts.unix_micros().unsigned_abs() + 1),
            step: last_step(rollup.step.as_ref()),
            marks: rollup.marks.bits(),
        }
    }
}
