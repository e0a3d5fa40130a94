//! A source as shown: what it is, and how it is doing.

use domain::registry::Source;
use domain::source_state::{Refused, SourceState};
use domain::timestamp::Timestamp;
use serde::Serialize;

/// A source as shown.
#[derive(Serialize)]
pub(crate) struct SourceView {
    id: String,
    tenant: String,
    kind: &'static str,
    name: String,
    /// Where its deliveries go.
    url: String,
    rate_limit: Option<u32>,
    created_at: String,
    /// When each live secret was made; the last is the one to paste.
    secrets: Vec<String>,
    condition: &'static str,
    first_event_at: Option<String>,
    last_event_at: Option<String>,
    /// The conversation of the last event.
    last_session: Option<String>,
    events_last_hour: u64,
    events_last_day: u64,
    /// The sender's clock less the gateway's, with the last event; negative where the event took its time.
    last_skew_ms: Option<i64>,
    /// The most an event of the last day was ahead.
    greatest_ahead_ms: Option<u64>,
    /// Whether that is so much that somebody should set the clock.
    clock_ahead: bool,
    quarantined: u64,
    quarantined_at: Option<String>,
    /// What was refused at the door in the last day.
    refused: Vec<RefusedView>,
    /// The last of it.
    last_refused: Option<LastRefused>,
}

#[derive(Serialize)]
struct RefusedView {
    reason: &'static str,
    times: u64,
    last_at: String,
}

#[derive(Serialize)]
struct LastRefused {
    reason: &'static str,
    at: String,
}

impl SourceView {
    pub(crate) fn new(source: &Source, state: Option<&SourceState>, url: String, now: Timestamp) -> Self {
        let unheard;
        let state = match state {
            Some(state) => state,
            None => {
                unheard = SourceState::unheard(source.tenant.clone(), source.id.clone());
                &unheard
            }
        };
        let heard = state.heard.as_ref();
        Self {
            id: source.id.to_string(),
            tenant: source.tenant.to_string(),
            kind: source.kind.as_str(),
            name: source.name.clone(),
            url,
            rate_limit: source.rate_limit.map(Into::into),
            created_at: source.created_at.to_string(),
            secrets: source.secrets.iter().map(|secret| secret.created_at.to_string()).collect(),
            condition: state.condition(now).as_str(),
            first_event_at: heard.map(|heard| heard.first_at.to_string()),
            last_event_at: heard.map(|heard| heard.last_at.to_string()),
            last_session: heard.map(|heard| heard.last_session.to_string()),
            events_last_hour: state.events_last_hour,
            events_last_day: state.events_last_day,
            last_skew_ms: heard.map(|heard| heard.last_skew_micros() / 1_000),
            greatest_ahead_ms: state
                .greatest_ahead
                .map(|ahead| u64::try_from(ahead.as_millis()).unwrap_or(u64::MAX)),
            clock_ahead: state.is_ahead(),
            quarantined: state.quarantined,
            quarantined_at: state.quarantined_at.map(|at| at.to_string()),
            refused: state.refused.iter().map(RefusedView::from).collect(),
            last_refused: state.last_refused().map(LastRefused::from),
        }
    }
}

impl From<&Refused> for RefusedView {
    fn from(refused: &Refused) -> Self {
        let Refused { reason, times, last_at } = refused;
        Self { reason: reason.as_str(), times: *times, last_at: last_at.to_string() }
    }
}

impl From<&Refused> for LastRefused {
    fn from(refused: &Refused) -> Self {
        Self { reason: refused.reason.as_str(), at: refused.last_at.to_string() }
    }
}
