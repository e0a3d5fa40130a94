//! Any order, any cut into batches and any repetition: what ClickHouse makes of its rows is what the domain makes of
//! the events, before and after merges.

use clickhouse::Row;
use contract_tests::fixtures::{appointment, at, event, tenant};
use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::event::{Appointment, Event};
use domain::id::{EventId, LeadId, SessionId, TenantId};
use domain::rollup::{AppointmentRollup, SessionRollup};
use domain::timestamp::Timestamp;
use futures_util::future::join_all;
use ports::analytics::{AnalyticsStore, Period};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use serde::Deserialize;
use uuid::Uuid;

use crate::figures;
use crate::world::{Database, database};

const CASES: u32 = 6;

/// Few sessions, instants and ids, so that ties and conflicts are common; ids that differ in any byte, in either way.
fn any_event() -> impl Strategy<Value = Event> {
    let actions = vec![
        Action::Message,
        Action::CreateLead,
        Action::Book,
        Action::Reschedule,
        Action::Cancel,
        Action::Attend,
        Action::NoShow,
        Action::Fallback,
        Action::Handoff,
        Action::Refuse,
        Action::Remind,
    ];
    let ids = prop_oneof![any::<u128>(), 0_u128..3, (0_u32..16).prop_map(|byte| 0x80 << (byte * 8))];
    let when = prop_oneof![4 => 0_u64..6, 1 => 0_u64..100_000];
    (ids, when, select(actions), select(Channel::ALL.to_vec()), (0_u8..6, 0_u8..5), (0_u64..3, 0_u64..4))
        .prop_map(|(id, second, action, channel, (session, booking), (lead, starts))| Event {
            id: EventId::from_uuid(Uuid::from_u128(id)),
            channel,
            actor: Actor::Client,
            lead: (lead > 0).then(|| LeadId::from_number(lead)),
            appointment: (booking > 0).then(|| Appointment {
                starts_at: (starts > 0).then(|| at(starts)),
                ..appointment(&format!("a-{booking}"))
            }),
            ..event(&format!("s-{session}"), second, action)
        })
}

#[test]
fn whatever_the_order_the_batches_and_the_repetition_the_answers_are_the_domains() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (one, other) = runtime.block_on(async { tokio::join!(database(), database()) });
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let input = (vec(any_event(), 1..60), vec(any::<Index>(), 0..60), vec(1_usize..9, 1..9), any::<Index>());
    let ran = runner.run(&input, |(events, repeated, cuts, turn)| {
        let salon = tenant(&format!("salon-{}", Uuid::new_v4().simple()));
        let events: Vec<_> =
            events.into_iter().map(|event| Event { tenant: salon.clone(), ..event }).collect();
        let mut arrived = events.clone();
        arrived.extend(repeated.iter().map(|index| index.get(&events).clone()));
        let turn = turn.index(arrived.len());
        arrived.rotate_left(turn);
        runtime.block_on(async {
            absorb(&one, &events, &[events.len()]).await;
            absorb(&other, &arrived, &cuts).await;
            for database in [&one, &other] {
                check(database, &salon, &events).await;
            }
        });
        Ok(())
    });
    ran.unwrap();
    runtime.block_on(async { drop((one, other)) });
}

async fn absorb(database: &Database, events: &[Event], cuts: &[usize]) {
    let analytics = database.analytics();
    let mut rest = events;
    let mut batches = Vec::new();
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (batch, more) = rest.split_at((*cut).min(rest.len()));
        batches.push(batch);
        rest = more;
    }
    // Some at once, so that they share inserts, and some after another, so that they do not.
    for together in batches.chunks(3) {
        let absorbing = together.iter().map(|batch| analytics.absorb(batch));
        for absorbed in join_all(absorbing).await {
            absorbed.unwrap();
        }
    }
}

async fn check(database: &Database, salon: &TenantId, events: &[Event]) {
    let analytics = database.analytics();
    let periods = [(0, 1_000_000), (0, 2), (2, 5), (3, 4), (5, 100_000)]
        .map(|(from, until)| Period { from: at(from), until: at(until) });
    for merged in [false, true] {
        if merged {
            database.run("OPTIMIZE TABLE session_rollups FINAL").await;
            database.run("OPTIMIZE TABLE appointment_rollups FINAL").await;
        }
        for period in periods {
            let found = analytics.overview(salon, period).await.unwrap();
            assert_eq!(found, figures::of(events, period), "merged: {merged}, {period:?}");
        }
        assert_eq!(stored_sessions(database, salon).await, expected_sessions(events), "merged: {merged}");
        assert_eq!(
            stored_appointments(database, salon).await,
            expected_appointments(events),
            "merged: {merged}"
        );
    }
}

type At = (i64, [u8; 16]);

#[derive(Debug, PartialEq, Row, Deserialize)]
struct StoredSession {
    session: String,
    opened: (i64, [u8; 16], u8),
    last: At,
    marks: u32,
    lead: (i64, [u8; 16], u64),
    step: (i64, [u8; 16], u8),
}

async fn stored_sessions(database: &Database, salon: &TenantId) -> Vec<StoredSession> {
    let query = "SELECT session, min(s.opened) AS opened, max(s.last) AS last, groupBitOr(s.marks) AS marks,
                        min(s.lead) AS lead, max(s.step) AS step
                 FROM session_rollups AS s WHERE tenant = {tenant:String} GROUP BY session ORDER BY session";
    database
        .client()
        .with_validation(false)
        .query_raw(query)
        .param("tenant", salon.as_str())
        .fetch_all()
        .await
        .unwrap()
}

fn expected_sessions(events: &[Event]) -> Vec<StoredSession> {
    let place = |moment: domain::rollup::Moment| (moment.at.unix_micros(), *moment.event.as_bytes());
    let stored = |rollup: SessionRollup| {
        let (opened_at, opened_event) = place(rollup.opened.moment);
        let lead = rollup.lead.map(|lead| (place(lead.moment), lead.value.number()));
        let step = rollup.step.map(|step| (place(step.moment), position(step.value)));
        StoredSession {
            session: rollup.session.to_string(),
            opened: (opened_at, opened_event, channel_position(rollup.opened.value)),
            last: place(rollup.last),
            marks: rollup.marks.bits(),
            lead: lead.map_or((i64::MAX, [255; 16], 0), |((at, event), lead)| (at, event, lead)),
            step: step.map_or((-1, [0; 16], 255), |((at, event), step)| (at, event, step)),
        }
    };
    figures::sessions(events).into_values().map(stored).collect()
}

#[derive(Debug, PartialEq, Row, Deserialize)]
struct StoredAppointment {
    appointment: String,
    opened: (i64, [u8; 16], u8, String),
    starts: (i64, [u8; 16], i64),
    step: (i64, [u8; 16], u8),
    marks: u32,
}

async fn stored_appointments(database: &Database, salon: &TenantId) -> Vec<StoredAppointment> {
    let query = "SELECT appointment, min(a.opened) AS opened, max(a.starts) AS starts, max(a.step) AS step,
                        groupBitOr(a.marks) AS marks
                 FROM appointment_rollups AS a WHERE tenant = {tenant:String}
                 GROUP BY appointment ORDER BY appointment";
    database
        .client()
        .with_validation(false)
        .query_raw(query)
        .param("tenant", salon.as_str())
        .fetch_all()
        .await
        .unwrap()
}

fn expected_appointments(events: &[Event]) -> Vec<StoredAppointment> {
    let place = |moment: domain::rollup::Moment| (moment.at.unix_micros(), *moment.event.as_bytes());
    let stored = |rollup: AppointmentRollup| {
        let (opened_at, opened_event) = place(rollup.opened.moment);
        let (channel, session): (Channel, SessionId) = rollup.opened.value;
        let starts =
            rollup.starts_at.map(|starts| (place(starts.moment), Timestamp::unix_micros(starts.value)));
        let step = rollup.step.map(|step| (place(step.moment), position(step.value)));
        StoredAppointment {
            appointment: rollup.appointment.to_string(),
            opened: (opened_at, opened_event, channel_position(channel), session.to_string()),
            starts: starts.map_or((-1, [0; 16], -1), |((at, event), starts)| (at, event, starts)),
            step: step.map_or((-1, [0; 16], 255), |((at, event), step)| (at, event, step)),
            marks: rollup.marks.bits(),
        }
    };
    figures::appointments(events).into_values().map(stored).collect()
}

fn channel_position(channel: Channel) -> u8 {
    u8::try_from(Channel::ALL.iter().position(|one| *one == channel).unwrap()).unwrap()
}

fn position(step: domain::appointment::Step) -> u8 {
    u8::try_from(domain::appointment::Step::ALL.iter().position(|one| *one == step).unwrap()).unwrap()
}
