//! What a killed process leaves behind.

use std::path::Path;
use std::time::Duration;

use contract_tests::fixtures::{LONG, batch, event, message, salon, subscription};
use domain::action::Action;
use ports::bus::{EventBus, Group, Topic};
use ports::ledger::{Ledger, LedgerReader};
use store_sqlite::bus::{BusOptions, SqliteBus};
use store_sqlite::ledger::SqliteLedger;

use crate::world::folder;

/// Copies a file and its write-ahead log as they are on the disk while their owner is still alive: what a kill at
/// this moment would leave.
fn copy_as_killed(from: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let name = |path: &Path| format!("{}{suffix}", path.display());
        std::fs::copy(name(from), name(to)).unwrap();
    }
}

#[tokio::test]
async fn what_was_answered_before_a_kill_is_there_after_it() {
    let folder = folder().await;
    let (bus, ledger) = (folder.open_bus(), folder.open_ledger());
    bus.ensure_group(Topic::Raw, Group::Normalizer).await.unwrap();
    for n in 0..50 {
        bus.publish(Topic::Raw, vec![message(&format!("{n}"))]).await.unwrap();
        ledger.record(&[batch(&[event("s-1", n, Action::Message)])], salon_time()).await.unwrap();
    }
    let (bus_copy, ledger_copy) = (folder.file("bus-copy.db"), folder.file("ledger-copy.db"));
    copy_as_killed(&folder.file("bus.db"), &bus_copy);
    copy_as_killed(&folder.file("ledger.db"), &ledger_copy);

    let bus = SqliteBus::open(&bus_copy, BusOptions::default()).unwrap();
    let sub = subscription(Topic::Raw, Group::Normalizer, "after", LONG);
    assert_eq!(bus.claim(&sub, 100, Duration::ZERO).await.unwrap().len(), 50);
    let ledger = SqliteLedger::open(&ledger_copy).unwrap();
    assert_eq!(ledger.books().await.unwrap()[0].stored, 50);
    let session = event("s-1", 0, Action::Message).session;
    assert_eq!(ledger.timeline(&salon(), &session, None, 100).await.unwrap().len(), 50);
}

#[tokio::test]
async fn after_a_kill_claims_can_be_released_and_keep_their_count() {
    let folder = folder().await;
    let bus = folder.open_bus();
    bus.ensure_group(Topic::Raw, Group::Normalizer).await.unwrap();
    bus.publish(Topic::Raw, vec![message("a"), message("b")]).await.unwrap();
    let sub = subscription(Topic::Raw, Group::Normalizer, "dead", LONG);
    assert_eq!(bus.claim(&sub, 100, Duration::ZERO).await.unwrap().len(), 2);
    // The process is gone without a word; its claims would hold for ten minutes.
    std::mem::forget(bus);
    let bus = folder.open_bus();
    assert_eq!(bus.claim(&sub, 100, Duration::ZERO).await.unwrap(), []);
    bus.release_claims().await.unwrap();
    let again = bus.claim(&sub, 100, Duration::ZERO).await.unwrap();
    assert_eq!(again.iter().map(|delivery| delivery.attempt).collect::<Vec<_>>(), [2, 2]);
}

#[tokio::test]
async fn what_was_handed_in_is_finished_when_the_bus_is_dropped() {
    let folder = folder().await;
    let bus = folder.open_bus();
    bus.publish(Topic::Raw, vec![message("a")]).await.unwrap();
    drop(bus);
    // Folded into the file: nothing is left beside it.
    assert!(!folder.file("bus.db-wal").exists());
    assert_eq!(folder.open_bus().accepted(Topic::Raw).await.unwrap().into_values().sum::<u64>(), 1);
}

fn salon_time() -> domain::timestamp::Timestamp {
    contract_tests::fixtures::at(1_000)
}
