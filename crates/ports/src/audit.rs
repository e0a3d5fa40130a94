//! Who opened or read what was sealed, when and why.

use async_trait::async_trait;
use domain::audit::{About, AuditEntry, Deed};
use domain::id::TenantId;
use domain::timestamp::Timestamp;

use crate::ledger::LedgerError;

/// Keeps what somebody answers for. Entries are added and never changed or removed.
///
/// Contract: entries are durable once `add_audit` returns, all of a call or none, and only then is shown what they are
/// about.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Writes down what is about to be done.
    async fn add_audit(&self, entries: &[AuditEntry]) -> Result<(), LedgerError>;

    /// Entries, the one written last first.
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, LedgerError>;
}

/// Which entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditQuery {
    /// Whose; of all tenants, for `None`.
    pub tenant: Option<TenantId>,
    /// Only this was done.
    pub deed: Option<Deed>,
    /// Only with such a thing.
    pub about: Option<AboutFilter>,
    /// Only what was done at this instant or after it.
    pub from: Option<Timestamp>,
    /// Only what was done before this instant.
    pub until: Option<Timestamp>,
    /// Only what was written before this one: the last of the page before.
    pub before: Option<i64>,
    /// How many at the most.
    pub limit: u32,
}

/// With what something was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AboutFilter {
    /// Any of a kind, by its word ([`About::WORDS`]).
    Kind(&'static str),
    /// One of these, all of one kind.
    OneOf(Vec<About>),
}

impl AboutFilter {
    /// The word of the kind; nothing where there is nothing to be found.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Kind(word) => word,
            Self::OneOf(things) => things.first().map(About::as_str).unwrap_or_default(),
        }
    }

    /// The ids, where it matters which.
    #[must_use]
    pub fn ids(&self) -> Option<Vec<String>> {
        match self {
            Self::Kind(_) => None,
            Self::OneOf(things) => Some(things.iter().map(About::id).collect()),
        }
    }
}

impl AuditQuery {
    /// The last entries of a tenant, or of all of them.
    #[must_use]
    pub const fn last_of(tenant: Option<TenantId>, limit: u32) -> Self {
        Self { tenant, deed: None, about: None, from: None, until: None, before: None, limit }
    }
}

/// An entry, and its place among all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Greater than that of every entry that was written before.
    pub number: i64,
    /// What was written down.
    pub entry: AuditEntry,
}
