//! Who opened what was sealed, when and why.

use async_trait::async_trait;
use domain::audit::AuditEntry;
use domain::id::TenantId;

use crate::ledger::LedgerError;

/// Keeps what was opened. Entries are added and never changed or removed.
///
/// Contract: an entry is durable once `add_audit` returns, and only then is shown what it is about.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Writes down that something is about to be opened.
    async fn add_audit(&self, entry: &AuditEntry) -> Result<(), LedgerError>;

    /// The last entries of a tenant, or of all, the youngest first.
    async fn audit(&self, tenant: Option<&TenantId>, limit: u32) -> Result<Vec<AuditEntry>, LedgerError>;
}
