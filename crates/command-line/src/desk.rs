//! The stores the commands work on, and how entries of the registry are made.

use std::num::NonZeroU32;
use std::sync::Arc;

use anyhow::bail;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::id::{SourceId, TenantId};
use domain::registry::{Scope, Source, SourceKind, SourceSecret, Tenant};
use http_kit::key::{NewKey, issue_key};
use ports::bus::EventBus;
use ports::clock::{Clock as _, SystemClock};
use ports::ledger::LedgerReader;
use ports::quarantine::QuarantineStore;
use ports::registry::{Registry, RegistryError};
use privacy::{MasterKey, Vault};

/// Everything the commands work on, opened.
#[derive(Clone)]
pub struct Desk {
    /// Tenants, sources, keys.
    pub registry: Arc<dyn Registry>,
    /// The books.
    pub ledger: Arc<dyn LedgerReader>,
    /// What could not be understood.
    pub quarantine: Arc<dyn QuarantineStore>,
    /// Where replays are published, and what was accepted.
    pub bus: Arc<dyn EventBus>,
    /// Seals the secrets of sources, opens bodies.
    pub vault: Arc<Vault>,
}

/// A source to be added.
#[derive(Clone, Debug)]
pub struct NewSource {
    /// Its id, unique over all tenants.
    pub id: SourceId,
    /// Whose.
    pub tenant: TenantId,
    /// What it speaks.
    pub kind: SourceKind,
    /// The secret, where the messenger made it; otherwise one is made.
    pub secret: Option<String>,
    /// Its name for people; by default the id.
    pub name: Option<String>,
    /// Events a second it may send on average; `None` is the gateway's default.
    pub rate_limit: Option<NonZeroU32>,
}

impl NewSource {
    /// A source called by its id, with the gateway's default rate.
    #[must_use]
    pub fn new(tenant: &TenantId, id: &SourceId, kind: SourceKind) -> Self {
        Self { id: id.clone(), tenant: tenant.clone(), kind, secret: None, name: None, rate_limit: None }
    }
}

impl Desk {
    /// Adds a tenant.
    ///
    /// # Errors
    /// As [`Registry::add_tenant`]; [`RegistryError::Exists`] where the id is taken.
    pub async fn add_tenant(&self, id: &TenantId, name: &str) -> Result<(), RegistryError> {
        let (id, name) = (id.clone(), name.to_owned());
        let tenant = Tenant { id, name, created_at: SystemClock.now(), revoked_at: None };
        self.registry.add_tenant(&tenant).await
    }

    /// Adds a source; gives back its secret, too, which is not shown again.
    ///
    /// # Errors
    /// As [`Registry::add_source`]; the messenger makes its secrets itself and none was given; or the machine has no
    /// randomness to give.
    pub async fn add_source(&self, new: NewSource) -> anyhow::Result<(Source, String)> {
        let NewSource { id, tenant, kind, secret, name, rate_limit } = new;
        let secret = match secret {
            Some(secret) => secret,
            None => new_secret(kind)?,
        };
        let now = SystemClock.now();
        let sealed = self.vault.seal_secret(&id, secret.as_bytes());
        let source = Source {
            name: name.unwrap_or_else(|| id.to_string()),
            id,
            tenant,
            kind,
            secrets: vec![SourceSecret { sealed, created_at: now }],
            rate_limit,
            created_at: now,
            revoked_at: None,
        };
        self.registry.add_source(&source).await?;
        Ok((source, secret))
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
        let secret = match secret {
            Some(secret) => secret,
            None => new_secret(source.kind)?,
        };
        let sealed = self.vault.seal_secret(id, secret.as_bytes());
        self.registry.add_secret(id, &SourceSecret { sealed, created_at: SystemClock.now() }).await?;
        Ok((source, secret))
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

/// A secret in the form its messenger wants: letters and digits that every one of them takes, for our own events the form
/// of Standard Webhooks.
fn new_secret(kind: SourceKind) -> anyhow::Result<String> {
    let key = MasterKey::generate()?;
    Ok(match kind {
        SourceKind::Whatsapp | SourceKind::Instagram => bail!(
            "Meta signs with the secret of your app (App settings, Basic): give it with --secret, or --secret - to type it"
        ),
        SourceKind::Events => {
            format!("whsec_{}", STANDARD.encode(URL_SAFE_NO_PAD.decode(key.to_text().as_bytes())?))
        }
        _ => key.to_text().chars().filter(char::is_ascii_alphanumeric).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_for_a_messenger_is_what_all_of_them_take() {
        for kind in [SourceKind::Telegram, SourceKind::Vk, SourceKind::Max, SourceKind::Yclients] {
            let secret = new_secret(kind).unwrap();
            // VK takes at most 50 characters, MAX at least 5.
            assert!((20..=50).contains(&secret.len()), "{secret}");
            assert!(secret.chars().all(|c| c.is_ascii_alphanumeric()), "{secret}");
        }
    }

    #[test]
    fn the_secret_of_a_meta_app_is_asked_for() {
        for kind in [SourceKind::Whatsapp, SourceKind::Instagram] {
            assert!(new_secret(kind).unwrap_err().to_string().contains("--secret"));
        }
    }

    #[test]
    fn a_secret_for_our_events_is_one_of_standard_webhooks() {
        let secret = new_secret(SourceKind::Events).unwrap();
        let bytes = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        assert!((24..=64).contains(&bytes.len()));
    }
}
