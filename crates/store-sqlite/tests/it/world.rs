//! A folder with the three files in it.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use contract_tests::World;
use contract_tests::bus::BOUND;
use contract_tests::ledger::LedgerStore;
use contract_tests::seals::WholeLedger;
use ports::analytics::AnalyticsStore;
use ports::bus::EventBus;
use ports::idempotency::IdempotencyStore;
use ports::registry::Registry;
use store_sqlite::analytics::SqliteAnalytics;
use store_sqlite::bus::{BusOptions, SqliteBus};
use store_sqlite::ledger::SqliteLedger;
use tempfile::TempDir;

/// Every test leaves its files sound: dropping the folder checks them.
pub(crate) struct Folder {
    dir: TempDir,
    options: BusOptions,
}

pub(crate) async fn folder() -> Folder {
    Folder { dir: tempfile::tempdir().unwrap(), options: BusOptions::default() }
}

pub(crate) async fn small_folder() -> Folder {
    Folder { dir: tempfile::tempdir().unwrap(), options: BusOptions { max_messages: u64::from(BOUND) } }
}

impl Folder {
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn open_bus(&self) -> SqliteBus {
        SqliteBus::open(&self.file("bus.db"), self.options).unwrap()
    }

    pub(crate) fn open_ledger(&self) -> SqliteLedger {
        SqliteLedger::open(&self.file("ledger.db")).unwrap()
    }

    pub(crate) fn open_analytics(&self) -> SqliteAnalytics {
        SqliteAnalytics::open(&self.file("analytics.db")).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for name in ["bus.db", "ledger.db", "analytics.db"] {
            let file = self.file(name);
            if !std::thread::panicking() && file.exists() {
                let connection = rusqlite::Connection::open(file).unwrap();
                let verdict: String =
                    connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
                assert_eq!(verdict, "ok", "{name}");
            }
        }
    }
}

#[async_trait]
impl World<dyn EventBus> for Folder {
    async fn open(&self) -> Arc<dyn EventBus> {
        Arc::new(self.open_bus())
    }
}

#[async_trait]
impl World<dyn IdempotencyStore> for Folder {
    async fn open(&self) -> Arc<dyn IdempotencyStore> {
        Arc::new(self.open_bus())
    }
}

#[async_trait]
impl World<dyn LedgerStore> for Folder {
    async fn open(&self) -> Arc<dyn LedgerStore> {
        Arc::new(self.open_ledger())
    }
}

#[async_trait]
impl World<dyn WholeLedger> for Folder {
    async fn open(&self) -> Arc<dyn WholeLedger> {
        Arc::new(self.open_ledger())
    }
}

#[async_trait]
impl World<dyn Registry> for Folder {
    async fn open(&self) -> Arc<dyn Registry> {
        Arc::new(self.open_ledger())
    }
}

#[async_trait]
impl World<dyn AnalyticsStore> for Folder {
    async fn open(&self) -> Arc<dyn AnalyticsStore> {
        Arc::new(self.open_analytics())
    }
}
