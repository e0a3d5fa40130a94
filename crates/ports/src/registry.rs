//! The registry: tenants, their sources and their keys.

use async_trait::async_trait;
use domain::event::Sealed;
use domain::id::{KeyId, SourceId, TenantId};
use domain::registry::{ApiKey, MappingText, Source, SourceSecret, Tenant, Trade};
use domain::timestamp::Timestamp;

use crate::Cause;

/// Keeps tenants, sources and keys.
///
/// Contract: ids are never reused, not even after revoking; revoking twice keeps the first instant; `version` grows
/// with every change, so that a cache learns cheaply whether to read the snapshot again.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Grows with every change.
    async fn version(&self) -> Result<u64, RegistryError>;

    /// All there is, revoked ones included. A registry holds dozens of salons, not millions.
    async fn snapshot(&self) -> Result<RegistrySnapshot, RegistryError>;

    /// Adds a tenant.
    async fn add_tenant(&self, tenant: &Tenant) -> Result<(), RegistryError>;

    /// Gives a tenant another trade: what leaves from now on leaves by its rules.
    async fn set_trade(&self, tenant: &TenantId, trade: Trade) -> Result<(), RegistryError>;

    /// Adds a source; its tenant must exist.
    async fn add_source(&self, source: &Source) -> Result<(), RegistryError>;

    /// Adds a key; the tenant and source it names must exist and belong together.
    async fn add_key(&self, key: &ApiKey) -> Result<(), RegistryError>;

    /// Makes a secret of a source live, beside the last one before it; those before that prove nothing any more.
    async fn add_secret(&self, source: &SourceId, secret: &SourceSecret) -> Result<(), RegistryError>;

    /// Leaves only the last secret of a source live.
    async fn retire_secrets(&self, source: &SourceId) -> Result<(), RegistryError>;

    /// Has the deliveries of a source passed on to this sealed address from now on; to nobody, for `None`.
    async fn set_forward(&self, source: &SourceId, to: Option<&Sealed>) -> Result<(), RegistryError>;

    /// Gives a source another mapping: what it sends from now on is read by this one.
    async fn set_mapping(&self, source: &SourceId, mapping: &MappingText) -> Result<(), RegistryError>;

    /// Ends a tenant, source or key.
    async fn revoke(&self, what: &Registered, now: Timestamp) -> Result<(), RegistryError>;
}

/// Something in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// A tenant; its sources and keys end with it.
    Tenant(TenantId),
    /// A source; its keys end with it.
    Source(SourceId),
    /// A key.
    Key(KeyId),
}

/// All there is in the registry, at one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegistrySnapshot {
    /// The version it was read at.
    pub version: u64,
    /// All tenants.
    pub tenants: Vec<Tenant>,
    /// All sources.
    pub sources: Vec<Source>,
    /// All keys.
    pub keys: Vec<ApiKey>,
}

/// Why the registry could not do it.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// It does not answer or cannot write. Try again later.
    #[error("the registry is unavailable")]
    Unavailable(#[source] Cause),
    /// The id is taken.
    #[error("this id is taken; ids stay taken after they are revoked")]
    Exists,
    /// What was named is not there.
    #[error("there is no such tenant, source or key")]
    NotFound,
    /// What it holds cannot be read back.
    #[error("the registry holds something unreadable: {0}")]
    Corrupt(&'static str),
}
