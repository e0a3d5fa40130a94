//! Events into rollups, as every store does it before it touches its rows.

use criterion::{BenchmarkId, Criterion};
use domain::action::Action;
use domain::event::{Appointment, Event};
use domain::id::AppointmentId;
use domain::registry::SourceKind;
use domain::rollup::{AppointmentRollup, SessionRollup};
use system_tests::events;

use crate::bodies::{Body, throughput};
use crate::office::Office;

/// What a consumer claims at once.
const EVENTS: u32 = 500;
/// One event in so many is about a booking.
const BOOKED: usize = 10;

pub(crate) fn measure(criterion: &mut Criterion) {
    let office = Office::new();
    let mut group = criterion.benchmark_group("rollup");
    for sessions in [1, 50, 500] {
        let (events, bytes) = events_of(&office, sessions);
        group.throughput(throughput(events.len(), bytes));
        let id = BenchmarkId::new("500_events_into_sessions", sessions);
        group.bench_function(id, |b| b.iter(|| into_sessions(&events)));
        let id = BenchmarkId::new("50_bookings_into_appointments", sessions);
        group.bench_function(id, |b| b.iter(|| into_appointments(&events)));
    }
    group.finish();
}

/// Events of so many conversations, and how many bytes they were sent as.
fn events_of(office: &Office, sessions: u32) -> (Vec<Event>, usize) {
    let body = |number| Body {
        name: "numbered",
        kind: SourceKind::Events,
        text: events::numbered(1, number, sessions).to_string(),
    };
    let bodies: Vec<Body> = (0..EVENTS).map(body).collect();
    let mut events: Vec<Event> = bodies.iter().map(|body| office.batch(body).events.remove(0)).collect();
    for event in events.iter_mut().step_by(BOOKED) {
        event.action = Action::Book;
        event.appointment = Some(Appointment {
            id: AppointmentId::parse(&format!("visit-to-{}", event.session.as_str())).expect("it is short"),
            starts_at: Some(event.received_at),
            service: None,
        });
    }
    (events, bodies.iter().map(|body| body.text.len()).sum())
}

/// As `merge_by_session` of the adapters.
fn into_sessions(events: &[Event]) -> Vec<SessionRollup> {
    let mut rollups: Vec<_> = events.iter().map(SessionRollup::of).collect();
    rollups.sort_unstable_by(|a, b| (&a.tenant, &a.session).cmp(&(&b.tenant, &b.session)));
    let mut merged: Vec<SessionRollup> = Vec::new();
    for rollup in rollups {
        match merged.pop() {
            Some(last) if last.tenant == rollup.tenant && last.session == rollup.session => {
                merged.push(last.merge(rollup));
            }
            other => merged.extend(other.into_iter().chain([rollup])),
        }
    }
    merged
}

/// As `appointments::merge` of the adapters.
fn into_appointments(events: &[Event]) -> Vec<AppointmentRollup> {
    let mut rollups: Vec<_> = events.iter().filter_map(AppointmentRollup::of).collect();
    rollups.sort_unstable_by(|a, b| (&a.tenant, &a.appointment).cmp(&(&b.tenant, &b.appointment)));
    let mut merged: Vec<AppointmentRollup> = Vec::new();
    for rollup in rollups {
        match merged.pop() {
            Some(last) if last.tenant == rollup.tenant && last.appointment == rollup.appointment => {
                merged.push(last.merge(rollup));
            }
            other => merged.extend(other.into_iter().chain([rollup])),
        }
    }
    merged
}
