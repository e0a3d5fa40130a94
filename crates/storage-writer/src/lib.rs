//! Writes events into the ledger and into analytics.
//!
//! Two consumer groups, so that one store being down never stops the other: [`ledger::WriteLedger`] and
//! [`ledger::WriteQuarantine`] for group `ledger`, [`analytics::WriteAnalytics`] for group `analytics`. Both write
//! before the bus settles, and both stores make a second delivery harmless. [`retention::Sweeper`] deletes what is
//! past its time.

pub mod analytics;
pub mod ledger;
pub mod metrics;
pub mod retention;
