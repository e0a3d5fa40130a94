//! The contract on a real Redis, and what only a stream promises.

#![expect(clippy::unwrap_used, reason = "these are tests, down to what they stand on")]

mod stream;
mod world;

/// One named test per clause.
mod contract {
    contract_tests::queue_contract!(crate::world::stream);
}
