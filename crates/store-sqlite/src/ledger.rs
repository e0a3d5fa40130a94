//! The ledger, the quarantine, the registry and the state of sources, in one file.
//!
//! Events lie in the order they came, found by id, session and lead through indexes; sessions are one row each,
//! merged by [`domain::rollup`] inside the writer. A receipt's outcome, the events it brought and the books change in
//! one transaction, so the books are never a sum that could disagree with what it sums.

mod audit;
mod quarantine;
mod read;
mod record;
mod registry;
mod seals;
mod snapshot;
mod sources;
mod subjects;
mod sweep;

use std::path::Path;

use async_trait::async_trait;
use domain::quarantine::QuarantineEntry;
use domain::timestamp::Timestamp;
use ports::ledger::{Ledger, LedgerError, ReceiptBatch, Recorded};

use crate::connection::{OpenError, Schema};
use crate::database::Database;
use crate::ledger::record::Batch;

const SCHEMA: Schema = Schema {
    file: "ledger",
    migrations: &[
        include_str!("../migrations/ledger/0001-events-sessions-quarantine-and-registry.sql"),
        include_str!("../migrations/ledger/0002-state-of-sources.sql"),
        include_str!("../migrations/ledger/0003-where-deliveries-are-passed-on-to.sql"),
        include_str!("../migrations/ledger/0004-identities-and-consents.sql"),
        include_str!("../migrations/ledger/0005-audit.sql"),
        include_str!("../migrations/ledger/0006-mappings.sql"),
        include_str!("../migrations/ledger/0007-trades-of-tenants.sql"),
        include_str!("../migrations/ledger/0008-who-read-what.sql"),
        include_str!("../migrations/ledger/0009-dismissed-entries.sql"),
        include_str!("../migrations/ledger/0010-expiry-in-quarantine.sql"),
        include_str!("../migrations/ledger/0011-words-are-dated-no-later-than-heard.sql"),
        include_str!("../migrations/ledger/0012-audit-by-deed-and-thing.sql"),
    ],
};

/// The ledger in a SQLite file. Dropping it finishes what was begun and closes the file.
pub struct SqliteLedger {
    database: Database,
}

impl SqliteLedger {
    /// Opens the file, creating it if need be. Blocks for some milliseconds.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self { database: Database::open(path, &SCHEMA)? })
    }
}

#[async_trait]
impl Ledger for SqliteLedger {
    async fn record(&self, batches: &[ReceiptBatch], now: Timestamp) -> Result<Vec<Recorded>, LedgerError> {
        // What can be worked out without the file is worked out here, not in the writer everybody waits for.
        let batches: Vec<_> = batches.iter().map(Batch::of).collect();
        Ok(self.database.write(move |connection| record::record(connection, batches, now)).await?)
    }

    async fn quarantine(&self, entries: &[QuarantineEntry]) -> Result<(), LedgerError> {
        let entries = entries.to_vec();
        Ok(self.database.write(move |connection| quarantine::put_all(connection, &entries)).await?)
    }

    async fn sweep(&self, events: Timestamp, rollups: Timestamp, limit: u32) -> Result<u64, LedgerError> {
        Ok(self.database.write(move |connection| sweep::sweep(connection, events, rollups, limit)).await?)
    }

    async fn probe(&self) -> Result<(), LedgerError> {
        Ok(self.database.probe().await?)
    }
}
