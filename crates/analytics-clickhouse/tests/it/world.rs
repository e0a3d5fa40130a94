//! A database of its own for each test, on a real server.

use std::sync::Arc;
use std::time::Duration;

use analytics_clickhouse::{ClickHouseAnalytics, ClickHouseOptions, migrate};
use async_trait::async_trait;
use clickhouse::Client;
use contract_tests::World;
use domain::retention::Retention;
use ports::analytics::AnalyticsStore;
use uuid::Uuid;

/// Gone when the test ends.
pub(crate) struct Database {
    pub(crate) options: ClickHouseOptions,
}

/// A database with the schema in it.
pub(crate) async fn database() -> Database {
    let database = empty_database();
    migrate(&database.options, Retention::default()).await.unwrap();
    database
}

/// The name of a database that is not there yet.
pub(crate) fn empty_database() -> Database {
    let database = format!("t_{}", Uuid::new_v4().simple());
    // Those who write one after another wait for nobody.
    let max_age = Duration::from_millis(2);
    Database {
        options: ClickHouseOptions { url: server(), database, max_age, ..ClickHouseOptions::default() },
    }
}

#[expect(clippy::disallowed_methods, reason = "tells a test where the servers are, which is no setting")]
fn server() -> String {
    std::env::var("LETOPIS_TEST_CLICKHOUSE").expect(
        "LETOPIS_TEST_CLICKHOUSE is not set: run scripts/test, or eval \"$(scripts/engines up)\" before",
    )
}

impl Database {
    pub(crate) fn analytics(&self) -> ClickHouseAnalytics {
        ClickHouseAnalytics::new(&self.options).unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        Client::default()
            .with_url(&self.options.url)
            .with_user(&self.options.user)
            .with_database(&self.options.database)
    }

    /// Runs a statement.
    pub(crate) async fn run(&self, statement: &str) {
        self.client().query_raw(statement).execute().await.unwrap();
    }

    /// The one number a query answers with.
    pub(crate) async fn number(&self, query: &str) -> u64 {
        self.client().query_raw(query).fetch_one().await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let client = self.client().with_database("default");
        let statement = format!("DROP DATABASE IF EXISTS `{}` SYNC", self.options.database);
        // Not on the runtime of the test, which may be the thread that this runs on.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(client.query_raw(&statement).execute())
        });
        let dropped = dropping.join();
        assert!(std::thread::panicking() || matches!(dropped, Ok(Ok(()))), "{dropped:?}");
    }
}

#[async_trait]
impl World<dyn AnalyticsStore> for Database {
    async fn open(&self) -> Arc<dyn AnalyticsStore> {
        Arc::new(self.analytics())
    }
}
