//! Durability and retention.

use domain::action::Action;
use domain::id::ReceiptId;
use domain::quarantine::{QuarantineEntry, QuarantineState, Stage};
use domain::timestamp::Timestamp;
use ports::ledger::{ReceiptBatch, Recorded};
use ports::quarantine::QuarantineQuery;

use super::{Port, all_sessions, books, record, timeline};
use crate::World;
use crate::fixtures::{at, batch, event, quarantined, salon};

const NEVER: Timestamp = Timestamp::EPOCH;

pub async fn sweeping_deletes_what_is_old_and_nothing_else(ledger: &Port) {
    let old = event("old", 10, Action::Message);
    let both = [event("both", 20, Action::Message), event("both", 70, Action::Message)];
    record(ledger, &batch(&[old])).await;
    record(ledger, &batch(&both[..1])).await;
    record(ledger, &batch(&both[1..])).await;
    // Two events and two marks were received before.
    assert_eq!(ledger.sweep(at(50), NEVER, 1_000).await.unwrap(), 4);
    assert_eq!(timeline(ledger, &salon(), "old").await, Vec::<String>::new());
    assert_eq!(timeline(ledger, &salon(), "both").await.len(), 1);
    assert_eq!(ledger.sessions(&all_sessions(&salon())).await.unwrap().len(), 2);
    assert_eq!(ledger.sweep(NEVER, at(50), 1_000).await.unwrap(), 1);
    let sessions = ledger.sessions(&all_sessions(&salon())).await.unwrap();
    assert_eq!(sessions.len(), 1);
    // The event that is gone still counts: it was in the ledger.
    assert_eq!((sessions[0].rollup.session.as_str(), sessions[0].events), ("both", 2));
    assert_eq!(ledger.sweep(at(50), at(50), 1_000).await.unwrap(), 0);
}

pub async fn a_session_reported_late_stays_as_long_as_its_events(ledger: &Port) {
    let late = ReceiptBatch { received_at: at(90), ..batch(&[event("s-1", 10, Action::Message)]) };
    record(ledger, &late).await;
    assert_eq!(ledger.sweep(at(50), at(50), 1_000).await.unwrap(), 0);
    assert_eq!(ledger.sessions(&all_sessions(&salon())).await.unwrap().len(), 1);
    ledger.sweep(at(100), at(50), 1_000).await.unwrap();
    assert_eq!(ledger.sessions(&all_sessions(&salon())).await.unwrap(), []);
}

pub async fn sweeping_leaves_the_books(ledger: &Port) {
    let said = event("s-1", 10, Action::Message);
    record(ledger, &batch(std::slice::from_ref(&said))).await;
    record(ledger, &batch(&[said])).await;
    ledger.quarantine(&[quarantined(ReceiptId::generate(), Stage::Normalize, 10)]).await.unwrap();
    ledger.sweep(at(50), at(50), 1_000).await.unwrap();
    assert_eq!(books(ledger, &salon()).await, (1, 1, 1));
}

pub async fn sweeping_leaves_what_waits_in_quarantine_without_its_message(ledger: &Port) {
    let late = ReceiptBatch { received_at: at(10), ..batch(&[event("s-1", 10, Action::Message)]) };
    let [waits, replaying, young] = [late.receipt, ReceiptId::generate(), ReceiptId::generate()];
    let entries = [(waits, 10), (replaying, 10), (young, 60)]
        .map(|(receipt, at)| quarantined(receipt, Stage::Normalize, at));
    ledger.quarantine(&entries).await.unwrap();
    ledger.mark_replaying(&entries[1]).await.unwrap();
    assert_eq!(ledger.sweep(at(50), at(50), 1_000).await.unwrap(), 2);
    assert_eq!(ledger.sweep(at(50), at(50), 1_000).await.unwrap(), 0, "it is gone already");
    let expired = QuarantineEntry { message: Vec::new(), ..entries[0].clone() };
    assert_eq!(ledger.show(&salon(), waits).await.unwrap(), [expired], "all else of it stays");
    assert_eq!(ledger.show(&salon(), young).await.unwrap(), [entries[2].clone()]);
    let on_its_way = &ledger.show(&salon(), replaying).await.unwrap()[0];
    assert_eq!((on_its_way.state, on_its_way.is_expired()), (QuarantineState::Replaying, true));
    let everything = QuarantineQuery::all_of(salon(), 10);
    assert_eq!(ledger.list(&everything).await.unwrap().len(), 3);
    let kept = ledger.list(&QuarantineQuery { kept: true, ..everything }).await.unwrap();
    assert_eq!(kept.iter().map(|entry| entry.receipt).collect::<Vec<_>>(), [young]);
    let causes = ledger.causes(&salon(), 10).await.unwrap();
    assert_eq!((causes[0].open, causes[0].replaying, causes[0].expired), (2, 1, 2));
    assert_eq!(books(ledger, &salon()).await, (0, 0, 3));
    // Its receipt can still come home, and is still counted once.
    assert_eq!(record(ledger, &late).await, Recorded::Stored);
    assert_eq!(books(ledger, &salon()).await, (1, 0, 2));
    ledger.sweep(at(50), at(50), 1_000).await.unwrap();
    assert_eq!(ledger.show(&salon(), late.receipt).await.unwrap(), []);
}

pub async fn sweeping_goes_on_where_it_stopped(ledger: &Port) {
    let said: Vec<_> = (0..20).map(|n| event(&format!("s-{n}"), 10, Action::Message)).collect();
    record(ledger, &batch(&said)).await;
    let mut calls = 0;
    while ledger.sweep(at(50), at(50), 5).await.unwrap() > 0 {
        calls += 1;
        assert!(calls < 1_000, "it never ends");
    }
    // 41 rows at about five a call.
    assert!(calls > 3, "{calls}");
    assert_eq!(ledger.sessions(&all_sessions(&salon())).await.unwrap(), []);
}

pub async fn a_ledger_that_works_passes_its_probe(ledger: &Port) {
    ledger.probe().await.unwrap();
    ledger.probe().await.unwrap();
}

pub async fn what_was_recorded_survives_reopening(world: &dyn World<Port>) {
    let ledger = world.open().await;
    let stored = batch(&[event("s-1", 10, Action::Message)]);
    let failed = quarantined(ReceiptId::generate(), Stage::Normalize, 10);
    record(&*ledger, &stored).await;
    ledger.quarantine(std::slice::from_ref(&failed)).await.unwrap();
    drop(ledger);
    let ledger = world.open().await;
    assert_eq!(record(&*ledger, &stored).await, Recorded::Already);
    assert_eq!(timeline(&*ledger, &salon(), "s-1").await.len(), 1);
    assert_eq!(ledger.sessions(&all_sessions(&salon())).await.unwrap().len(), 1);
    assert_eq!(ledger.show(&salon(), failed.receipt).await.unwrap(), [failed]);
    assert_eq!(books(&*ledger, &salon()).await, (1, 0, 1));
}
