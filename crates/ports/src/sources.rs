//! How sources are doing.

use async_trait::async_trait;
use domain::id::{SourceId, TenantId};
use domain::source_state::{Period, Refusal, SourceState};
use domain::timestamp::Timestamp;

use crate::ledger::LedgerError;

/// Says how sources are doing, and takes from the door what only the door knows.
///
/// Contract:
///
/// - What new events say of their source is written in the transaction that records them ([`crate::ledger::Ledger`]): a
///   duplicate changes nothing, and no order of calls changes what comes out.
/// - A source of which nothing was ever heard, refused or quarantined is not among the states.
/// - Refusals are counts and no records: what is added is summed, by period. Whoever adds may lose or repeat the last of
///   them with a crash.
#[async_trait]
pub trait SourceWatch: Send + Sync {
    /// The states of a tenant's sources, or of all, sorted by tenant and source, as of now.
    async fn states(
        &self,
        tenant: Option<&TenantId>,
        now: Timestamp,
    ) -> Result<Vec<SourceState>, LedgerError>;

    /// Adds what was refused since it was last told. Called with few rows and seldom, however much is refused.
    async fn add_refusals(&self, refusals: &[RefusalCount]) -> Result<(), LedgerError>;

    /// Forgets the counts of periods before this one; the first and last event of a source stay.
    async fn forget_periods(&self, before: Period) -> Result<u64, LedgerError>;
}

/// How often a source was refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalCount {
    /// Whose source.
    pub tenant: TenantId,
    /// Which.
    pub source: SourceId,
    /// Why.
    pub reason: Refusal,
    /// How often.
    pub times: u64,
    /// When last; all of them are counted in the period of this instant.
    pub last_at: Timestamp,
}
