//! Deleting what has been kept long enough, some rows at a time.

use domain::timestamp::Timestamp;
use rusqlite::{Connection, params};

use crate::failure::Failure;
use crate::ledger::subjects;

/// Each is about at most `?2` rows older than `?1`.
const BY_RECEIPT: [&str; 5] = [
    "DELETE FROM events WHERE id IN
         (SELECT id FROM events WHERE received_at < ?1 ORDER BY received_at LIMIT ?2)",
    "DELETE FROM receipts WHERE receipt IN
         (SELECT receipt FROM receipts WHERE received_at < ?1 AND outcome <> 'quarantined' LIMIT ?2)",
    "DELETE FROM quarantine WHERE (receipt, stage) IN
         (SELECT receipt, stage FROM quarantine WHERE received_at < ?1 AND state = 'resolved' LIMIT ?2)",
    "DELETE FROM quarantine WHERE (receipt, stage) IN
         (SELECT receipt, stage FROM quarantine WHERE received_at < ?1 AND state = 'dismissed' LIMIT ?2)",
    // What waits stays to be seen; what it holds of a person does not.
    "UPDATE quarantine SET message = x'' WHERE (receipt, stage) IN
         (SELECT receipt, stage FROM quarantine
          WHERE received_at < ?1 AND state IN ('open', 'replaying') AND length(message) > 0 LIMIT ?2)",
];
pub(crate) fn sweep(
    connection: &Connection,
    events: Timestamp,
    rollups: Timestamp,
    limit: u32,
) -> Result<u64, Failure> {
    let mut left = i64::from(limit);
    let mut deleted = 0;
    for statement in BY_RECEIPT {
        let rows = connection.prepare_cached(statement)?.execute(params![events.unix_micros(), left])?;
        deleted += u64::try_from(rows).unwrap_or_default();
        left -= i64::try_from(rows).unwrap_or_default();
    }
    let rows = subjects::sweep(connection, rollups.unix_micros(), left.max(0))?;
    Ok(deleted + u64::try_from(rows).unwrap_or_default())
}
