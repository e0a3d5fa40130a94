//! Who opened or read what was sealed, when and why.

use async_trait::async_trait;
use domain::audit::{AuditEntry, Deed};
use domain::id::TenantId;

use crate::ledger::LedgerError;

/// Keeps what somebody answers for. Entries are added and never changed or removed.
///
/// Contract: entries are durable once `add_audit` returns, all of a call or none, and only then is shown what they are
/// about.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Writes down what is about to be done.
    async fn add_audit(&self, entries: &[AuditEntry]) -> Result<(), LedgerError>;

    /// The last entries, the youngest first.
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, LedgerError>;
}

/// Which entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditQuery {
    /// Whose; of all tenants, for `None`.
    pub tenant: Option<TenantId>,
    /// Only this was done.
    pub deed: Option<Deed>,
    /// How many at the most.
    pub limit: u32,
}
