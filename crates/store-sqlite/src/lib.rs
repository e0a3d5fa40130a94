//! The ports on SQLite: what makes one box enough.
//!
//! Three files, so that one being slow or damaged does not stop the others: the bus (with the gateway's idempotency
//! keys), the ledger (with quarantine and registry) and analytics. Each has one writer thread that commits in groups
//! with `synchronous=FULL`, and a few connections that only read.
//!
//! Other processes, the command line above all, may open the same files at the same time. So nothing that another
//! process could change is kept in memory.

pub mod analytics;
pub mod bus;
mod columns;
mod connection;
mod database;
mod failure;
pub mod ledger;
mod readers;
mod session_rollup;
mod writer;

pub use connection::OpenError;
