//! The contracts on PostgreSQL, and what only PostgreSQL promises.

#![expect(clippy::unwrap_used, reason = "these are tests, down to what they stand on")]

mod concurrency;
mod contract;
mod migrations;
mod outages;
mod partitions;
mod quarantine;
mod repetition;
mod rights;
mod sessions;
mod world;
