//! Timelines, leads, sessions, and the walls between tenants.

use std::collections::BTreeSet;

use domain::action::Action;
use domain::channel::Channel;
use domain::event::Event;
use domain::id::{LeadId, SessionId, TenantId};
use domain::quarantine::{QuarantineEntry, Stage};
use domain::rollup::{Mark, Moment};
use domain::session::Outcome;
use ports::ledger::{SessionCursor, SessionQuery, StoredEvent};
use ports::quarantine::QuarantineQuery;

use super::{Port, all_sessions, record, timeline};
use crate::fixtures::{at, batch, event, quarantined, salon, session, tenant, wire};

pub async fn a_timeline_is_ordered_by_what_happened_first(ledger: &Port) {
    let mut said: Vec<_> = [30, 10, 20, 10, 10].map(|second| event("s-1", second, Action::Message)).into();
    record(ledger, &batch(&said)).await;
    record(ledger, &batch(&[event("s-2", 15, Action::Message)])).await;
    said.sort_by_key(|event| (event.occurred_at, event.id));
    let expected: Vec<_> = said.iter().map(|event| format!("wire of {}", event.id)).collect();
    assert_eq!(timeline(ledger, &salon(), "s-1").await, expected);
    assert_eq!(timeline(ledger, &salon(), "s-3").await, Vec::<String>::new());
}

pub async fn a_timeline_comes_in_pages(ledger: &Port) {
    let mut said: Vec<_> = (0..10).map(|n| event("s-1", n / 4, Action::Message)).collect();
    record(ledger, &batch(&said)).await;
    said.sort_by_key(|event| (event.occurred_at, event.id));
    let mut after = None;
    for page in said.chunks(3) {
        let found = ledger.timeline(&salon(), &session("s-1"), after, 3).await.unwrap();
        assert_eq!(wires(&found), page.iter().map(wire).collect::<Vec<_>>());
        after = page.last().map(|event| Moment { at: event.occurred_at, event: event.id });
    }
    assert_eq!(ledger.timeline(&salon(), &session("s-1"), after, 3).await.unwrap(), []);
}

pub async fn the_events_of_a_lead_come_from_all_its_sessions(ledger: &Port) {
    let lead = LeadId::from_number(5678);
    let later = Event { lead: Some(lead), ..event("s-1", 20, Action::CreateLead) };
    let earlier = Event { lead: Some(lead), ..event("s-2", 10, Action::LeadStage) };
    let of_another = Event { lead: Some(LeadId::from_number(1)), ..event("s-1", 15, Action::CreateLead) };
    let without = event("s-1", 16, Action::Message);
    record(ledger, &batch(&[later.clone(), earlier.clone(), of_another, without])).await;
    let found = ledger.lead_events(&salon(), lead, None, 10).await.unwrap();
    assert_eq!(wires(&found), [wire(&earlier), wire(&later)]);
}

pub async fn the_events_of_a_lead_come_in_pages(ledger: &Port) {
    let lead = LeadId::from_number(5678);
    let named = |second| Event { lead: Some(lead), ..event("s-1", second, Action::LeadStage) };
    let mut said: Vec<_> = (0..5).map(|n| named(n / 2)).collect();
    record(ledger, &batch(&said)).await;
    said.sort_by_key(|event| (event.occurred_at, event.id));
    let first = ledger.lead_events(&salon(), lead, None, 3).await.unwrap();
    assert_eq!(wires(&first), said[..3].iter().map(wire).collect::<Vec<_>>());
    let after = Moment { at: said[2].occurred_at, event: said[2].id };
    let rest = ledger.lead_events(&salon(), lead, Some(after), 3).await.unwrap();
    assert_eq!(wires(&rest), said[3..].iter().map(wire).collect::<Vec<_>>());
}

pub async fn sessions_come_with_the_latest_first(ledger: &Port) {
    for (id, second) in [("s-1", 10), ("s-2", 30), ("s-3", 20), ("s-4", 20)] {
        record(ledger, &batch(&[event(id, second, Action::Message)])).await;
    }
    assert_eq!(listed(ledger, &all_sessions(&salon())).await, ["s-2", "s-4", "s-3", "s-1"]);
    record(ledger, &batch(&[event("s-1", 40, Action::Message)])).await;
    assert_eq!(listed(ledger, &all_sessions(&salon())).await, ["s-1", "s-2", "s-4", "s-3"]);
}

pub async fn sessions_come_in_pages(ledger: &Port) {
    for n in 0..10 {
        record(ledger, &batch(&[event(&format!("s-{n}"), n / 4, Action::Message)])).await;
    }
    let all = listed(ledger, &all_sessions(&salon())).await;
    let mut paged = Vec::new();
    let mut query = SessionQuery { limit: 3, ..all_sessions(&salon()) };
    loop {
        let page = ledger.sessions(&query).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 3);
        query.after =
            Some(SessionCursor { last_at: last.rollup.last.at, session: last.rollup.session.clone() });
        paged.extend(page.into_iter().map(|row| row.rollup.session.to_string()));
    }
    assert_eq!(paged, all);
    assert_eq!(all.len(), 10);
}

pub async fn sessions_are_filtered_by_channel_outcome_and_period(ledger: &Port) {
    let site = Event { channel: Channel::Site, ..event("site", 10, Action::Message) };
    let said = [
        site,
        event("booked", 20, Action::Book),
        event("refused", 30, Action::Refuse),
        event("visited", 40, Action::Attend),
    ];
    record(ledger, &batch(&said)).await;
    let all = all_sessions(&salon());
    let channel = SessionQuery { channel: Some(Channel::Site), ..all.clone() };
    assert_eq!(listed(ledger, &channel).await, ["site"]);
    let outcome = SessionQuery { outcome: Some(Outcome::Refused), ..all.clone() };
    assert_eq!(listed(ledger, &outcome).await, ["refused"]);
    let period = SessionQuery { from: Some(at(20)), until: Some(at(40)), ..all.clone() };
    assert_eq!(listed(ledger, &period).await, ["refused", "booked"]);
    let none = SessionQuery { channel: Some(Channel::Site), outcome: Some(Outcome::Visited), ..all.clone() };
    assert_eq!(listed(ledger, &none).await, Vec::<String>::new());
    // The outcome follows what is learnt, whenever it is.
    record(ledger, &batch(&[event("booked", 35, Action::NoShow), event("refused", 25, Action::Book)])).await;
    let no_show = SessionQuery { outcome: Some(Outcome::NoShow), ..all.clone() };
    assert_eq!(listed(ledger, &no_show).await, ["booked"]);
    let booked = SessionQuery { outcome: Some(Outcome::Booked), ..all };
    assert_eq!(listed(ledger, &booked).await, ["refused"]);
}

pub async fn a_session_says_what_is_known_of_it(ledger: &Port) {
    let first = event("s-1", 10, Action::Message);
    let lead = Event { lead: Some(LeadId::from_number(7)), ..event("s-1", 20, Action::CreateLead) };
    let last = Event { channel: Channel::Crm, ..event("s-1", 30, Action::Book) };
    // The middle one last: nothing depends on the order.
    for said in [&last, &first, &lead] {
        record(ledger, &batch(std::slice::from_ref(said))).await;
    }
    let row = ledger.session(&salon(), &[session("s-1")]).await.unwrap().unwrap();
    let expected = [&first, &lead, &last].map(domain::rollup::SessionRollup::of);
    let expected = expected.into_iter().reduce(domain::rollup::SessionRollup::merge).unwrap();
    assert_eq!((row.rollup, row.events), (expected.clone(), 3));
    assert_eq!(expected.opened.value, Channel::Telegram);
    assert!(expected.marks.has(Mark::Lead) && expected.marks.has(Mark::Booked));
}

pub async fn a_session_is_found_under_any_of_its_ids(ledger: &Port) {
    record(ledger, &batch(&[event("v1:pseudonym", 10, Action::Message)])).await;
    let found = |ids: Vec<SessionId>| async move { ledger.session(&salon(), &ids).await.unwrap() };
    assert!(found(vec![session("typed"), session("v1:pseudonym")]).await.is_some());
    assert!(found(vec![session("v1:pseudonym")]).await.is_some());
    assert!(found(vec![session("typed")]).await.is_none());
    assert!(found(Vec::new()).await.is_none());
}

pub async fn no_read_crosses_to_another_tenant(ledger: &Port) {
    let lead = LeadId::from_number(5678);
    let ours = Event { lead: Some(lead), ..event("s-1", 10, Action::CreateLead) };
    let receipt = batch(std::slice::from_ref(&ours));
    record(ledger, &receipt).await;
    let failed = quarantined(domain::id::ReceiptId::generate(), Stage::Normalize, 10);
    ledger.quarantine(std::slice::from_ref(&failed)).await.unwrap();

    let theirs = tenant("clinic");
    assert_eq!(ledger.sessions(&all_sessions(&theirs)).await.unwrap(), []);
    assert_eq!(ledger.session(&theirs, std::slice::from_ref(&ours.session)).await.unwrap(), None);
    assert_eq!(ledger.timeline(&theirs, &ours.session, None, 10).await.unwrap(), []);
    assert_eq!(ledger.lead_events(&theirs, lead, None, 10).await.unwrap(), []);
    assert_eq!(ledger.show(&theirs, failed.receipt).await.unwrap(), []);
    let tenants: BTreeSet<TenantId> =
        ledger.books().await.unwrap().into_iter().map(|books| books.tenant).collect();
    assert_eq!(tenants, BTreeSet::from([salon()]));
    let everything = QuarantineQuery::all_of(theirs.clone(), 10);
    assert_eq!(ledger.list(&everything).await.unwrap(), []);
    let in_their_name = QuarantineEntry { tenant: theirs, ..failed.clone() };
    ledger.mark_replaying(&in_their_name).await.unwrap();
    ledger.resolve(&in_their_name).await.unwrap();
    assert_eq!(ledger.show(&salon(), failed.receipt).await.unwrap(), [failed]);
}

async fn listed(ledger: &Port, query: &SessionQuery) -> Vec<String> {
    let rows = ledger.sessions(query).await.unwrap();
    rows.into_iter().map(|row| row.rollup.session.to_string()).collect()
}

fn wires(events: &[StoredEvent]) -> Vec<bytes::Bytes> {
    events.iter().map(|event| event.wire.clone()).collect()
}
