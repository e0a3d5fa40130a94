//! Deleting what has been kept long enough: at once for readers, some rows at a time in the tables.

use domain::timestamp::Timestamp;
use sqlx::Row as _;
use tracing::info;

use crate::database::Database;
use crate::failure::Failure;
use crate::ledger::subjects::ForgetSessions;

/// SQLSTATE of a lock that was not to be had in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Each is about at most `$2` rows older than `$1`, in a transaction of its own, and passes by what somebody works on:
/// a sweep neither waits nor is waited for. What events there were is told by their ids; the events themselves go
/// with the partition of their day.
const STATEMENTS: [&str; 5] = [
    "DELETE FROM event_ids WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM event_ids
             WHERE received_at < greatest($1, (SELECT events_before FROM retention))
             ORDER BY received_at LIMIT $2))",
    "DELETE FROM receipts WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM receipts WHERE received_at < $1 AND outcome <> 'quarantined'
             LIMIT $2 FOR UPDATE SKIP LOCKED))",
    "DELETE FROM quarantine WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM quarantine WHERE received_at < $1 AND state = 'resolved'
             LIMIT $2 FOR UPDATE SKIP LOCKED))",
    "DELETE FROM quarantine WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM quarantine WHERE received_at < $1 AND state = 'dismissed'
             LIMIT $2 FOR UPDATE SKIP LOCKED))",
    // What waits stays to be seen; what it holds of a person does not.
    "UPDATE quarantine SET message = '' WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM quarantine
             WHERE received_at < $1 AND state IN ('open', 'replaying') AND octet_length(message) > 0
             LIMIT $2 FOR UPDATE SKIP LOCKED))",
];

pub(super) async fn sweep(
    database: &Database,
    events: Timestamp,
    rollups: Timestamp,
    limit: u32,
) -> Result<u64, Failure> {
    let raise = "UPDATE retention SET events_before = $1 WHERE id = 1 AND events_before < $1";
    database.execute(|| sqlx::query(raise).bind(events.unix_micros())).await?;
    let (limit, mut deleted) = (u64::from(limit), 0);
    let left = |deleted| i64::try_from(limit.saturating_sub(deleted)).unwrap_or_default();
    for statement in STATEMENTS {
        let rows = || sqlx::query(statement).bind(events.unix_micros()).bind(left(deleted));
        deleted += database.execute(rows).await?;
    }
    deleted += forget_sessions(database, rollups, left(deleted)).await?;
    drop_partitions(database).await?;
    Ok(deleted)
}

/// Deletes sessions without events, and what is known of persons from them alone.
async fn forget_sessions(database: &Database, before: Timestamp, limit: i64) -> Result<u64, Failure> {
    match database.transaction(&ForgetSessions { before, limit }).await {
        Err(Failure::Refused { code, .. }) if code == LOCK_NOT_AVAILABLE => {
            info!("who is who is being written for long; old conversations are deleted by a later sweep");
            Ok(0)
        }
        ended => ended,
    }
}

/// Drops the partitions of days that are over for every reader.
async fn drop_partitions(database: &Database) -> Result<(), Failure> {
    loop {
        let rows = match database.rows(|| sqlx::query("SELECT drop_swept_event_day()")).await {
            // Somebody reads or writes for long; the next sweep tries again.
            Err(Failure::Refused { code, .. }) if code == LOCK_NOT_AVAILABLE => {
                info!("the oldest day of events is in use; it is dropped by a later sweep");
                return Ok(());
            }
            rows => rows?,
        };
        let row = rows.first().ok_or(Failure::Corrupt("the day that was dropped"))?;
        let Some(partition) = row.try_get::<Option<String>, _>(0)? else { return Ok(()) };
        info!(%partition, "dropped a day of events");
    }
}
