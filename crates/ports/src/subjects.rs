//! Who is who: what the ledger keeps of identities, conversations and consents.

use async_trait::async_trait;
use domain::consent::ConsentRecord;
use domain::id::{SessionId, TenantId};
use domain::subject::{Circle, Growing, Identity, Link, Touch};

use crate::ledger::{LedgerError, SessionRow};

/// At most this many rows come back of one question about conversations; a client has some dozens.
pub const MAX_ROWS: u32 = 5_000;

/// Reads what [`crate::ledger::Ledger::record`] learned of persons. Every question names its tenant, and what it
/// names twice is answered once.
///
/// Contract (checked by `contract-tests`): what is known depends on the set of recorded events, not on their order,
/// repetition or how they were cut into batches, by the rules of [`domain::subject`] and [`domain::consent`]. Links and
/// touches stay as long as a conversation that names the identity; consents, and the touches that lead to them, stay.
#[async_trait]
pub trait SubjectReader: Send + Sync {
    /// The links of each of these identities, at most [`domain::subject::LINKS_OF_ONE`] of each; one between two of
    /// them may come twice.
    async fn links(&self, tenant: &TenantId, of: &[Identity]) -> Result<Vec<Link>, LedgerError>;

    /// The conversations that name these identities; at most [`MAX_ROWS`].
    async fn touches(&self, tenant: &TenantId, of: &[Identity]) -> Result<Vec<Touch>, LedgerError>;

    /// Everything that is named in these conversations; at most [`MAX_ROWS`].
    async fn named_in(&self, tenant: &TenantId, sessions: &[SessionId]) -> Result<Vec<Touch>, LedgerError>;

    /// Those of these conversations that are known, in any order.
    async fn sessions_known(
        &self,
        tenant: &TenantId,
        sessions: &[SessionId],
    ) -> Result<Vec<SessionRow>, LedgerError>;

    /// What was consented to in these conversations, oldest first; at most [`MAX_ROWS`].
    async fn consents(
        &self,
        tenant: &TenantId,
        sessions: &[SessionId],
    ) -> Result<Vec<ConsentRecord>, LedgerError>;
}

/// The circle of an identity: asks for links, step by step, until all of it is known.
pub async fn circle_of(
    reader: &(impl SubjectReader + ?Sized),
    tenant: &TenantId,
    start: Identity,
) -> Result<Circle, LedgerError> {
    let mut growing = Growing::from(start);
    while let Some(asked) = growing.asks() {
        let links = reader.links(tenant, &asked).await?;
        growing.takes(asked, links);
    }
    Ok(growing.circle())
}
