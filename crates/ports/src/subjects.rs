//! Who is who: what the ledger keeps of identities, conversations and consents.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::consent::ConsentRecord;
use domain::id::{SessionId, TenantId};
use domain::subject::{Circle, Growing, Identity, Link, Touch};

use crate::ledger::{LedgerError, SessionRow};

/// At most this many rows come back of one question about conversations; a client has some dozens. As many may be all, or
/// the newest of more.
pub const MAX_ROWS: u32 = 5_000;

/// Whether something may have been left out of what was asked.
#[must_use]
pub fn is_cut_short<T>(rows: &[T]) -> bool {
    u32::try_from(rows.len()).is_ok_and(|rows| rows >= MAX_ROWS)
}

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

    /// The conversations that name these identities, those that were come to last first; at most [`MAX_ROWS`].
    async fn touches(&self, tenant: &TenantId, of: &[Identity]) -> Result<Vec<Touch>, LedgerError>;

    /// Everything that is named in these conversations, what came last first; at most [`MAX_ROWS`].
    async fn named_in(&self, tenant: &TenantId, sessions: &[SessionId]) -> Result<Vec<Touch>, LedgerError>;

    /// Those of these conversations that are known, in any order.
    async fn sessions_known(
        &self,
        tenant: &TenantId,
        sessions: &[SessionId],
    ) -> Result<Vec<SessionRow>, LedgerError>;

    /// What was consented to in these conversations, oldest first; at most the newest [`MAX_ROWS`]. An event that came
    /// several times is of when it was received first, in whichever order they were recorded.
    async fn consents(
        &self,
        tenant: &TenantId,
        sessions: &[SessionId],
    ) -> Result<Vec<ConsentRecord>, LedgerError>;
}

/// The circle of an identity: asks for links, step by step, until all of it is known, and goes through none of those that
/// are nobody's.
pub async fn circle_of(
    reader: &(impl SubjectReader + ?Sized),
    tenant: &TenantId,
    start: Identity,
    nobodys: &BTreeSet<Identity>,
) -> Result<Circle, LedgerError> {
    let mut growing = Growing::from(start).past(nobodys.clone());
    while let Some(asked) = growing.asks() {
        let links = reader.links(tenant, &asked).await?;
        growing.takes(asked, links);
    }
    Ok(growing.circle())
}
