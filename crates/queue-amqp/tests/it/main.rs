//! The contract on a real RabbitMQ, and what only AMQP promises.

#![expect(clippy::unwrap_used, reason = "these are tests, down to what they stand on")]

mod amqp;
mod broker;
mod world;

/// One named test per clause.
mod contract {
    contract_tests::queue_contract!(crate::world::queue);
}
