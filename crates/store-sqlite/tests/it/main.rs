//! The contracts on SQLite, and what only SQLite promises.

#![expect(clippy::unwrap_used, reason = "these are tests, down to what they stand on")]

mod contract;
mod crash;
mod processes;
mod world;
