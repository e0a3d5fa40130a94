//! Deletes rollups whose last event is long ago.
//!
//! The keys are looked up first and named in the deletion: a deletion that looked for itself could see another state on
//! each replica, which ClickHouse refuses. Of those keys only rows are deleted that say nothing newer, so that an event
//! which arrives in between starts the key anew instead of going with it.

use std::time::Duration;

use clickhouse::{Client, Row};
use domain::timestamp::Timestamp;
use serde::Deserialize;

use crate::failure::{Failure, within};
use crate::options::ClickHouseOptions;
use crate::schema::Form;

/// Keys looked up at once.
const KEYS: u32 = 10_000;
/// Bytes of keys named in one deletion. The server takes parameters of 128 KiB, in which quoting may double these.
const KEY_BYTES: usize = 56 * 1024;

/// A kind of rollup.
struct Rollups {
    table: &'static str,
    key: &'static str,
    /// The instant of a row's last event, and of those of several rows together.
    last_of_row: &'static str,
    last_of_key: &'static str,
}

const ALL: [Rollups; 2] = [
    Rollups {
        table: "session_rollups",
        key: "session",
        last_of_row: "last.at",
        last_of_key: "tupleElement(max(last), 'at')",
    },
    Rollups {
        table: "appointment_rollups",
        key: "appointment",
        last_of_row: "last",
        last_of_key: "max(last)",
    },
];

#[derive(Row, Deserialize)]
struct Key {
    tenant: String,
    id: String,
}

pub(crate) struct Sweep {
    client: Client,
    form: Form,
    /// Of one statement.
    timeout: Duration,
}

impl Sweep {
    pub(crate) fn new(client: &Client, options: &ClickHouseOptions) -> Self {
        let timeout = options.sweep_timeout;
        let client = client
            .clone()
            .with_setting("max_execution_time", timeout.as_secs().max(1).to_string())
            // A deletion has happened on all replicas when it is answered.
            .with_setting("lightweight_deletes_sync", "2");
        Self { client, form: Form::of(options), timeout }
    }

    /// Returns how many keys were deleted.
    pub(crate) async fn sweep(&self, before: Timestamp) -> Result<u64, Failure> {
        let mut deleted = 0;
        for rollups in &ALL {
            loop {
                let keys = within(self.timeout, self.ended(rollups, before)).await?;
                let found = u64::try_from(keys.len()).unwrap_or(u64::MAX);
                for part in parts(&keys) {
                    within(self.timeout, self.delete(rollups, part, before)).await?;
                }
                deleted += found;
                if found < u64::from(KEYS) {
                    break;
                }
            }
        }
        Ok(deleted)
    }

    async fn ended(&self, rollups: &Rollups, before: Timestamp) -> Result<Vec<(String, String)>, Failure> {
        let Rollups { table, key, last_of_row, last_of_key } = rollups;
        let query = format!(
            "SELECT tenant, {key} AS id FROM {table}
             WHERE (tenant, {key}) GLOBAL IN (SELECT tenant, {key} FROM {table} WHERE {last_of_row} < {{before:Int64}})
             GROUP BY tenant, {key} HAVING {last_of_key} < {{before:Int64}} LIMIT {{keys:UInt32}}"
        );
        let query = self.client.query_raw(&query).param("before", before.unix_micros()).param("keys", KEYS);
        let keys: Vec<Key> = query.fetch_all().await?;
        Ok(keys.into_iter().map(|Key { tenant, id }| (tenant, id)).collect())
    }

    async fn delete(
        &self,
        rollups: &Rollups,
        keys: &[(String, String)],
        before: Timestamp,
    ) -> Result<(), Failure> {
        let Rollups { table, key, last_of_row, .. } = rollups;
        let statement = self.form.render(&format!(
            "DELETE FROM ${{database}}.{table}${{local}}${{on_cluster}}
             WHERE {last_of_row} < {{before:Int64}} AND (tenant, {key}) IN {{keys:Array(Tuple(String, String))}}"
        ));
        let query =
            self.client.query_raw(&statement).param("before", before.unix_micros()).param("keys", keys);
        Ok(query.execute().await?)
    }
}

/// Cuts keys into parts that fit into a statement.
fn parts(keys: &[(String, String)]) -> Vec<&[(String, String)]> {
    let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (index, (tenant, id)) in keys.iter().enumerate() {
        // With brackets, quotes and commas.
        let size = tenant.len() + id.len() + 8;
        if bytes + size > KEY_BYTES && index > start {
            parts.push(&keys[start..index]);
            (start, bytes) = (index, 0);
        }
        bytes += size;
    }
    if start < keys.len() {
        parts.push(&keys[start..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_one_part_and_no_part_is_too_large() {
        let keys: Vec<_> = (0..3_000).map(|n| ("salon".to_owned(), "x".repeat(n % 512))).collect();
        let parts = parts(&keys);
        assert!(parts.len() > 1);
        assert_eq!(parts.concat(), keys);
        for part in parts {
            assert!(part.iter().map(|(tenant, id)| tenant.len() + id.len() + 8).sum::<usize>() <= KEY_BYTES);
        }
        assert_eq!(super::parts(&[]).len(), 0);
    }
}
