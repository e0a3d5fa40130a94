//! The schema: what this release works with, in its plain and its cluster form.

use std::collections::BTreeMap;
use std::time::Duration;

use clickhouse::{Client, Row};
use domain::retention::Retention;
use ports::Cause;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::failure::{Failure, within};
use crate::options::{ClickHouseOptions, OpenError};

/// Creates the database and the table of migrations: not a migration, and run before them every time.
pub(crate) const GROUND: &str = include_str!("../migrations/0000-schema-migrations.sql");

/// All migrations, in order; a published one never changes.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "events-and-rollups",
        template: include_str!("../migrations/0001-events-and-rollups.sql"),
    },
    Migration {
        version: 2,
        name: "sessions-and-appointments",
        template: include_str!("../migrations/0002-sessions-and-appointments.sql"),
    },
    Migration {
        version: 3,
        name: "merged-parts-are-kept",
        template: include_str!("../migrations/0003-merged-parts-are-kept.sql"),
    },
];

/// One step of the schema.
pub(crate) struct Migration {
    pub(crate) version: u32,
    pub(crate) name: &'static str,
    pub(crate) template: &'static str,
}

impl Migration {
    /// SHA-256 of the template, in hexadecimal.
    pub(crate) fn checksum(&self) -> String {
        Sha256::digest(self.template).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Every statement that [`migrate`](crate::migrate()) runs on an empty server, without its own books: for an operator
/// who wants to see them, or to run them by himself.
///
/// # Errors
/// The options cannot be used.
pub fn ddl(options: &ClickHouseOptions, retention: Retention) -> Result<Vec<String>, OpenError> {
    options.validate()?;
    let form = Form::of(options);
    let templates = std::iter::once(GROUND).chain(MIGRATIONS.iter().map(|migration| migration.template));
    let mut statements: Vec<_> = templates.flat_map(|template| form.statements(template)).collect();
    statements.push(form.set_ttl(retention.events));
    Ok(statements)
}

/// What the placeholders of a template stand for: on one server, or in a cluster.
pub(crate) struct Form {
    database: String,
    cluster: String,
}

const ONLY_IN_A_CLUSTER: &str = "-- only in a cluster\n";

impl Form {
    /// Of options that are valid.
    pub(crate) fn of(options: &ClickHouseOptions) -> Self {
        Self { database: options.database.clone(), cluster: options.cluster.clone() }
    }

    /// The statements of a template.
    pub(crate) fn statements(&self, template: &str) -> Vec<String> {
        let of_this_form = |statement: &&str| {
            !statement.is_empty() && (!self.cluster.is_empty() || !statement.starts_with(ONLY_IN_A_CLUSTER))
        };
        template.split(";\n").map(str::trim).filter(of_this_form).map(|text| self.render(text)).collect()
    }

    /// Fills in the placeholders.
    pub(crate) fn render(&self, template: &str) -> String {
        let (on_cluster, local, replicated) = match self.cluster.as_str() {
            "" => (String::new(), "", ""),
            name => (format!(" ON CLUSTER `{name}`"), "_local", "Replicated"),
        };
        template
            .replace("${database}", &format!("`{}`", self.database))
            .replace("${cluster}", &format!("`{}`", self.cluster))
            .replace("${on_cluster}", &on_cluster)
            .replace("${local}", local)
            .replace("${replicated}", replicated)
    }

    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// The table on the server itself.
    pub(crate) fn local(&self, table: &str) -> String {
        self.render(&format!("{table}${{local}}"))
    }

    /// Sets how long events are kept.
    pub(crate) fn set_ttl(&self, events: Duration) -> String {
        let ttl = ttl(events);
        self.render(&format!("ALTER TABLE ${{database}}.events${{local}}${{on_cluster}} MODIFY TTL {ttl}"))
    }
}

/// When an event ends. ClickHouse keeps ends in 32 bits and would begin anew in 2106, in the past.
pub(crate) fn ttl(events: Duration) -> String {
    let seconds = events.as_secs().min(u64::from(u32::MAX));
    format!("toDateTime(least(toUnixTimestamp64Second(received_at) + {seconds}, 4294967295), 'UTC')")
}

/// Why the schema is not the one this release works with.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The server does not say.
    #[error("clickhouse is unavailable")]
    Unavailable(#[source] Cause),
    /// There is none.
    #[error("the database has no schema yet: run letopis-admin migrate")]
    Missing,
    /// Of an earlier release.
    #[error("the schema has version {found} and this release needs {needed}: run letopis-admin migrate")]
    Older {
        /// What is there.
        found: u32,
        /// What this release needs.
        needed: u32,
    },
    /// Of a later release.
    #[error("the schema has version {found}, of a later release; this one knows {known}")]
    Newer {
        /// What is there.
        found: u32,
        /// What this release knows.
        known: u32,
    },
    /// A migration was another one when it was applied.
    #[error("migration {0} was applied with another content than it has in this release")]
    Changed(u32),
}

/// Checksums of applied migrations by version.
pub(crate) type AppliedVersions = BTreeMap<u32, String>;

#[derive(Row, Deserialize)]
struct AppliedRow {
    version: u32,
    checksum: String,
}

/// Says whether exactly the migrations of this release were applied.
pub(crate) async fn check(client: &Client, timeout: Duration) -> Result<(), SchemaError> {
    const UNKNOWN_TABLE: u32 = 60;
    const UNKNOWN_DATABASE: u32 = 81;
    let applied = match within(timeout, applied(client, "schema_migrations")).await {
        Err(failure) if matches!(failure.code(), Some(UNKNOWN_TABLE | UNKNOWN_DATABASE)) => {
            return Err(SchemaError::Missing);
        }
        read => read.map_err(|failure| SchemaError::Unavailable(Box::new(failure)))?,
    };
    judge(&applied)?;
    let (found, needed) = (applied.last_key_value(), MIGRATIONS.last());
    match (found, needed) {
        (None, Some(_)) => Err(SchemaError::Missing),
        (Some((&found, _)), Some(needed)) if found < needed.version => {
            Err(SchemaError::Older { found, needed: needed.version })
        }
        _ => Ok(()),
    }
}

/// What was applied, as the table of migrations has it.
pub(crate) async fn applied(client: &Client, table: &str) -> Result<AppliedVersions, Failure> {
    let query = format!("SELECT version, checksum FROM {table} ORDER BY version, applied_at");
    let rows: Vec<AppliedRow> = client.query_raw(&query).fetch_all().await?;
    Ok(rows.into_iter().map(|row| (row.version, row.checksum)).collect())
}

/// Refuses what a later release or another content left.
pub(crate) fn judge(applied: &AppliedVersions) -> Result<(), SchemaError> {
    let known = MIGRATIONS.last().map_or(0, |migration| migration.version);
    if let Some((&found, _)) = applied.last_key_value().filter(|(version, _)| **version > known) {
        return Err(SchemaError::Newer { found, known });
    }
    for migration in MIGRATIONS {
        if applied.get(&migration.version).is_some_and(|checksum| *checksum != migration.checksum()) {
            return Err(SchemaError::Changed(migration.version));
        }
    }
    Ok(())
}
