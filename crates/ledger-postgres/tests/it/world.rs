//! A schema of its own on the real server, migrated by its owner and used by the role of the services.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contract_tests::World;
use contract_tests::ledger::LedgerStore;
use contract_tests::seals::WholeLedger;
use ledger_postgres::{PostgresLedger, PostgresOptions, migrate};
use ports::registry::Registry;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use uuid::Uuid;

/// The role of the services, which the test engine has beside the owner; its password is its name.
pub(crate) const ROLE: &str = "letopis";

/// Dropping it drops the schema.
pub(crate) struct Schema {
    pub(crate) options: PostgresOptions,
}

/// A migrated schema.
pub(crate) async fn schema() -> Schema {
    let schema = empty_schema();
    migrate(&schema.options, Some(ROLE)).await.unwrap();
    schema
}

/// A schema that was never migrated, and so is not there yet.
pub(crate) fn empty_schema() -> Schema {
    let owner_url = owner_url();
    let (_, place) = owner_url.rsplit_once('@').expect("postgres://owner:password@host:port/database");
    let options = PostgresOptions {
        url: format!("postgres://{ROLE}@{place}"),
        password: ROLE.to_owned(),
        owner_url: owner_url.clone(),
        schema: format!("t_{}", Uuid::new_v4().simple()),
        ..PostgresOptions::default()
    };
    Schema { options }
}

#[expect(clippy::disallowed_methods, reason = "where the engines are is told to tests by the environment")]
fn owner_url() -> String {
    std::env::var("LETOPIS_TEST_POSTGRES")
        .expect("LETOPIS_TEST_POSTGRES is not set: run scripts/test, or eval \"$(scripts/engines up)\"")
}

impl Schema {
    pub(crate) fn open_ledger(&self) -> PostgresLedger {
        PostgresLedger::new(&self.options).unwrap()
    }

    /// A connection as the owner, in this schema.
    pub(crate) async fn owner(&self) -> PgConnection {
        self.connect(&self.options.owner_url).await
    }

    /// A connection as the role of the services, in this schema.
    pub(crate) async fn app(&self) -> PgConnection {
        self.connect(&self.options.url.replacen('@', &format!(":{ROLE}@"), 1)).await
    }

    async fn connect(&self, url: &str) -> PgConnection {
        let mut connection = PgConnection::connect(url).await.unwrap();
        execute(&mut connection, &format!("SET search_path TO {}", self.options.schema)).await.unwrap();
        connection
    }

    /// Names of the partitions of events, oldest first.
    pub(crate) async fn partitions(&self) -> Vec<String> {
        let sql = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = current_schema() AND c.relname ~ '^events_[0-9]+$' AND c.relkind = 'r' ORDER BY 1";
        let rows = rows(&mut self.owner().await, sql).await;
        rows.iter().map(|row| sqlx::Row::get(row, 0)).collect()
    }
}

pub(crate) async fn execute(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.map(|_done| ())
}

pub(crate) async fn rows(connection: &mut PgConnection, sql: &str) -> Vec<PgRow> {
    sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(connection).await.unwrap()
}

/// Asks until it is so.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    for _ in 0..1_000 {
        if ask().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("waited in vain for {what}");
}

impl Drop for Schema {
    fn drop(&mut self) {
        let (url, schema) = (self.options.owner_url.clone(), self.options.schema.clone());
        // On a thread of its own: the runtime of the test cannot be waited for from inside.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut connection = PgConnection::connect(&url).await.unwrap();
                execute(&mut connection, "SET client_min_messages = warning").await.unwrap();
                execute(&mut connection, &format!("DROP SCHEMA IF EXISTS {schema} CASCADE")).await.unwrap();
            });
        });
        let dropped = dropping.join();
        assert!(dropped.is_ok() || std::thread::panicking(), "the schema could not be dropped");
    }
}

#[async_trait]
impl World<dyn LedgerStore> for Schema {
    async fn open(&self) -> Arc<dyn LedgerStore> {
        Arc::new(self.open_ledger())
    }
}

#[async_trait]
impl World<dyn WholeLedger> for Schema {
    /// As the owner: the services may not change what was recorded.
    async fn open(&self) -> Arc<dyn WholeLedger> {
        Arc::new(PostgresLedger::for_owner(&self.options).unwrap())
    }
}

#[async_trait]
impl World<dyn Registry> for Schema {
    async fn open(&self) -> Arc<dyn Registry> {
        Arc::new(self.open_ledger())
    }
}
