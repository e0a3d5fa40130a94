//! What is derived from the master keys for each tenant and use.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, RwLock};

use domain::event::{Digest, Sealed};
use domain::id::{SourceId, TenantId};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::master::{Generation, MasterKeys};
use crate::seal::{ContactSeals, OpenError, SealingKey};

/// The tenants' keys, derived on first use and kept in memory.
///
/// New seals are made under the current master key; those made under any other one of the file still open. Pseudonyms
/// and digests hang on the key for names, which stays. Contacts open where the secret half of their key is in the file,
/// which of services it is not.
pub struct Vault {
    masters: MasterKeys,
    tenants: RwLock<HashMap<TenantId, Arc<TenantKeys>>>,
    secrets: Vec<SealingKey>,
}

impl Vault {
    /// A vault over these master keys.
    #[must_use]
    pub fn new(masters: MasterKeys) -> Self {
        let secrets = sealing_keys(&masters, &[b"source secrets"]);
        Self { masters, tenants: RwLock::default(), secrets }
    }

    /// The master keys it is over.
    #[must_use]
    pub const fn masters(&self) -> &MasterKeys {
        &self.masters
    }

    /// The keys of a tenant.
    #[must_use]
    pub fn tenant(&self, tenant: &TenantId) -> Arc<TenantKeys> {
        // A poisoned lock only says that another thread panicked; the map itself is whole.
        let known = self.tenants.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(keys) = known.get(tenant) {
            return Arc::clone(keys);
        }
        drop(known);
        let keys = Arc::new(TenantKeys::derive(&self.masters, tenant));
        let mut tenants = self.tenants.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(tenants.entry(tenant.clone()).or_insert(keys))
    }

    /// Seals the secret of a source, for the registry.
    #[must_use]
    pub fn seal_secret(&self, source: &SourceId, secret: &[u8]) -> Sealed {
        SealingKey::seal(&self.secrets, source.as_str().as_bytes(), secret)
    }

    /// Opens what [`Self::seal_secret`] sealed.
    pub fn open_secret(&self, source: &SourceId, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        SealingKey::open(&self.secrets, source.as_str().as_bytes(), sealed).map(Zeroizing::new)
    }

    /// The same secret under the current master key; nothing where it is under that one already.
    pub fn reseal_secret(&self, source: &SourceId, sealed: &Sealed) -> Result<Option<Sealed>, OpenError> {
        SealingKey::reseal(&self.secrets, source.as_str().as_bytes(), sealed)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

/// The key new seals are made under first, and then all others that open.
fn sealing_keys(masters: &MasterKeys, path: &[&[u8]]) -> Vec<SealingKey> {
    let path: Vec<&[u8]> = [b"seal".as_slice()].into_iter().chain(path.iter().copied()).collect();
    let key_of = |generation: &Generation| SealingKey::new(generation.id(), &generation.key.derive(&path));
    masters.generations().map(key_of).collect()
}

/// What one tenant's data is pseudonymised and sealed with.
pub struct TenantKeys {
    mac: Hmac<Sha256>,
    pub(crate) bodies: Vec<SealingKey>,
    pub(crate) details: Vec<SealingKey>,
    pub(crate) contacts: ContactSeals,
}

impl TenantKeys {
    fn derive(masters: &MasterKeys, tenant: &TenantId) -> Self {
        let tenant = tenant.as_str().as_bytes();
        let purpose_of_contacts: [&[u8]; 2] = [b"contacts", tenant];
        let mac = masters.names().derive::<32>(&[b"mac", tenant]);
        let sealing = |purpose: &[u8]| sealing_keys(masters, &[purpose, tenant]);
        Self {
            mac: Hmac::new_from_slice(mac.as_slice()).expect("HMAC takes keys of any length"),
            bodies: sealing(b"bodies"),
            details: sealing(b"details"),
            contacts: ContactSeals::new(masters, sealing(b"contacts"), &purpose_of_contacts),
        }
    }

    /// A keyed digest (HMAC-SHA-256) of some parts, apart from every other `domain`.
    #[must_use]
    pub fn digest(&self, domain: &'static str, parts: &[&[u8]]) -> Digest {
        // Starting from a copy of the keyed state saves the two key blocks each time.
        let mut mac = self.mac.clone();
        for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        Digest::from_bytes(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for TenantKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TenantKeys(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MasterKey;

    fn vault(byte: u8) -> Vault {
        Vault::new(MasterKeys::of_one(MasterKey::from_bytes([byte; 32])))
    }

    fn tenant(name: &str) -> TenantId {
        TenantId::parse(name).unwrap()
    }

    #[test]
    fn digests_differ_by_tenant_by_master_by_domain_and_by_where_parts_end() {
        let one = vault(1);
        let digest =
            |vault: &Vault, name, domain, parts: &[&[u8]]| vault.tenant(&tenant(name)).digest(domain, parts);
        let base = digest(&one, "a", "phone", &[b"ab", b"c"]);
        assert_eq!(base, digest(&vault(1), "a", "phone", &[b"ab", b"c"]));
        assert_ne!(base, digest(&one, "b", "phone", &[b"ab", b"c"]));
        assert_ne!(base, digest(&vault(2), "a", "phone", &[b"ab", b"c"]));
        assert_ne!(base, digest(&one, "a", "email", &[b"ab", b"c"]));
        assert_ne!(base, digest(&one, "a", "phone", &[b"a", b"bc"]));
    }

    #[test]
    fn a_source_secret_opens_for_its_source_only() {
        let (bot, other) = (SourceId::parse("bot").unwrap(), SourceId::parse("other").unwrap());
        let sealed = vault(1).seal_secret(&bot, b"token");
        assert_eq!(**vault(1).open_secret(&bot, &sealed).unwrap(), *b"token");
        assert!(vault(1).open_secret(&other, &sealed).is_err());
        assert!(vault(2).open_secret(&bot, &sealed).is_err());
    }

    #[test]
    fn nothing_prints_a_key() {
        let keys = vault(7);
        let printed = format!("{:?} {:?}", keys, keys.tenant(&tenant("a")));
        assert_eq!(printed, "Vault(…) TenantKeys(…)");
    }
}
