//! Sealing: XChaCha20-Poly1305 under a key that is named in front.
//!
//! A sealed text is `1 | key id (8) | nonce (24) | ciphertext and tag`. The nonce is random; 192 bits are wide enough
//! for that (draft-irtf-cfrg-xchacha-03, section 3.1). The associated data is the id the text belongs to.
//!
//! A contact is `2 | key id (8) | encapsulated key (32) | nonce (24) | ciphertext and tag` where its generation has a key for
//! contacts ([`contact`]): then who seals it cannot open it.

mod contact;
mod xchacha;

use domain::event::Sealed;
use domain::id::{EventId, ReceiptId};
use domain::observation::Contact;
use event_schema::sealed::{Details, contact_from_json, contact_to_json};
use rand::Rng as _;
use zeroize::Zeroizing;

use crate::key::TenantKeys;
use crate::master::MasterKeyId;
use xchacha::{NONCE, TAG};

pub(crate) use contact::{ContactResealed, ContactSeals};

const VERSION: u8 = 1;
const KEY_ID: usize = MasterKeyId::LENGTH;

/// Why a sealed text does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is shorter than a seal or of a later version.
    #[error("not a sealed text of a version known here")]
    Malformed,
    /// It was sealed under a key that is not here.
    #[error("sealed under a key that is not known here")]
    UnknownKey,
    /// It is a contact, and of its key only the public half is here.
    #[error(
        "a contact is sealed here and opened elsewhere: the secret half of its key is not in this key file"
    )]
    OnlySeals,
    /// It was changed, or belongs elsewhere.
    #[error("the seal is broken: the text was changed or belongs elsewhere")]
    Broken,
    /// It opened, and what was inside cannot be read.
    #[error("what was sealed cannot be read")]
    Content(#[source] serde_json::Error),
}

/// A key for one tenant and one use, with the id of the master key it comes from.
pub(crate) struct SealingKey {
    id: MasterKeyId,
    key: Zeroizing<[u8; 32]>,
}

impl SealingKey {
    pub(crate) fn new(id: MasterKeyId, key: &[u8; 32]) -> Self {
        Self { id, key: Zeroizing::new(*key) }
    }

    /// Seals under the first of `keys`.
    pub(crate) fn seal(keys: &[Self], belongs_to: &[u8], content: &[u8]) -> Sealed {
        let key = keys.first().expect("a vault has a current key");
        with_head(VERSION, key.id, &[], &key.key, belongs_to, content)
    }

    /// Opens under the one of `keys` that is named in front.
    pub(crate) fn open(keys: &[Self], belongs_to: &[u8], sealed: &Sealed) -> Result<Vec<u8>, OpenError> {
        let (id, rest) = named(VERSION, sealed)?;
        let key = keys.iter().find(|key| key.id == id).ok_or(OpenError::UnknownKey)?;
        open_rest(rest, &key.key, belongs_to)
    }

    pub(crate) fn is_current(keys: &[Self], sealed: &Sealed) -> bool {
        let Ok((id, _rest)) = named(VERSION, sealed) else { return false };
        keys.first().is_some_and(|current| current.id == id)
    }

    /// The same content under the first of `keys`; nothing where it is under that one already.
    pub(crate) fn reseal(
        keys: &[Self],
        belongs_to: &[u8],
        sealed: &Sealed,
    ) -> Result<Option<Sealed>, OpenError> {
        if Self::is_current(keys, sealed) {
            return Ok(None);
        }
        let content = Zeroizing::new(Self::open(keys, belongs_to, sealed)?);
        Ok(Some(Self::seal(keys, belongs_to, &content)))
    }
}

/// Seals under `key`; in front stand the version, the id and what else finds the key.
fn with_head(
    version: u8,
    id: MasterKeyId,
    finds_key: &[u8],
    key: &[u8; 32],
    belongs_to: &[u8],
    content: &[u8],
) -> Sealed {
    let mut nonce = [0; NONCE];
    // The thread's own generator, seeded by the operating system and seeded anew every 64 KiB: a system call for each
    // nonce cost as much as the cipher.
    rand::rng().fill_bytes(&mut nonce);
    let head = 1 + KEY_ID + finds_key.len() + NONCE;
    let mut sealed = Vec::with_capacity(head + content.len() + TAG);
    sealed.push(version);
    sealed.extend_from_slice(id.as_bytes());
    sealed.extend_from_slice(finds_key);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(content);
    let tag = xchacha::encrypt(key, &nonce, belongs_to, &mut sealed[head..]);
    sealed.extend_from_slice(&tag);
    Sealed::from_bytes(sealed)
}

/// The id of the key a sealed text of this version names, and what stands behind it.
fn named(version: u8, sealed: &Sealed) -> Result<(MasterKeyId, &[u8]), OpenError> {
    let (&found, rest) = sealed.as_bytes().split_first().ok_or(OpenError::Malformed)?;
    let (id, rest) = rest.split_first_chunk().ok_or(OpenError::Malformed)?;
    if found != version {
        return Err(OpenError::Malformed);
    }
    Ok((MasterKeyId::from_bytes(*id), rest))
}

/// Opens nonce, ciphertext and tag.
fn open_rest(rest: &[u8], key: &[u8; 32], belongs_to: &[u8]) -> Result<Vec<u8>, OpenError> {
    let (nonce, ciphertext) = rest.split_first_chunk().ok_or(OpenError::Malformed)?;
    xchacha::decrypt(key, nonce, belongs_to, ciphertext.to_vec()).ok_or(OpenError::Broken)
}

impl TenantKeys {
    /// Seals the bytes of a delivery.
    #[must_use]
    pub fn seal_body(&self, receipt: ReceiptId, body: &[u8]) -> Sealed {
        SealingKey::seal(&self.bodies, receipt.as_bytes(), body)
    }

    /// Opens the bytes of a delivery.
    pub fn open_body(&self, receipt: ReceiptId, sealed: &Sealed) -> Result<Vec<u8>, OpenError> {
        SealingKey::open(&self.bodies, receipt.as_bytes(), sealed)
    }

    pub(crate) fn seal_details(&self, event: EventId, details: &Details) -> Sealed {
        SealingKey::seal(&self.details, event.as_bytes(), &details.to_json())
    }

    /// Opens the texts of an event, to show them to its tenant.
    pub fn open_details(&self, event: EventId, sealed: &Sealed) -> Result<Details, OpenError> {
        let json = SealingKey::open(&self.details, event.as_bytes(), sealed)?;
        Details::from_json(&json).map_err(OpenError::Content)
    }

    pub(crate) fn seal_contact(&self, event: EventId, contact: &Contact) -> Sealed {
        self.contacts.seal(event.as_bytes(), &Zeroizing::new(contact_to_json(contact)))
    }

    /// Opens the contact of an event, to write it into the tenant's CRM: with the secret half of its key only.
    pub fn open_contact(&self, event: EventId, sealed: &Sealed) -> Result<Contact, OpenError> {
        let json = self.contacts.open(event.as_bytes(), sealed)?;
        contact_from_json(&json).map_err(OpenError::Content)
    }
}

#[cfg(test)]
mod tests {
    use domain::id::TenantId;
    use proptest::prelude::*;

    use super::*;
    use crate::{MasterKeys, Vault};

    /// What stands before the ciphertext.
    const HEAD: usize = 1 + KEY_ID + NONCE;

    fn vault() -> Vault {
        Vault::new(MasterKeys::parse(&"A".repeat(43)).unwrap())
    }

    fn tenant(name: &str) -> TenantId {
        TenantId::parse(name).unwrap()
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_for_its_receipt_and_tenant_and_for_no_other(body in any::<Vec<u8>>()) {
            let (vault, receipt) = (vault(), ReceiptId::generate());
            let sealed = vault.tenant(&tenant("a")).seal_body(receipt, &body);
            prop_assert_eq!(vault.tenant(&tenant("a")).open_body(receipt, &sealed).unwrap(), body);
            prop_assert!(vault.tenant(&tenant("b")).open_body(receipt, &sealed).is_err());
            prop_assert!(vault.tenant(&tenant("a")).open_body(ReceiptId::generate(), &sealed).is_err());
        }

        #[test]
        fn a_seal_with_any_bit_changed_does_not_open(bit in 0_usize..8 * (HEAD + TAG + 4)) {
            let (vault, receipt) = (vault(), ReceiptId::generate());
            let keys = vault.tenant(&tenant("a"));
            let mut bytes = keys.seal_body(receipt, b"text").into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(keys.open_body(receipt, &Sealed::from_bytes(bytes)).is_err());
        }

        #[test]
        fn garbage_does_not_open_and_does_not_panic(bytes in any::<Vec<u8>>()) {
            let keys = vault().tenant(&tenant("a"));
            prop_assert!(keys.open_body(ReceiptId::generate(), &Sealed::from_bytes(bytes)).is_err());
        }
    }

    #[test]
    fn a_body_and_a_contact_are_under_different_keys() {
        let (vault, receipt) = (vault(), ReceiptId::generate());
        let keys = vault.tenant(&tenant("a"));
        let sealed = keys.seal_body(receipt, b"{}");
        let event = EventId::from_uuid(*receipt.as_uuid());
        assert!(matches!(keys.open_contact(event, &sealed), Err(OpenError::Broken)));
    }

    #[test]
    fn sealing_the_same_twice_shows_nothing_alike() {
        let (vault, receipt) = (vault(), ReceiptId::generate());
        let keys = vault.tenant(&tenant("a"));
        let (one, two) = (keys.seal_body(receipt, b"text"), keys.seal_body(receipt, b"text"));
        assert_ne!(one.as_bytes()[1 + KEY_ID..], two.as_bytes()[1 + KEY_ID..]);
    }
}
