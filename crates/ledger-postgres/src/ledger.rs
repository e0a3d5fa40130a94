//! The ledger, the quarantine, the registry and the state of sources, in one schema.
//!
//! Events lie in partitions by the day they were received; that each is there once is kept by `event_ids`, because a
//! unique key cannot span partitions. Sessions are one row each, merged where it is, as [`domain::rollup`] would. A
//! receipt's outcome, the events it brought and the books change in one transaction, so the books are never a sum
//! that could disagree with what it sums.

mod audit;
mod books;
mod days;
mod event_ids;
mod freshness;
mod quarantine;
mod read;
mod receipts;
mod record;
mod registry;
mod seals;
mod sessions;
mod snapshot;
mod sources;
mod subjects;
mod sweep;

use async_trait::async_trait;
use domain::quarantine::QuarantineEntry;
use domain::timestamp::Timestamp;
use ports::clock::{Clock as _, SystemClock};
use ports::ledger::{Ledger, LedgerError, ReceiptBatch, Recorded};

use crate::database::Database;
use crate::failure::Failure;
use crate::ledger::days::Days;
use crate::ledger::freshness::Freshness;
use crate::ledger::quarantine::PutAll;
use crate::ledger::record::Recording;
use crate::options::{OpenError, PostgresOptions};
use crate::schema::{self, SchemaError};

/// The ledger in PostgreSQL. Many may be open on one schema, in as many processes.
pub struct PostgresLedger {
    database: Database,
    days: Days,
    freshness: Freshness,
}

impl PostgresLedger {
    /// Prepares a pool; connects when first used, so it succeeds while PostgreSQL is down. Call it within a Tokio
    /// runtime.
    pub fn new(options: &PostgresOptions) -> Result<Self, OpenError> {
        Ok(Self {
            database: Database::lazy(options)?,
            days: Days::default(),
            freshness: Freshness::default(),
        })
    }

    /// The same for the role that owns the schema, where there is one beside that of the services. It may do what they
    /// may not: change what was recorded, to seal it anew.
    pub fn for_owner(options: &PostgresOptions) -> Result<Self, OpenError> {
        Ok(Self {
            database: Database::lazy_for_owner(options)?,
            days: Days::default(),
            freshness: Freshness::default(),
        })
    }

    /// Whether the schema is the one this release works on.
    pub async fn check_schema(&self) -> Result<(), SchemaError> {
        schema::check(&self.database).await
    }

    /// Ends the connections in good order. Calls after it fail; dropping without it is safe too.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

#[async_trait]
impl Ledger for PostgresLedger {
    async fn record(&self, batches: &[ReceiptBatch], now: Timestamp) -> Result<Vec<Recorded>, LedgerError> {
        let mut recording = Recording::of(batches, now);
        let events = batches.iter().map(|batch| batch.events.len()).sum();
        recording.expect_new = self.freshness.is_expected(events);
        let received = || batches.iter().map(|batch| batch.received_at);
        let mut tries = 0;
        loop {
            self.days.make(&self.database, received(), now).await?;
            match self.database.transaction(&recording).await {
                // Dropped since it was made: below the watermark by now, so the next attempt passes it by.
                Err(Failure::NoDay) if tries < 3 => {
                    self.days.forget();
                    tries += 1;
                }
                Err(Failure::AlreadyThere) if recording.expect_new => {
                    self.freshness.was_wrong();
                    recording.expect_new = false;
                }
                recorded => return Ok(recorded?),
            }
        }
    }

    async fn quarantine(&self, entries: &[QuarantineEntry]) -> Result<(), LedgerError> {
        Ok(self.database.transaction(&PutAll { entries }).await?)
    }

    async fn sweep(&self, events: Timestamp, rollups: Timestamp, limit: u32) -> Result<u64, LedgerError> {
        Ok(sweep::sweep(&self.database, events, rollups, limit).await?)
    }

    async fn probe(&self) -> Result<(), LedgerError> {
        let write =
            "INSERT INTO probe (id, at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET at = excluded.at";
        let now = SystemClock.now().unix_micros();
        self.database.execute(|| sqlx::query(write).bind(now)).await?;
        // Another process may have probed in between, but the row is there.
        let rows = self.database.rows(|| sqlx::query("SELECT at FROM probe WHERE id = 1")).await?;
        if rows.is_empty() { Err(Failure::Corrupt("the probe's row").into()) } else { Ok(()) }
    }
}

/// Splits items into rounds in which no key comes twice: what one statement can take. The order within a key stays.
fn rounds<T, K: Ord>(items: impl IntoIterator<Item = T>, key: impl Fn(&T) -> K) -> Vec<Vec<T>> {
    let mut seen = std::collections::BTreeMap::new();
    let mut rounds: Vec<Vec<T>> = Vec::new();
    for item in items {
        let round = seen.entry(key(&item)).and_modify(|round| *round += 1).or_insert(0_usize);
        if rounds.len() <= *round {
            rounds.push(Vec::new());
        }
        rounds[*round].push(item);
    }
    rounds
}
