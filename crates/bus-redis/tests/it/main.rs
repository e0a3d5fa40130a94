//! The contracts on a real Redis, and what only Redis promises.

#![expect(clippy::unwrap_used, reason = "these are tests, down to what they stand on")]

mod contract;
mod engine;
mod layouts;
mod limits;
mod outages;
mod stream;
mod world;
