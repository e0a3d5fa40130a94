//! Trials of a whole cluster: something is done to it under load, and afterwards everything is read back.
//!
//! Each trial is a page and says what it does to whom. What they share:
//!
//! ```text
//! Scene     a cluster with two processes of every service, on engines of its own that may be killed and frozen
//! Load      senders that send each event until it is taken; opened, paused and stopped by the trial
//! Phases    a load and the table of what came of it, phase by phase
//! told      the events of a trial, and what analytics must make of them
//! Verdict   what became of them: lost and extra in both stores, the books, how long they took to settle
//! Report    what is printed: what was done, what came of it, which promises were broken
//! ```
//!
//! The promises under test: what was answered with 2xx is in both stores, once, and nothing else is; whoever sends
//! sees nothing but 2xx, 503 with `Retry-After` and broken connections; the books balance within [`SETTLE_WITHIN`] of
//! the last start.

pub mod disk_full;
pub mod hung;
pub mod kill_matrix;
pub mod load;
pub mod outage;
mod phases;
pub mod queues;
pub mod read_back;
pub mod redis_full;
pub mod report;
pub mod rolling;
pub mod scene;
pub mod tmpfs;
pub mod told;
pub mod too_many_parts;
pub mod verdict;
pub mod victim;

use std::time::Duration;

pub use load::Load;
pub use report::Report;
pub use scene::{Scene, Setting};
pub use verdict::Verdict;
pub use victim::Victim;

/// How soon after the last start everything has to be where it belongs.
pub const SETTLE_WITHIN: Duration = Duration::from_secs(30);

/// How hard a trial sends, and how long what it does lasts.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Connections that send; every fourth sends batches.
    pub connections: u32,
    /// Conversations the events belong to.
    pub sessions: u32,
    /// Events a second; without a number, as many as are taken.
    pub rate: Option<u32>,
    /// How long a store stays down, hung or full.
    pub lasting: Duration,
}
