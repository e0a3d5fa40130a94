//! Keys: one master, and what is derived from it for each tenant and use.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::event::{Digest, Sealed};
use domain::id::{SourceId, TenantId};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use crate::seal::{OpenError, SealingKey};

/// The secret everything is derived from: 32 random bytes, written as 43 characters of base64url.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// Why a master key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is not a key.
    #[error("a master key is 43 characters of base64url, as written by `letopis` into its key file")]
    Malformed,
    /// The machine gives no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandomness,
}

impl MasterKey {
    /// A new key.
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_no_entropy| KeyError::NoRandomness)?;
        Ok(Self(bytes))
    }

    /// Reads what [`Self::to_text`] wrote; space around it is ignored, for it comes from a file.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut decoded = URL_SAFE_NO_PAD.decode(text.trim()).map_err(|_not_base64| KeyError::Malformed)?;
        let bytes = <[u8; 32]>::try_from(decoded.as_slice()).map_err(|_wrong_length| KeyError::Malformed)?;
        decoded.zeroize();
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// The key as text, for its file.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0.as_slice()))
    }

    fn derive<const N: usize>(&self, path: &[&[u8]]) -> Zeroizing<[u8; N]> {
        let mut key = Zeroizing::new([0; N]);
        // Parts are length-prefixed, or ("ab", "c") and ("a", "bc") would be one key.
        let info: Vec<u8> = path.iter().flat_map(|part| length_prefixed(part)).collect();
        Hkdf::<Sha256>::new(Some(b"letopis v1"), self.0.as_slice())
            .expand(&info, key.as_mut_slice())
            .expect("HKDF-SHA-256 gives up to 8160 bytes, and less is asked for");
        key
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

fn length_prefixed(part: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
    length.to_be_bytes().into_iter().chain(part.iter().copied())
}

/// The tenants' keys, derived on first use and kept in memory.
///
/// New pseudonyms and seals are made under the current master key; seals made under a previous one still open.
pub struct Vault {
    current: MasterKey,
    previous: Vec<MasterKey>,
    tenants: RwLock<HashMap<TenantId, Arc<TenantKeys>>>,
    secrets: Vec<SealingKey>,
}

impl Vault {
    /// A vault over the current master key and the ones before it.
    #[must_use]
    pub fn new(current: MasterKey, previous: Vec<MasterKey>) -> Self {
        let secrets = sealing_keys(&current, &previous, &[b"source secrets"]);
        Self { current, previous, tenants: RwLock::default(), secrets }
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
        let keys = Arc::new(TenantKeys::derive(&self.current, &self.previous, tenant));
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
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

fn sealing_keys(current: &MasterKey, previous: &[MasterKey], path: &[&[u8]]) -> Vec<SealingKey> {
    let path: Vec<&[u8]> = [b"seal".as_slice()].into_iter().chain(path.iter().copied()).collect();
    let key_of = |master: &MasterKey| SealingKey::new(*master.derive(&[b"key id"]), &master.derive(&path));
    std::iter::once(current).chain(previous).map(key_of).collect()
}

/// What one tenant's data is pseudonymised and sealed with.
pub struct TenantKeys {
    mac: Hmac<Sha256>,
    pub(crate) bodies: Vec<SealingKey>,
    pub(crate) details: Vec<SealingKey>,
    pub(crate) contacts: Vec<SealingKey>,
}

impl TenantKeys {
    fn derive(current: &MasterKey, previous: &[MasterKey], tenant: &TenantId) -> Self {
        let tenant = tenant.as_str().as_bytes();
        let mac = current.derive::<32>(&[b"mac", tenant]);
        let sealing = |purpose: &[u8]| sealing_keys(current, previous, &[purpose, tenant]);
        Self {
            mac: Hmac::new_from_slice(mac.as_slice()).expect("HMAC takes keys of any length"),
            bodies: sealing(b"bodies"),
            details: sealing(b"details"),
            contacts: sealing(b"contacts"),
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

    fn vault(byte: u8) -> Vault {
        Vault::new(MasterKey(Zeroizing::new([byte; 32])), Vec::new())
    }

    fn tenant(name: &str) -> TenantId {
        TenantId::parse(name).unwrap()
    }

    #[test]
    fn a_master_key_reads_back_from_its_file() {
        let key = MasterKey::generate().unwrap();
        let text = format!("{}\n", *key.to_text());
        assert_eq!(MasterKey::parse(&text).unwrap().0, key.0);
        for wrong in ["", "short", "!!!!", &"A".repeat(44)] {
            assert!(MasterKey::parse(wrong).is_err(), "{wrong:?}");
        }
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
    fn a_source_secret_opens_for_its_source_only_and_still_after_the_master_changed() {
        let source = SourceId::parse("bot").unwrap();
        let old = MasterKey::generate().unwrap();
        let sealed = Vault::new(old.clone(), Vec::new()).seal_secret(&source, b"token");
        let rotated = Vault::new(MasterKey::generate().unwrap(), vec![old]);
        assert_eq!(**rotated.open_secret(&source, &sealed).unwrap(), *b"token");
        assert!(rotated.open_secret(&SourceId::parse("other").unwrap(), &sealed).is_err());
        assert!(vault(1).open_secret(&source, &sealed).is_err());
    }

    #[test]
    fn nothing_prints_a_key() {
        let keys = vault(7);
        let printed = format!("{:?} {:?} {:?}", keys, keys.tenant(&tenant("a")), keys.current);
        assert_eq!(printed, "Vault(…) TenantKeys(…) MasterKey(…)");
    }
}
