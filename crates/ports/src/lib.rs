//! The traits behind which the world lies, and the data they speak of.
//!
//! Services know these traits and no adapter; adapters implement them and know no service. What a trait promises
//! beyond its signature stands in its documentation and is checked by `contract-tests` on every adapter.

pub mod analytics;
pub mod audit;
pub mod bus;
pub mod clock;
pub mod idempotency;
pub mod ledger;
pub mod quarantine;
pub mod queue;
pub mod registry;
pub mod seals;
pub mod sources;
pub mod subjects;

/// The error underneath an error of a port: an adapter's own, kept whole for the log.
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;
