//! The registry as the services use it: in memory, so that a ledger outage does not stop ingestion.
//!
//! The last good copy stays in use for as long as the registry is down. A change arrives within a second: `run` asks
//! for the version every second, and a key nobody knows makes `authenticate` ask once more, at most once a second.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use domain::id::{KeyId, SourceId, TenantId};
use domain::registry::{ApiKey, Scope, Source, Tenant};
use domain::timestamp::Timestamp;
use ports::clock::Clock;
use ports::registry::{Registry, RegistryError, RegistrySnapshot};
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::key::PresentedKey;
pub use crate::key::{IssueKeyError, NewKey, SecretText, issue_key};

const POLL_EVERY: Duration = Duration::from_secs(1);

/// Who is at the door, once the key was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The key's public half.
    pub key: KeyId,
    /// The tenant it may act for; `None` is every tenant.
    pub tenant: Option<TenantId>,
    /// The source it sends for.
    pub source: Option<SourceId>,
    /// What it opens.
    pub scope: Scope,
}

/// Why a key opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// It does not look like a key of ours.
    #[error("the key is malformed")]
    Malformed,
    /// No such key, or its secret is wrong: the two are not told apart.
    #[error("the key is unknown")]
    Unknown,
    /// It was right once: it, its source or its tenant was revoked.
    #[error("the key has been revoked")]
    Revoked,
    /// The registry was never read, so nothing can be said of any key.
    #[error("keys cannot be checked just now")]
    Unavailable,
}

/// Keys, sources and tenants, in memory.
pub struct Keyring {
    registry: Arc<dyn Registry>,
    clock: Arc<dyn Clock>,
    loaded: RwLock<Option<Arc<Loaded>>>,
    refreshing: Mutex<Refreshing>,
}

#[derive(Default)]
struct Refreshing {
    /// When a key that nobody knew last made us ask.
    last_miss: Option<Timestamp>,
    /// So that an outage is logged twice, when it begins and when it ends, and not every second.
    is_failing: bool,
}

struct Loaded {
    version: u64,
    keys: HashMap<KeyId, LoadedKey>,
    sources: HashMap<SourceId, Arc<Source>>,
    tenants: Vec<Tenant>,
}

struct LoadedKey {
    secret_sha256: [u8; 32],
    is_revoked: bool,
    principal: Principal,
}

impl Keyring {
    /// An empty keyring; [`Self::refresh`] or [`Self::run`] fills it.
    #[must_use]
    pub fn new(registry: Arc<dyn Registry>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { registry, clock, loaded: RwLock::default(), refreshing: Mutex::default() })
    }

    /// Reads the registry again if it changed. When that fails, what was read before stays in use.
    pub async fn refresh(&self) {
        let mut refreshing = self.refreshing.lock().await;
        self.refresh_locked(&mut refreshing).await;
    }

    /// Keeps up with the registry until `shutdown`.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        loop {
            self.refresh().await;
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(POLL_EVERY) => {}
            }
        }
    }

    /// Says who presents a key.
    pub async fn authenticate(&self, presented: &str) -> Result<Principal, AuthError> {
        let presented = PresentedKey::parse(presented).ok_or(AuthError::Malformed)?;
        if let Some(loaded) = self.loaded() {
            match loaded.check(&presented) {
                Some(verdict) => return verdict,
                None => self.refresh_after_miss().await,
            }
        } else {
            self.refresh_after_miss().await;
        }
        let loaded = self.loaded().ok_or(AuthError::Unavailable)?;
        loaded.check(&presented).unwrap_or(Err(AuthError::Unknown))
    }

    /// A source that may send; `None` when it is unknown, or it or its tenant was revoked.
    #[must_use]
    pub fn source(&self, id: &SourceId) -> Option<Arc<Source>> {
        self.loaded()?.sources.get(id).cloned()
    }

    /// Like [`Self::source`], and looks into the registry once more for one that was added a moment ago.
    pub async fn find_source(&self, id: &SourceId) -> Option<Arc<Source>> {
        if let Some(source) = self.source(id) {
            return Some(source);
        }
        self.refresh_after_miss().await;
        self.source(id)
    }

    /// The sources of a tenant that may send, in the order of their ids.
    #[must_use]
    pub fn sources_of(&self, tenant: &TenantId) -> Vec<Arc<Source>> {
        let Some(loaded) = self.loaded() else { return Vec::new() };
        let mut sources: Vec<_> =
            loaded.sources.values().filter(|source| source.tenant == *tenant).cloned().collect();
        sources.sort_by(|a, b| a.id.cmp(&b.id));
        sources
    }

    /// A tenant that has not been revoked.
    #[must_use]
    pub fn tenant(&self, id: &TenantId) -> Option<Tenant> {
        self.loaded()?.tenants.iter().find(|tenant| tenant.id == *id).cloned()
    }

    /// Tenants that have not been revoked, in the order of the registry.
    #[must_use]
    pub fn tenants(&self) -> Vec<Tenant> {
        self.loaded().map(|loaded| loaded.tenants.clone()).unwrap_or_default()
    }

    /// Whether the registry was ever read: before that every key is answered with "later".
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.loaded().is_some()
    }

    fn loaded(&self) -> Option<Arc<Loaded>> {
        // A poisoned lock still holds a whole `Arc`: it is replaced in one assignment.
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn refresh_after_miss(&self) {
        let mut refreshing = self.refreshing.lock().await;
        let now = self.clock.now();
        if refreshing.last_miss.is_some_and(|last| last.distance(now) < POLL_EVERY) {
            return;
        }
        refreshing.last_miss = Some(now);
        self.refresh_locked(&mut refreshing).await;
    }

    async fn refresh_locked(&self, refreshing: &mut Refreshing) {
        match self.read_if_changed().await {
            Ok(()) => {
                if std::mem::take(&mut refreshing.is_failing) {
                    tracing::info!("the registry answers again");
                }
            }
            Err(cause) => {
                if !std::mem::replace(&mut refreshing.is_failing, true) {
                    let error: &dyn std::error::Error = &cause;
                    tracing::warn!(error, "failed to read the registry: the last copy stays in use");
                }
            }
        }
    }

    async fn read_if_changed(&self) -> Result<(), RegistryError> {
        let version = self.registry.version().await?;
        if self.loaded().is_some_and(|loaded| loaded.version == version) {
            return Ok(());
        }
        let loaded = Loaded::index(self.registry.snapshot().await?);
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(loaded));
        Ok(())
    }
}

impl Loaded {
    fn index(snapshot: RegistrySnapshot) -> Self {
        let tenants: Vec<_> =
            snapshot.tenants.into_iter().filter(|tenant| tenant.revoked_at.is_none()).collect();
        let lives = |id: &TenantId| tenants.iter().any(|tenant| tenant.id == *id);
        let sources: HashMap<_, _> = snapshot
            .sources
            .into_iter()
            .filter(|source| source.revoked_at.is_none() && lives(&source.tenant))
            .map(|source| (source.id.clone(), Arc::new(source)))
            .collect();
        let keys = snapshot
            .keys
            .into_iter()
            .map(|key| {
                let is_revoked = key.revoked_at.is_some()
                    || key.tenant.as_ref().is_some_and(|tenant| !lives(tenant))
                    || key.source.as_ref().is_some_and(|source| !sources.contains_key(source));
                (key.id.clone(), LoadedKey::new(key, is_revoked))
            })
            .collect();
        Self { version: snapshot.version, keys, sources, tenants }
    }

    /// `None` when the key's id is not known; the secret is compared all the same, so that the time tells nothing.
    fn check(&self, presented: &PresentedKey) -> Option<Result<Principal, AuthError>> {
        let known = self.keys.get(&presented.id);
        let expected = known.map_or([0; 32], |key| key.secret_sha256);
        let is_right = bool::from(expected.ct_eq(&presented.secret_sha256));
        let key = known?;
        Some(match (is_right, key.is_revoked) {
            (false, _) => Err(AuthError::Unknown),
            (true, true) => Err(AuthError::Revoked),
            (true, false) => Ok(key.principal.clone()),
        })
    }
}

impl LoadedKey {
    fn new(key: ApiKey, is_revoked: bool) -> Self {
        let principal = Principal { key: key.id, tenant: key.tenant, source: key.source, scope: key.scope };
        Self { secret_sha256: key.secret_sha256, is_revoked, principal }
    }
}
