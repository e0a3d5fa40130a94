//! The contract on ClickHouse, and what only ClickHouse promises.

#![expect(clippy::unwrap_used, reason = "these are tests, down to what they stand on")]

mod contract;
mod faults;
mod figures;
mod order;
mod schema;
mod world;
mod writing;
