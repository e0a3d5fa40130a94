//! Analytics: rollups of sessions and appointments, and the figures taken from them.

use async_trait::async_trait;
use domain::event::Event;
use domain::id::TenantId;
use domain::overview::ChannelFigures;
use domain::timestamp::Timestamp;

use crate::Cause;

/// Takes in events and answers with figures.
///
/// Contract (checked by `contract-tests`): the figures depend on the set of distinct events taken in, never on their
/// order, their repetition or how they were cut into batches. The rules are those of [`domain::rollup`]; a messenger's own
/// notices ([`Event::is_notice`]) begin no session.
#[async_trait]
pub trait AnalyticsStore: Send + Sync {
    /// Takes in events, durably.
    async fn absorb(&self, events: &[Event]) -> Result<(), AnalyticsError>;

    /// What the conversations that began within a period became, one row a channel that has any, in the order of
    /// [`domain::channel::Channel::ALL`].
    async fn overview(
        &self,
        tenant: &TenantId,
        period: Period,
    ) -> Result<Vec<ChannelFigures>, AnalyticsError>;

    /// Deletes rollups whose last event was before an instant; returns how many. A conversation that goes on for years,
    /// as one in a messenger does, keeps its rollup as long as it goes on.
    async fn sweep(&self, before: Timestamp) -> Result<u64, AnalyticsError>;

    /// Reads and writes for real, to say whether analytics can be used.
    async fn probe(&self) -> Result<(), AnalyticsError>;
}

/// From an instant until before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first instant in it.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
}

/// Why analytics could not do it.
#[derive(Debug, thiserror::Error)]
pub enum AnalyticsError {
    /// It does not answer or cannot write. Try again later.
    #[error("analytics is unavailable")]
    Unavailable(#[source] Cause),
    /// What it holds cannot be read back.
    #[error("analytics holds something unreadable: {0}")]
    Corrupt(&'static str),
}
