//! The ledger, the quarantine and the registry on PostgreSQL (15 or newer).
//!
//! The same behaviour as the ledger in a SQLite file, for many processes at once. Every call that writes is one
//! transaction of a few statements over all its rows; rows are locked in one order everywhere (receipts, event ids,
//! quarantine, sessions, books; each sorted by key), so that replicas that record the same things wait for each other
//! and never deadlock.
//!
//! One pool serves reading and writing: in a cluster a process does mostly one or the other, and connections are what
//! PostgreSQL has least of.

mod columns;
mod database;
mod failure;
mod ledger;
mod migrate;
mod options;
mod schema;
mod session_rollup;

pub use crate::ledger::PostgresLedger;
pub use crate::migrate::{Applied, MigrateError, migrate};
pub use crate::options::{OpenError, PostgresOptions};
pub use crate::schema::SchemaError;
