//! Deleting what has been kept long enough, some rows at a time.

use domain::timestamp::Timestamp;
use rusqlite::{Connection, params};

use crate::failure::Failure;

/// Each deletes at most `?2` rows older than `?1`.
const BY_RECEIPT: [&str; 3] = [
    "DELETE FROM events WHERE id IN
         (SELECT id FROM events WHERE received_at < ?1 ORDER BY received_at LIMIT ?2)",
    "DELETE FROM receipts WHERE receipt IN
         (SELECT receipt FROM receipts WHERE received_at < ?1 AND outcome <> 'quarantined' LIMIT ?2)",
    "DELETE FROM quarantine WHERE (receipt, stage) IN
         (SELECT receipt, stage FROM quarantine WHERE received_at < ?1 AND state = 'resolved' LIMIT ?2)",
];
const BY_LAST_EVENT: [&str; 1] = ["DELETE FROM sessions WHERE (tenant, session) IN
         (SELECT s.tenant, s.session FROM sessions s WHERE s.last_at < ?1
            AND NOT EXISTS (SELECT 1 FROM events e WHERE e.tenant = s.tenant AND e.session = s.session)
          LIMIT ?2)"];

pub(crate) fn sweep(
    connection: &Connection,
    events: Timestamp,
    rollups: Timestamp,
    limit: u32,
) -> Result<u64, Failure> {
    let statements = BY_RECEIPT.map(|statement| (statement, events));
    let sessions = BY_LAST_EVENT.map(|statement| (statement, rollups));
    let mut left = i64::from(limit);
    let mut deleted = 0;
    for (statement, before) in statements.into_iter().chain(sessions) {
        let rows = connection.prepare_cached(statement)?.execute(params![before.unix_micros(), left])?;
        deleted += u64::try_from(rows).unwrap_or_default();
        left -= i64::try_from(rows).unwrap_or_default();
    }
    Ok(deleted)
}
