//! The one consumer loop. Every service that reads the bus is a [`Handler`]; the loop does everything else.
//!
//! A handler answers per message what is to become of it ([`Verdict`]). The loop settles what is done together with
//! what it leads to, waits and tries again while the world is down, and gives up on a message the bus has handed out
//! too often, or that the handler rejects: a dead letter goes to the quarantine topic, with its origin beside it.
//!
//! Invariants:
//! - the world being down counts no attempt: a message is never given up because a database was away for an hour;
//! - a handler that panics on a message takes down neither the process nor the message's neighbours;
//! - nothing is settled before its effect is durable; a process that dies at any point leads to a second delivery.

pub mod backlog;
mod consumer;
pub mod metrics;

pub use consumer::{Consumer, Handler, Policy, Verdict};
