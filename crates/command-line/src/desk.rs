//! The stores the commands work on, and how entries of the registry are made.

use std::sync::Arc;

use anyhow::ensure;
use console::registrar::{self, RegistrarError};
use console::replay::Replayer;
use domain::id::{SourceId, TenantId};
use domain::registry::{Scope, Source, SourceKind, Tenant, Trade};
use http_kit::key::{NewKey, issue_key};
use ports::audit::AuditLog;
use ports::bus::EventBus;
use ports::clock::{Clock as _, SystemClock};
use ports::ledger::LedgerReader;
use ports::quarantine::QuarantineStore;
use ports::registry::{Registry, RegistryError};
use ports::sources::SourceWatch;
use ports::subjects::SubjectReader;
use privacy::Vault;
use reqwest::Url;

pub use console::registrar::NewSource;
pub(crate) use console::registrar::mapping_of;

/// Everything the commands work on, opened.
#[derive(Clone)]
pub struct Desk {
    /// Tenants, sources, keys.
    pub registry: Arc<dyn Registry>,
    /// The books.
    pub ledger: Arc<dyn LedgerReader>,
    /// Who is who.
    pub subjects: Arc<dyn SubjectReader>,
    /// What could not be understood.
    pub quarantine: Arc<dyn QuarantineStore>,
    /// Who opened what was sealed.
    pub audit: Arc<dyn AuditLog>,
    /// How sources are doing.
    pub sources: Arc<dyn SourceWatch>,
    /// Where replays are published, and what was accepted.
    pub bus: Arc<dyn EventBus>,
    /// Seals the secrets of sources, opens bodies.
    pub vault: Arc<Vault>,
}

impl Desk {
    pub(crate) fn replayer(&self) -> Replayer<'_> {
        Replayer { bus: &*self.bus, quarantine: &*self.quarantine, vault: &self.vault }
    }

    /// Adds a tenant.
    ///
    /// # Errors
    /// As [`Registry::add_tenant`]; [`RegistryError::Exists`] where the id is taken.
    pub async fn add_tenant(&self, id: &TenantId, name: &str, trade: Trade) -> Result<(), RegistryError> {
        let (id, name) = (id.clone(), name.to_owned());
        let tenant = Tenant { id, name, trade, created_at: SystemClock.now(), revoked_at: None };
        self.registry.add_tenant(&tenant).await
    }

    /// Adds a source; gives back its secret, too, which is not shown again.
    ///
    /// # Errors
    /// As [`Registry::add_source`]; the messenger makes its secrets itself and none was given; or the machine has no
    /// randomness to give.
    pub async fn add_source(&self, new: NewSource) -> anyhow::Result<(Source, String)> {
        let made = registrar::add_source(&*self.registry, &self.vault, new, SystemClock.now()).await;
        made.map_err(told)
    }

    /// Gives a source a second secret, which is live beside the last one; gives both back.
    ///
    /// # Errors
    /// As [`Self::add_source`]; [`RegistryError::NotFound`] where there is no such source.
    pub async fn add_secret(
        &self,
        id: &SourceId,
        secret: Option<String>,
    ) -> anyhow::Result<(Source, String)> {
        let sources = self.registry.snapshot().await?.sources;
        let source = sources.into_iter().find(|source| source.id == *id).ok_or(RegistryError::NotFound)?;
        let made =
            registrar::add_secret(&*self.registry, &self.vault, &source, secret, SystemClock.now()).await;
        Ok((source, made.map_err(told)?))
    }

    /// Has the deliveries of a source passed on to this bot from now on, or to none.
    ///
    /// # Errors
    /// As [`Registry::set_forward`]; or a bot's answers say nothing to this kind of messenger.
    pub async fn forward(&self, id: &SourceId, to: Option<&Url>) -> anyhow::Result<()> {
        if to.is_some() {
            let sources = self.registry.snapshot().await?.sources;
            let source = sources.iter().find(|source| source.id == *id).ok_or(RegistryError::NotFound)?;
            can_forward(source.kind)?;
        }
        let sealed = to.map(|to| self.vault.seal_secret(id, to.as_str().as_bytes()));
        Ok(self.registry.set_forward(id, sealed.as_ref()).await?)
    }

    /// The bot a source's deliveries are passed on to.
    #[must_use]
    pub fn forwards_to(&self, source: &Source) -> Option<Url> {
        let address = self.vault.open_secret(&source.id, source.forward_to.as_ref()?).ok()?;
        Url::parse(std::str::from_utf8(&address).ok()?).ok()
    }

    /// Adds a key of a tenant; for [`Scope::Ingest`], of one of its sources.
    ///
    /// # Errors
    /// As [`issue_key`] and [`Registry::add_key`].
    pub async fn add_key(
        &self,
        scope: Scope,
        tenant: &TenantId,
        source: Option<&SourceId>,
    ) -> anyhow::Result<NewKey> {
        let made = issue_key(scope, Some(tenant.clone()), source.cloned(), String::new(), SystemClock.now())?;
        self.registry.add_key(&made.key).await?;
        Ok(made)
    }
}

/// Only where the answer to a delivery can say something is there anything to pass back.
pub(crate) fn can_forward(kind: SourceKind) -> anyhow::Result<()> {
    ensure!(
        channels::can_answer(kind),
        "deliveries of {kind} are not passed on: an answer to them says nothing to a client"
    );
    Ok(())
}

/// What is missing is said as it is given here.
fn told(error: RegistrarError) -> anyhow::Error {
    let asks = matches!(error, RegistrarError::SecretNeeded);
    let error = anyhow::Error::from(error);
    if asks { error.context("give it with --secret, or --secret - to type it") } else { error }
}
