//! Brings the schema up to this release.
//!
//! ClickHouse has no transactions over definitions: every statement says `IF NOT EXISTS`, and a migration is entered
//! into the books when all its statements are through. So it may stop anywhere and be run again, and be run twice at
//! once.

use std::fmt;
use std::time::Duration;

use clickhouse::{Client, Row};
use domain::retention::Retention;
use ports::Cause;
use serde::Serialize;

use crate::connection;
use crate::failure::Failure;
use crate::options::{ClickHouseOptions, OpenError};
use crate::schema::{self, Form, GROUND, MIGRATIONS, Migration, SchemaError};

/// How often a statement is tried that meets another migrator at work.
const ATTEMPTS: u32 = 5;
/// How often a migration is tried whose tables another migrator takes away.
const ATTEMPTS_BESIDE_OTHERS: u32 = 20;
/// Before the second of them; longer before the others.
const PAUSE: Duration = Duration::from_millis(50);

/// A statement fails with these when somebody else is just doing the same: `IF NOT EXISTS` does not see that yet.
const MET: [&str; 5] = [
    "TABLE_ALREADY_EXISTS",
    "DATABASE_ALREADY_EXISTS",
    "DIRECTORY_ALREADY_EXISTS",
    "METADATA_MISMATCH",
    "CANNOT_ASSIGN_ALTER",
];
/// And with these when somebody else was through with it before, or is just taking a table away.
const GONE: [&str; 2] = ["UNKNOWN_TABLE", "TABLE_IS_DROPPED"];

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// A migration.
    Migration {
        /// Its number.
        version: u32,
        /// What it is about.
        name: &'static str,
    },
    /// Events are kept for another time from now on.
    Retention(Duration),
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Migration { version, name } => write!(f, "{version:04}-{name}"),
            Self::Retention(events) => write!(f, "retention of events {}d", events.as_secs() / 86_400),
        }
    }
}

/// Why the schema could not be brought up to this release.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The options cannot be used.
    #[error("the options of clickhouse cannot be used")]
    Options(#[source] OpenError),
    /// The schema is of a later release, or was changed, or cannot be read.
    #[error("the schema cannot be brought up to this release")]
    Schema(#[source] SchemaError),
    /// A statement failed.
    #[error("a statement of {what} failed")]
    Statement {
        /// The migration.
        what: &'static str,
        /// Why. It may quote the statement, which holds nothing personal.
        #[source]
        cause: Cause,
    },
}

/// Brings the schema up to this release and events to their retention; returns what had to be done.
///
/// # Errors
/// The options cannot be used, the schema is of a later release, or the server refuses.
pub async fn migrate(
    options: &ClickHouseOptions,
    retention: Retention,
) -> Result<Vec<Applied>, MigrateError> {
    let client = connection::owner(options).map_err(MigrateError::Options)?;
    let migrator = Migrator { client, form: Form::of(options), timeout: options.sweep_timeout };
    migrator.run_all("the ground", GROUND).await?;
    let books = migrator.form.render("${database}.schema_migrations");
    let applied = migrator.applied(&books, options.query_timeout).await?;
    schema::judge(&applied).map_err(MigrateError::Schema)?;
    let mut done = Vec::new();
    for migration in MIGRATIONS.iter().filter(|migration| !applied.contains_key(&migration.version)) {
        if !migrator.apply(migration, &books, options.query_timeout).await? {
            continue;
        }
        migrator.enter(migration, &books).await?;
        done.push(Applied::Migration { version: migration.version, name: migration.name });
    }
    if migrator.keep_events_for(retention.events).await? {
        done.push(Applied::Retention(retention.events));
    }
    Ok(done)
}

fn unavailable(failure: Failure) -> SchemaError {
    SchemaError::Unavailable(Box::new(failure))
}

struct Migrator {
    client: Client,
    form: Form,
    timeout: Duration,
}

#[derive(Row, Serialize)]
struct Entry {
    version: u32,
    name: &'static str,
    checksum: String,
}

impl Migrator {
    /// Runs a migration, and again from its start when another migrator has just finished with a table it needs. Says
    /// whether it was this one that applied it: each of many may take a table from under the others once more, so what
    /// ends it is that one of them is through.
    async fn apply(
        &self,
        migration: &Migration,
        books: &str,
        timeout: Duration,
    ) -> Result<bool, MigrateError> {
        let mut attempt = 1;
        loop {
            match self.run_all(migration.name, migration.template).await {
                Err(MigrateError::Statement { cause, .. })
                    if attempt < ATTEMPTS_BESIDE_OTHERS && says(&cause, &GONE) =>
                {
                    tokio::time::sleep(PAUSE * attempt).await;
                    if self.applied(books, timeout).await?.contains_key(&migration.version) {
                        return Ok(false);
                    }
                    attempt += 1;
                }
                other => return other.map(|()| true),
            }
        }
    }

    /// What is in the books.
    async fn applied(&self, books: &str, timeout: Duration) -> Result<schema::AppliedVersions, MigrateError> {
        let applied = schema::applied(&self.client, books);
        let applied = crate::failure::within(timeout, applied).await;
        applied.map_err(|failure| MigrateError::Schema(unavailable(failure)))
    }

    async fn run_all(&self, what: &'static str, template: &str) -> Result<(), MigrateError> {
        for statement in self.form.statements(template) {
            self.run(what, &statement).await?;
        }
        Ok(())
    }

    async fn run(&self, what: &'static str, statement: &str) -> Result<(), MigrateError> {
        let mut attempt = 1;
        loop {
            let executed = self.answered(self.client.query_raw(statement).execute()).await;
            match executed {
                Err(cause) if attempt < ATTEMPTS && says(&cause, &MET) => {
                    tokio::time::sleep(PAUSE * attempt).await;
                    attempt += 1;
                }
                other => return other.map_err(|cause| MigrateError::Statement { what, cause }),
            }
        }
    }

    /// Writes down that a migration was applied.
    async fn enter(&self, migration: &Migration, books: &str) -> Result<(), MigrateError> {
        let entry =
            Entry { version: migration.version, name: migration.name, checksum: migration.checksum() };
        let write = async {
            let client = self.client.clone().with_setting("distributed_foreground_insert", "1");
            let mut insert = client.insert_unescaped::<Entry>(books).await?;
            insert.write(&entry).await?;
            insert.end().await
        };
        let written = self.answered(write).await;
        written.map_err(|cause| MigrateError::Statement { what: migration.name, cause })
    }

    /// Sets the TTL of events if it is another one; says whether it was.
    async fn keep_events_for(&self, events: Duration) -> Result<bool, MigrateError> {
        const WHAT: &str = "the retention";
        let query = self
            .client
            .query_raw(
                "SELECT count() FROM system.tables
                        WHERE database = {database:String} AND name = {table:String}
                          AND position(create_table_query, {ttl:String}) > 0",
            )
            .param("database", self.form.database())
            .param("table", self.form.local("events"))
            .param("ttl", format!("TTL {}", schema::ttl(events)));
        let found: u64 = self
            .answered(query.fetch_one())
            .await
            .map_err(|cause| MigrateError::Statement { what: WHAT, cause })?;
        if found > 0 {
            return Ok(false);
        }
        self.run(WHAT, &self.form.set_ttl(events)).await?;
        Ok(true)
    }

    async fn answered<T>(
        &self,
        work: impl Future<Output = Result<T, clickhouse::error::Error>>,
    ) -> Result<T, Cause> {
        match tokio::time::timeout(self.timeout, work).await {
            Ok(answer) => answer.map_err(Into::into),
            Err(_elapsed) => Err(Failure::Late(self.timeout).into()),
        }
    }
}

fn says(cause: &Cause, names: &[&str]) -> bool {
    let text = cause.to_string();
    names.iter().any(|name| text.contains(name))
}
