//! Several processes on one file, played by several handles: SQLite tells them apart by connection alone.

use std::time::Duration;

use contract_tests::fixtures::{LONG, batch, event, message, salon, subscription};
use domain::action::Action;
use futures_util::future::join_all;
use ports::bus::{EventBus, Group, Topic};
use ports::ledger::{Ledger, LedgerReader};
use store_sqlite::OpenError;
use store_sqlite::bus::{BusOptions, SqliteBus};
use tokio::time::{Instant, timeout};

use crate::world::folder;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_publish_at_once_and_nothing_is_lost() {
    let folder = folder().await;
    let buses = [folder.open_bus(), folder.open_bus()];
    buses[0].ensure_group(Topic::Raw, Group::Normalizer).await.unwrap();
    join_all((0..200).map(async |n| {
        buses[n % 2].publish(Topic::Raw, vec![message(&format!("{n}"))]).await.unwrap();
    }))
    .await;
    let sub = subscription(Topic::Raw, Group::Normalizer, "first", LONG);
    assert_eq!(buses[1].claim(&sub, 1_000, Duration::ZERO).await.unwrap().len(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_record_at_once_and_the_session_is_whole() {
    let folder = folder().await;
    let ledgers = [folder.open_ledger(), folder.open_ledger()];
    join_all((0..100).map(async |n| {
        let said = batch(&[event("s-1", n, Action::Message)]);
        let ledger = &ledgers[usize::try_from(n % 2).unwrap()];
        ledger.record(&[said], contract_tests::fixtures::at(500)).await.unwrap();
    }))
    .await;
    let session = event("s-1", 0, Action::Message).session;
    let row = ledgers[0].session(&salon(), &[session]).await.unwrap().unwrap();
    assert_eq!(row.events, 100);
    assert_eq!(ledgers[1].books().await.unwrap()[0].stored, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_claim_notices_what_another_process_published() {
    let folder = folder().await;
    let (server, command_line) = (folder.open_bus(), folder.open_bus());
    server.ensure_group(Topic::Replay, Group::Normalizer).await.unwrap();
    let sub = subscription(Topic::Replay, Group::Normalizer, "first", LONG);
    let claiming = server.claim(&sub, 10, Duration::from_secs(20));
    let publishing = async {
        tokio::time::sleep_until(Instant::now() + Duration::from_millis(50)).await;
        command_line.publish(Topic::Replay, vec![message("again")]).await.unwrap();
    };
    let (claimed, ()) =
        timeout(Duration::from_secs(10), async { tokio::join!(claiming, publishing) }).await.unwrap();
    assert_eq!(claimed.unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_clock_dated_into_the_future_is_dated_as_received() {
    let folder = folder().await;
    drop(folder.open_ledger());
    let connection = rusqlite::Connection::open(folder.file("ledger.db")).unwrap();
    connection
        .execute_batch(
            "INSERT INTO events VALUES (1, 'salon', x'01', x'00', 'form', NULL, 900, 100, 100, x'00');
             INSERT INTO consents VALUES
                 ('salon', 'form', x'01', 'mailing', 900, 'site', 'bot', 1, NULL, NULL, ''),
                 ('salon', 'form', x'01', 'medical', 50, 'site', 'bot', 1, NULL, NULL, '');
             INSERT INTO links VALUES
                 ('salon', 'phone', 'v1:p', 'messenger', 'v1:m', NULL, NULL, 'apart', 900, x'01');
             -- And what came after it.
             DROP INDEX audit_by_deed;
             DROP INDEX audit_by_thing;
             PRAGMA user_version = 10;",
        )
        .unwrap();
    drop(connection);
    drop(folder.open_ledger());
    let connection = rusqlite::Connection::open(folder.file("ledger.db")).unwrap();
    let mut dates = connection
        .prepare("SELECT occurred_at FROM consents UNION ALL SELECT ruled_at FROM links ORDER BY 1")
        .unwrap();
    let dates: Vec<i64> = dates.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(dates, [50, 100, 100]);
}

#[tokio::test]
async fn a_file_of_a_newer_release_is_refused_in_words() {
    let folder = folder().await;
    drop(folder.open_bus());
    let connection = rusqlite::Connection::open(folder.file("bus.db")).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let Err(refusal) = SqliteBus::open(&folder.file("bus.db"), BusOptions::default()) else {
        panic!("opened")
    };
    assert!(matches!(refusal, OpenError::Newer { found: 99, .. }));
    assert!(refusal.to_string().contains("newer release"), "{refusal}");
}
