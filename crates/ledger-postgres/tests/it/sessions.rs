//! Sessions, which PostgreSQL merges by a statement of its own.

use std::collections::BTreeMap;

use contract_tests::fixtures::{at, batch, event, salon};
use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::event::Event;
use domain::id::{LeadId, SessionId};
use domain::rollup::SessionRollup;
use domain::session::Outcome;
use ports::ledger::{Ledger, LedgerReader, SessionCursor, SessionQuery, SessionRow};
use rand::RngExt as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};

use crate::world::schema;

const ACTIONS: [Action; 14] = [
    Action::Message,
    Action::Message,
    Action::Message,
    Action::CreateLead,
    Action::Book,
    Action::Reschedule,
    Action::Confirm,
    Action::Cancel,
    Action::Attend,
    Action::NoShow,
    Action::Refuse,
    Action::Fallback,
    Action::Decline,
    Action::Handoff,
];

/// Events of 200 sessions: of one kind, of two, of any, at few instants, so that many happen at once.
fn events() -> Vec<Event> {
    let mut rng = rand::rng();
    let mut events = Vec::new();
    for session in 0..200 {
        let kinds: Vec<_> = (0..=session % 4).map(|_| ACTIONS.choose(&mut rng).unwrap().clone()).collect();
        for _ in 0..rng.random_range(1..7) {
            let action = kinds.choose(&mut rng).unwrap().clone();
            let lead = rng.random_bool(0.2).then(|| LeadId::from_number(rng.random_range(1..9)));
            events.push(Event {
                lead,
                actor: *Actor::ALL.choose(&mut rng).unwrap(),
                channel: *Channel::ALL.choose(&mut rng).unwrap(),
                ..event(&format!("s-{session}"), rng.random_range(0..2_000), action)
            });
        }
    }
    for event in &mut events {
        if rng.random_bool(0.5) {
            event.occurred_at = at(rng.random_range(0..3));
        }
    }
    events.shuffle(&mut rng);
    events
}

fn query(outcome: Option<Outcome>, after: Option<SessionCursor>, limit: u32) -> SessionQuery {
    SessionQuery { tenant: salon(), channel: None, outcome, from: None, until: None, after, limit }
}

#[tokio::test]
async fn sessions_are_merged_as_the_domain_merges_them() {
    let schema = schema().await;
    let ledger = schema.open_ledger();
    let events = events();
    for call in events.chunks(50) {
        let receipts: Vec<_> = call.chunks(3).map(batch).collect();
        ledger.record(&receipts, at(0)).await.unwrap();
    }
    let mut expected: BTreeMap<SessionId, (SessionRollup, u64)> = BTreeMap::new();
    for event in &events {
        let one = SessionRollup::of(event);
        expected
            .entry(event.session.clone())
            .and_modify(|(rollup, events)| {
                *rollup = rollup.clone().merge(one.clone());
                *events += 1;
            })
            .or_insert((one, 1));
    }
    for outcome in Outcome::ALL {
        let mut of_it: Vec<_> = expected
            .values()
            .filter(|(rollup, _)| Outcome::of(rollup) == outcome)
            .map(|(rollup, events)| SessionRow { rollup: rollup.clone(), events: *events })
            .collect();
        of_it.sort_by_key(|row| std::cmp::Reverse((row.rollup.last.at, row.rollup.session.clone())));
        assert_eq!(ledger.sessions(&query(Some(outcome), None, 1_000)).await.unwrap(), of_it, "{outcome}");
    }
}

#[tokio::test]
async fn pages_of_sessions_follow_each_other_within_a_period_and_across() {
    let schema = schema().await;
    let ledger = schema.open_ledger();
    let receipts: Vec<_> = events().chunks(10).map(batch).collect();
    ledger.record(&receipts, at(0)).await.unwrap();
    let all = ledger.sessions(&query(None, None, 1_000)).await.unwrap();
    let mut paged: Vec<SessionRow> = Vec::new();
    loop {
        let after = paged
            .last()
            .map(|row| SessionCursor { last_at: row.rollup.last.at, session: row.rollup.session.clone() });
        let page = ledger.sessions(&query(None, after, 7)).await.unwrap();
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, all);
    assert_eq!(all.len(), 200);
}
