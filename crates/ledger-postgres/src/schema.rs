//! The schema this release works on, and whether the database has it.

use sqlx::Row as _;

use crate::database::Database;
use crate::failure::Failure;

/// One step of the schema. Never edited after a release, only followed by others.
pub(crate) struct Migration {
    pub(crate) version: i32,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// All steps, oldest first.
pub(crate) const MIGRATIONS: [Migration; 16] = [
    Migration {
        version: 1,
        name: "events, sessions, quarantine and registry",
        sql: include_str!("../migrations/0001-events-sessions-quarantine-and-registry.sql"),
    },
    Migration {
        version: 2,
        name: "cheaper writing",
        sql: include_str!("../migrations/0002-cheaper-writing.sql"),
    },
    Migration {
        version: 3,
        name: "more kinds of sources",
        sql: include_str!("../migrations/0003-more-kinds-of-sources.sql"),
    },
    Migration {
        version: 4,
        name: "state of sources",
        sql: include_str!("../migrations/0004-state-of-sources.sql"),
    },
    Migration {
        version: 5,
        name: "where deliveries are passed on to",
        sql: include_str!("../migrations/0005-where-deliveries-are-passed-on-to.sql"),
    },
    Migration {
        version: 6,
        name: "identities and consents",
        sql: include_str!("../migrations/0006-identities-and-consents.sql"),
    },
    Migration { version: 7, name: "audit", sql: include_str!("../migrations/0007-audit.sql") },
    Migration {
        version: 8,
        name: "mappings of sources",
        sql: include_str!("../migrations/0008-mappings-of-sources.sql"),
    },
    Migration {
        version: 9,
        name: "sources of traces",
        sql: include_str!("../migrations/0009-sources-of-traces.sql"),
    },
    Migration {
        version: 10,
        name: "trades of tenants",
        sql: include_str!("../migrations/0010-trades-of-tenants.sql"),
    },
    Migration {
        version: 11,
        name: "who read what",
        sql: include_str!("../migrations/0011-who-read-what.sql"),
    },
    Migration {
        version: 12,
        name: "dismissed entries",
        sql: include_str!("../migrations/0012-dismissed-entries.sql"),
    },
    Migration {
        version: 13,
        name: "sources of CloudEvents",
        sql: include_str!("../migrations/0013-sources-of-cloudevents.sql"),
    },
    Migration {
        version: 14,
        name: "expiry in quarantine",
        sql: include_str!("../migrations/0014-expiry-in-quarantine.sql"),
    },
    Migration {
        version: 15,
        name: "words are dated no later than heard",
        sql: include_str!("../migrations/0015-words-are-dated-no-later-than-heard.sql"),
    },
    Migration {
        version: 16,
        name: "audit by deed and thing",
        sql: include_str!("../migrations/0016-audit-by-deed-and-thing.sql"),
    },
];

/// The version this release works on.
const KNOWN: i32 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// Why this release cannot work on what is in the database.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// PostgreSQL does not answer. It may well be in order.
    #[error("postgresql is unavailable")]
    Unavailable(#[source] ports::Cause),
    /// There is nothing there yet.
    #[error("the database was never migrated; run letopis-admin migrate")]
    Missing,
    /// The role has no right to read it.
    #[error("the role of this service has no rights in the schema; run letopis-admin migrate with its name")]
    Forbidden,
    /// A migration is missing.
    #[error("the schema has version {found}, this release needs {known}; run letopis-admin migrate")]
    Older {
        /// The version of the schema.
        found: i32,
        /// The version needed here.
        known: i32,
    },
    /// A newer release has migrated it.
    #[error("the schema has version {found}, this release knows {known}; use a newer release")]
    Newer {
        /// The version of the schema.
        found: i32,
        /// The newest version known here.
        known: i32,
    },
}

/// Compares the schema with what this release works on.
pub(crate) async fn check(database: &Database) -> Result<(), SchemaError> {
    let found = database.rows(|| sqlx::query("SELECT max(version) FROM schema_migrations")).await;
    let found = found.and_then(|rows| {
        let row = rows.first().ok_or(Failure::Corrupt("the schema's version"))?;
        Ok(row.try_get::<Option<i32>, _>(0)?)
    });
    match found {
        Ok(None) => Err(SchemaError::Missing),
        Ok(Some(found)) if found < KNOWN => Err(SchemaError::Older { found, known: KNOWN }),
        Ok(Some(found)) if found > KNOWN => Err(SchemaError::Newer { found, known: KNOWN }),
        Ok(Some(_)) => Ok(()),
        Err(Failure::Refused { code, .. }) if code == "42P01" => Err(SchemaError::Missing),
        Err(Failure::Refused { code, .. }) if code == "42501" => Err(SchemaError::Forbidden),
        Err(failure) => Err(SchemaError::Unavailable(Box::new(failure))),
    }
}
