//! An event as shown to its tenant: texts opened, contacts not.

use domain::event::Event;
use domain::observation::{Consent, Scenario, Usage};
use domain::timestamp::Timestamp;
use event_schema::sealed::Details;
use serde::Serialize;
use serde_json::{Map, Value};

/// An event as shown.
#[derive(Serialize)]
pub(crate) struct EventView {
    id: String,
    session: String,
    channel: &'static str,
    actor: &'static str,
    action: String,
    /// The three clocks: the sender's, the gateway's, the ledger's.
    occurred_at: String,
    received_at: String,
    stored_at: String,
    source: String,
    receipt: String,
    user_text: Option<String>,
    assistant_response: Option<String>,
    intent: Option<String>,
    scenario: Option<ScenarioView>,
    lead: Option<String>,
    appointment: Option<NamedAppointmentView>,
    consent: Option<ConsentView>,
    /// What the client is known by; never the phone or address itself.
    known_by: Vec<&'static str>,
    confidence: Option<f64>,
    response_time_ms: Option<u64>,
    model: Option<String>,
    usage: Option<UsageView>,
    raw_input_hash: Option<String>,
    payload_hash: Option<String>,
    attributes: Map<String, Value>,
    flags: Vec<&'static str>,
}

#[derive(Serialize)]
struct ScenarioView {
    id: String,
    version: Option<String>,
}

#[derive(Serialize)]
struct NamedAppointmentView {
    id: String,
    starts_at: Option<String>,
    service: Option<String>,
    staff: Option<String>,
}

#[derive(Serialize)]
struct ConsentView {
    purpose: &'static str,
    granted: bool,
    text_version: Option<String>,
    text_hash: Option<String>,
}

#[derive(Serialize)]
struct UsageView {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

/// What the console found odd about an event, beyond its own flags.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Findings {
    /// The step cannot follow the one before it.
    pub(crate) impossible_step: bool,
    /// What was said is sealed under a key that is not here, or the seal is broken.
    pub(crate) details_unreadable: bool,
}

impl EventView {
    pub(crate) fn new(event: Event, stored_at: Timestamp, details: Details, findings: Findings) -> Self {
        let flags = flags(&event, findings);
        let Details { service, staff, consent_text_hash, .. } = details;
        let appointment = event.appointment.map(|named| NamedAppointmentView {
            id: named.id.to_string(),
            starts_at: named.starts_at.map(|at| at.to_string()),
            service: named.service.map(|word| word.to_string()).or(service),
            staff,
        });
        let mut known_by: Vec<_> = event.aliases.iter().map(|alias| alias.kind.as_str()).collect();
        known_by.dedup();
        Self {
            id: event.id.to_string(),
            session: event.session.to_string(),
            channel: event.channel.as_str(),
            actor: event.actor.as_str(),
            action: event.action.as_str().to_owned(),
            occurred_at: event.occurred_at.to_string(),
            received_at: event.received_at.to_string(),
            stored_at: stored_at.to_string(),
            source: event.source.to_string(),
            receipt: event.receipt.to_string(),
            user_text: details.user_text,
            assistant_response: details.assistant_response,
            intent: event.intent.map(|word| word.to_string()).or(details.intent),
            scenario: event.scenario.map(ScenarioView::from),
            lead: event.lead.map(|lead| lead.to_string()),
            appointment,
            consent: event.consent.map(|consent| {
                let view = ConsentView::from(consent);
                ConsentView { text_hash: view.text_hash.or(consent_text_hash), ..view }
            }),
            known_by,
            confidence: event.confidence,
            response_time_ms: event.response_time_ms,
            model: details.model,
            usage: event.usage.map(UsageView::from),
            raw_input_hash: details.raw_input_hash,
            payload_hash: details.payload_hash,
            attributes: details.attributes,
            flags,
        }
    }
}

fn flags(event: &Event, findings: Findings) -> Vec<&'static str> {
    let all = [
        ("clock_ahead", event.flags.clock_ahead),
        ("unknown_kind", event.flags.unknown_kind),
        ("impossible_step", findings.impossible_step),
        ("details_unreadable", findings.details_unreadable),
    ];
    all.into_iter().filter(|(_, is_raised)| *is_raised).map(|(name, _)| name).collect()
}

impl From<Scenario> for ScenarioView {
    fn from(scenario: Scenario) -> Self {
        Self { id: scenario.id.to_string(), version: scenario.version.map(|word| word.to_string()) }
    }
}

impl From<Consent> for ConsentView {
    fn from(consent: Consent) -> Self {
        Self {
            purpose: consent.purpose.as_str(),
            granted: consent.granted,
            text_version: consent.text_version.map(|word| word.to_string()),
            text_hash: consent.text_hash,
        }
    }
}

impl From<Usage> for UsageView {
    fn from(usage: Usage) -> Self {
        Self { input_tokens: usage.input_tokens, output_tokens: usage.output_tokens }
    }
}
