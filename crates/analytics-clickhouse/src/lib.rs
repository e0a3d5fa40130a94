//! Analytics on ClickHouse: raw events, and rollups of sessions and appointments.
//!
//! A rollup is any number of rows, each with columns that are a minimum, a maximum or an "or". Rows may be written any
//! number of times and merged whenever ClickHouse likes; reading groups by the key and never waits for a merge. So a
//! redelivered batch changes no figure, and nothing here needs a transaction.
//!
//! Events have a TTL. Rollups have none, although they are kept for a limited time too: a TTL looks at rows, and would
//! take the row that says how a conversation began while the conversation goes on.
//! [`sweep`](ports::analytics::AnalyticsStore::sweep) looks at the last event of the whole key.
//!
//! With a `cluster` in the options, every table is `Replicated…` under the name `…_local`, with a `Distributed` table
//! over the shards under its own name. How many replicas have an insert before it is acknowledged is the server's
//! `insert_quorum`, to be set in the profile of the user.
//!
//! The user of the services needs `SELECT`, `INSERT` and `ALTER DELETE` on the database; the owner, who migrates, all.

mod analytics;
mod batch;
mod connection;
mod encoding;
mod failure;
mod migrate;
mod options;
mod overview;
mod rows;
mod schema;
mod sweep;
mod writer;

pub use analytics::ClickHouseAnalytics;
pub use migrate::{Applied, MigrateError, migrate};
pub use options::{ClickHouseOptions, OpenError};
pub use schema::{SchemaError, ddl};
