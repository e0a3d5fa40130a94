//! Looking at the quarantine and sending entries through again.

use async_trait::async_trait;
use domain::id::{ReceiptId, SourceId, TenantId};
use domain::quarantine::{
    Cause, CauseCount, Dismissal, ListedEntry, QuarantineEntry, QuarantineState, ReasonClass, Stage,
};
use domain::timestamp::Timestamp;

use crate::ledger::LedgerError;

/// Reads the quarantine and marks entries as sent through again. Every question names its tenant.
#[async_trait]
pub trait QuarantineStore: Send + Sync {
    /// Entries, the youngest first, without their messages: those of a page may be hundreds of megabytes.
    async fn list(&self, query: &QuarantineQuery) -> Result<Vec<ListedEntry>, LedgerError>;

    /// Entries with their messages, as they are now; in no order, and without those that are not there any more. Who asks
    /// sees to it that they are not too large together.
    async fn load(
        &self,
        tenant: &TenantId,
        entries: &[(ReceiptId, Stage)],
    ) -> Result<Vec<QuarantineEntry>, LedgerError>;

    /// For what causes entries wait, the most frequent first, at most `limit`; resolved ones are not counted, dismissed
    /// ones have a row of their own.
    async fn causes(&self, tenant: &TenantId, limit: u32) -> Result<Vec<CauseCount>, LedgerError>;

    /// All entries of one receipt: at most one a stage.
    async fn show(&self, tenant: &TenantId, receipt: ReceiptId) -> Result<Vec<QuarantineEntry>, LedgerError>;

    /// Marks an entry as sent through again, and counts it. Called after the message was published: dying in
    /// between leads to a second replay, which is harmless, and never to a lost one.
    ///
    /// An entry that came home, or was put here anew, since it was `seen` keeps its state: the replay was faster.
    async fn mark_replaying(&self, seen: &QuarantineEntry) -> Result<(), LedgerError>;

    /// Dismisses entries that have not come home, or takes that back: of one cause, put in before an instant, at most
    /// `limit` at once; says how many. The books know nothing of it: what is dismissed still is in quarantine. It is
    /// swept when its time comes, which what waits is not.
    async fn dismiss(
        &self,
        dismissal: Dismissal,
        (tenant, cause): (&TenantId, &Cause),
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, LedgerError>;

    /// Closes an entry whose stage has no receipt to settle (`Analyse`), unless it was put here anew since `seen`.
    async fn resolve(&self, seen: &QuarantineEntry) -> Result<(), LedgerError>;
}

/// Which entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineQuery {
    /// Whose.
    pub tenant: TenantId,
    /// Only those with this kind of cause.
    pub class: Option<ReasonClass>,
    /// Only those that stopped for just this cause, as it was written down.
    pub cause: Option<Cause>,
    /// Only those of this source.
    pub source: Option<SourceId>,
    /// Only those that stopped here.
    pub stage: Option<Stage>,
    /// Only those in this state.
    pub state: Option<QuarantineState>,
    /// Only those whose message has not expired.
    pub kept: bool,
    /// Only those that come after this place in the order (youngest first): the last entry of the page before.
    pub after: Option<(Timestamp, ReceiptId)>,
    /// How many at the most.
    pub limit: u32,
}

impl QuarantineQuery {
    /// Every entry of a tenant, from the youngest on.
    #[must_use]
    pub const fn all_of(tenant: TenantId, limit: u32) -> Self {
        Self {
            tenant,
            class: None,
            cause: None,
            source: None,
            stage: None,
            state: None,
            kept: false,
            after: None,
            limit,
        }
    }
}
