//! Any order, any cut into batches and any repetition: what ClickHouse makes of its rows is what the domain makes of
//! the events, before and after merges.

use clickhouse::{Row, RowOwned, RowRead};
use contract_tests::fixtures::{appointment, at, event, tenant};
use domain::action::{Action, Actor};
use domain::appointment::Step;
use domain::channel::Channel;
use domain::event::{Appointment, Event};
use domain::id::{EventId, LeadId, TenantId};
use domain::rollup::{AppointmentRollup, Dated, Moment, SessionRollup};
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
            database.run("OPTIMIZE TABLE sessions FINAL").await;
            database.run("OPTIMIZE TABLE appointments FINAL").await;
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

/// As `UInt256` is sent: its lower half, its upper half.
type Number = (u128, u128);

/// An instant, an event and a value as one number, from the top down.
fn number(moment: Moment, value: u64, bits: u32) -> Number {
    let event = moment.event.as_uuid().as_u128();
    let at = u128::try_from(moment.at.unix_micros()).unwrap();
    ((event << bits) + u128::from(value), (at << bits) + (event >> (128 - bits)))
}

fn step(step: Option<Dated<Step>>) -> Number {
    step.map_or((0, 0), |step| number(step.moment, position(step.value) + 1, 8))
}

#[derive(Debug, PartialEq, Row, Deserialize)]
struct StoredSession {
    session: String,
    opened: Number,
    last: i64,
    marks: u32,
    lead: Number,
    step: Number,
}

async fn stored_sessions(database: &Database, salon: &TenantId) -> Vec<StoredSession> {
    let query = "SELECT session, min(s.opened) AS opened, max(s.last) AS last, groupBitOr(s.marks) AS marks,
                        min(s.lead) AS lead, max(s.step) AS step
                 FROM sessions AS s WHERE tenant = {tenant:String} GROUP BY session ORDER BY session";
    stored(database, salon, query).await
}

async fn stored<T: RowOwned + RowRead>(database: &Database, salon: &TenantId, query: &str) -> Vec<T> {
    let client = database.client().with_validation(false);
    client.query_raw(query).param("tenant", salon.as_str()).fetch_all().await.unwrap()
}

fn expected_sessions(events: &[Event]) -> Vec<StoredSession> {
    let stored = |rollup: SessionRollup| StoredSession {
        session: rollup.session.to_string(),
        opened: number(rollup.opened.moment, channel_position(rollup.opened.value), 8),
        last: rollup.last.at.unix_micros(),
        marks: rollup.marks.bits(),
        lead: rollup.lead.map_or((u128::MAX, u128::MAX), |lead| number(lead.moment, lead.value.number(), 64)),
        step: step(rollup.step),
    };
    figures::sessions(events).into_values().map(stored).collect()
}

#[derive(Debug, PartialEq, Row, Deserialize)]
struct StoredAppointment {
    appointment: String,
    opened: Number,
    starts: Number,
    step: Number,
    marks: u32,
}

async fn stored_appointments(database: &Database, salon: &TenantId) -> Vec<StoredAppointment> {
    let query = "SELECT appointment, min(a.opened) AS opened, max(a.starts) AS starts, max(a.step) AS step,
                        groupBitOr(a.marks) AS marks
                 FROM appointments AS a WHERE tenant = {tenant:String}
                 GROUP BY appointment ORDER BY appointment";
    stored(database, salon, query).await
}

fn expected_appointments(events: &[Event]) -> Vec<StoredAppointment> {
    let starts = |starts: Dated<Timestamp>| {
        number(starts.moment, u64::try_from(starts.value.unix_micros()).unwrap() + 1, 64)
    };
    let stored = |rollup: AppointmentRollup| StoredAppointment {
        appointment: rollup.appointment.to_string(),
        opened: number(rollup.opened.moment, channel_position(rollup.opened.value.0), 8),
        starts: rollup.starts_at.map_or((0, 0), starts),
        step: step(rollup.step),
        marks: rollup.marks.bits(),
    };
    figures::appointments(events).into_values().map(stored).collect()
}

fn channel_position(channel: Channel) -> u64 {
    u64::try_from(Channel::ALL.iter().position(|one| *one == channel).unwrap()).unwrap()
}

fn position(step: Step) -> u64 {
    u64::try_from(Step::ALL.iter().position(|one| *one == step).unwrap()).unwrap()
}
