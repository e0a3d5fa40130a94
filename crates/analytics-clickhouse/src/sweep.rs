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

const TABLES: [&str; 2] = ["sessions", "appointments"];

/// Tenant, and the number that stands for the session or appointment.
type Key = (String, u128);

#[derive(Row, Deserialize)]
struct KeyRow {
    tenant: String,
    key: u128,
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
        for table in TABLES {
            loop {
                let keys = within(self.timeout, self.ended(table, before)).await?;
                let found = u64::try_from(keys.len()).unwrap_or(u64::MAX);
                for part in parts(&keys) {
                    within(self.timeout, self.delete(table, part, before)).await?;
                }
                deleted += found;
                if found < u64::from(KEYS) {
                    break;
                }
            }
        }
        Ok(deleted)
    }

    async fn ended(&self, table: &str, before: Timestamp) -> Result<Vec<Key>, Failure> {
        let query = format!(
            "SELECT tenant, key FROM {table}
             WHERE (tenant, key) GLOBAL IN (SELECT tenant, key FROM {table} WHERE last < {{before:Int64}})
             GROUP BY tenant, key HAVING max(last) < {{before:Int64}} LIMIT {{keys:UInt32}}"
        );
        let query = self.client.query_raw(&query).param("before", before.unix_micros()).param("keys", KEYS);
        let keys: Vec<KeyRow> = query.fetch_all().await?;
        Ok(keys.into_iter().map(|KeyRow { tenant, key }| (tenant, key)).collect())
    }

    async fn delete(&self, table: &str, keys: &[Key], before: Timestamp) -> Result<(), Failure> {
        let statement = self.form.render(&format!(
            "DELETE FROM ${{database}}.{table}${{local}}${{on_cluster}}
             WHERE last < {{before:Int64}} AND (tenant, key) IN {{keys:Array(Tuple(String, UInt128))}}"
        ));
        let query =
            self.client.query_raw(&statement).param("before", before.unix_micros()).param("keys", keys);
        Ok(query.execute().await?)
    }
}

/// Cuts keys into parts that fit into a statement.
fn parts(keys: &[Key]) -> Vec<&[Key]> {
    let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (index, key) in keys.iter().enumerate() {
        if bytes + size(key) > KEY_BYTES && index > start {
            parts.push(&keys[start..index]);
            (start, bytes) = (index, 0);
        }
        bytes += size(key);
    }
    if start < keys.len() {
        parts.push(&keys[start..]);
    }
    parts
}

/// What a key takes at most, with brackets, quotes and commas.
const fn size((tenant, _): &Key) -> usize {
    const DIGITS: usize = 39;
    tenant.len() + DIGITS + 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_one_part_and_no_part_is_too_large() {
        let keys: Vec<_> = (0_u16..3_000).map(|n| ("x".repeat(usize::from(n % 64)), u128::from(n))).collect();
        let parts = parts(&keys);
        assert!(parts.len() > 1);
        assert_eq!(parts.concat(), keys);
        for part in parts {
            assert!(part.iter().map(size).sum::<usize>() <= KEY_BYTES);
        }
        assert_eq!(super::parts(&[]).len(), 0);
    }
}
