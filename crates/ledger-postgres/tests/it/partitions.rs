//! Events by day: made on demand, dropped when over, entered by index.

use std::time::Duration;

use contract_tests::fixtures::{at, batch, event, salon, session};
use domain::action::Action;
use domain::event::Event;
use domain::id::LeadId;
use domain::timestamp::Timestamp;
use ledger_postgres::{PostgresLedger, PostgresOptions};
use ports::ledger::{Ledger, LedgerReader, ReceiptBatch, Recorded};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::world::{eventually, execute, rows, schema};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const NEVER: Timestamp = Timestamp::EPOCH;

fn received(days_ago: u32, name: &str) -> ReceiptBatch {
    ReceiptBatch { received_at: at(0).minus(DAY * days_ago), ..batch(&[event(name, 0, Action::Message)]) }
}

#[tokio::test]
async fn the_partition_of_a_day_long_past_is_made_on_demand() {
    let schema = schema().await;
    let ledger = schema.open_ledger();
    assert_eq!(ledger.record(&[received(80, "s-1")], at(0)).await.unwrap(), [Recorded::Stored]);
    assert_eq!(ledger.timeline(&salon(), &session("s-1"), None, 10).await.unwrap().len(), 1);
    // Today's and tomorrow's are made with it.
    assert_eq!(schema.partitions().await, ["events_20251027", "events_20260115", "events_20260116"]);
}

#[tokio::test]
async fn a_timeline_spans_days_and_moves_with_the_watermark() {
    let schema = schema().await;
    let ledger = schema.open_ledger();
    let named =
        |second| Event { lead: Some(LeadId::from_number(7)), ..event("s-1", second, Action::Message) };
    for (days_ago, second) in [(80, 30), (40, 20), (0, 10)] {
        let received_at = at(0).minus(DAY * days_ago);
        let batch = ReceiptBatch { received_at, ..batch(&[named(second)]) };
        ledger.record(&[batch], at(0)).await.unwrap();
    }
    let timeline = async || ledger.timeline(&salon(), &session("s-1"), None, 10).await.unwrap().len();
    let of_lead =
        async || ledger.lead_events(&salon(), LeadId::from_number(7), None, 10).await.unwrap().len();
    assert_eq!((timeline().await, of_lead().await), (3, 3));
    // At once, though not a row of them could be deleted yet.
    ledger.sweep(at(0).minus(DAY * 40).plus(Duration::from_micros(1)), NEVER, 0).await.unwrap();
    assert_eq!((timeline().await, of_lead().await), (1, 1));
}

#[tokio::test]
async fn a_sweep_drops_the_partitions_of_days_that_are_over() {
    let schema = schema().await;
    let ledger = schema.open_ledger();
    ledger.record(&[received(80, "old"), received(79, "younger")], at(0)).await.unwrap();
    // In the middle of the second day: the first is over, the second is not.
    ledger.sweep(at(0).minus(DAY * 79), NEVER, 1_000).await.unwrap();
    assert_eq!(schema.partitions().await, ["events_20251028", "events_20260115", "events_20260116"]);
    // An earlier watermark brings nothing back.
    ledger.sweep(at(0).minus(DAY * 81), NEVER, 1_000).await.unwrap();
    assert_eq!(ledger.timeline(&salon(), &session("old"), None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn a_day_that_is_in_use_is_dropped_by_a_later_sweep() {
    let schema = schema().await;
    let ledger = schema.open_ledger();
    ledger.record(&[received(80, "old")], at(0)).await.unwrap();
    let mut reader = schema.owner().await;
    execute(&mut reader, "BEGIN; SELECT count(*) FROM events").await.unwrap();
    assert_eq!(ledger.sweep(at(0), NEVER, 1_000).await.unwrap(), 2);
    assert_eq!(schema.partitions().await.len(), 3);
    execute(&mut reader, "COMMIT").await.unwrap();
    assert_eq!(ledger.sweep(at(0), NEVER, 1_000).await.unwrap(), 0);
    assert_eq!(schema.partitions().await.len(), 2);
}

#[tokio::test]
async fn a_batch_received_before_the_watermark_is_counted_once_and_seen_by_nobody() {
    let schema = schema().await;
    let ledger = schema.open_ledger();
    ledger.sweep(at(0).minus(DAY), NEVER, 1_000).await.unwrap();
    let late = received(80, "s-1");
    assert_eq!(ledger.record(std::slice::from_ref(&late), at(0)).await.unwrap(), [Recorded::Stored]);
    assert_eq!(ledger.record(&[late], at(0)).await.unwrap(), [Recorded::Already]);
    assert_eq!(ledger.timeline(&salon(), &session("s-1"), None, 10).await.unwrap(), []);
    assert_eq!(ledger.books().await.unwrap()[0].stored, 1);
    // Its id and its receipt go with the next sweep, its session as soon as it is old enough.
    assert_eq!(ledger.sweep(at(0).minus(DAY), at(1), 1_000).await.unwrap(), 3);
}

#[tokio::test]
async fn a_partition_dropped_behind_its_back_is_no_obstacle() {
    let schema = schema().await;
    let (ledger, other) = (schema.open_ledger(), schema.open_ledger());
    ledger.record(&[received(80, "s-1")], at(0)).await.unwrap();
    other.sweep(at(0).minus(DAY), NEVER, 1_000).await.unwrap();
    assert_eq!(schema.partitions().await.len(), 2);
    assert_eq!(ledger.record(&[received(80, "s-2")], at(0)).await.unwrap(), [Recorded::Stored]);
    execute(&mut schema.owner().await, "DROP TABLE events_20260115").await.unwrap();
    assert_eq!(ledger.record(&[received(0, "s-3")], at(0)).await.unwrap(), [Recorded::Stored]);
    assert_eq!(ledger.timeline(&salon(), &session("s-3"), None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_timeline_is_read_by_index_from_the_days_of_its_session_only() {
    let schema = schema().await;
    // One connection that writes, so that its counters arrive together.
    let writer =
        PostgresLedger::new(&PostgresOptions { max_connections: 1, ..schema.options.clone() }).unwrap();
    for days_ago in [0, 1] {
        let events: Vec<_> =
            (0..4_000).map(|n| event(&format!("{days_ago}-{}", n % 400), n, Action::Message)).collect();
        let received_at = at(0).minus(DAY * days_ago);
        writer.record(&[ReceiptBatch { received_at, ..batch(&events) }], at(0)).await.unwrap();
    }
    writer.close().await;
    execute(&mut schema.owner().await, "ANALYZE events, sessions").await.unwrap();
    let counters = async || {
        let sql = "SELECT n_tup_ins, seq_scan, idx_scan FROM pg_stat_user_tables
             WHERE schemaname = current_schema() AND relname IN ('events_20260114', 'events_20260115')
             ORDER BY relname";
        let rows = rows(&mut schema.owner().await, sql).await;
        let counters = |row: &PgRow| [0, 1, 2].map(|column| row.get::<i64, _>(column));
        rows.iter().map(counters).collect::<Vec<_>>()
    };
    eventually("what was written", async || counters().await.iter().all(|[written, ..]| *written == 4_000))
        .await;
    let before = counters().await;
    let reader = schema.open_ledger();
    for _ in 0..20 {
        assert_eq!(reader.timeline(&salon(), &session("0-7"), None, 100).await.unwrap().len(), 10);
    }
    reader.close().await;
    eventually("what was read", async || counters().await[1][2] >= before[1][2] + 20).await;
    let after = counters().await;
    assert_eq!(after[0], before[0], "yesterday's partition was not needed");
    assert_eq!(after[1][1], before[1][1], "today's partition was read from end to end");
}
