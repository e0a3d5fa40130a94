//! The key contacts are sealed to: whoever has its public half seals, whoever has the secret half opens.
//!
//! It is a key of X25519, used as HPKE says in base mode (RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, export only).
//! An encapsulation to the public half gives a secret that the secret half finds again; what is done with it is in
//! [`crate::seal`].

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hpke::aead::ExportOnlyAead;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{
    Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _, setup_receiver, setup_sender_with_rng,
};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use super::{KeyError, MasterKey, MasterKeyId};
use crate::seal::OpenError;

type PublicHalf = <X25519HkdfSha256 as Kem>::PublicKey;
type SecretHalf = <X25519HkdfSha256 as Kem>::PrivateKey;
type EncapsulatedKey = <X25519HkdfSha256 as Kem>::EncappedKey;

/// What stands before a public half in a key file.
const PUBLIC: &str = "public:";
/// What the secrets of encapsulations are for, and in which version of it.
const INFO: &[u8] = b"letopis contacts v2";

/// A key for contacts: both halves, or the public one.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactsKey {
    id: MasterKeyId,
    public: PublicHalf,
    /// Forgets itself when it is dropped.
    secret: Option<SecretHalf>,
}

/// A secret, and what the holder of the secret half finds it by.
pub(crate) struct Encapsulation {
    pub(crate) secret: Zeroizing<[u8; 32]>,
    pub(crate) encapsulated: [u8; Self::LENGTH],
}

impl Encapsulation {
    pub(crate) const LENGTH: usize = 32;
}

impl ContactsKey {
    /// A new key, both halves of it.
    pub fn generate() -> Result<Self, KeyError> {
        Self::of_secret(&MasterKey::generate()?)
    }

    /// Reads what [`Self::to_text`] wrote.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let Some(public) = text.strip_prefix(PUBLIC) else {
            return Self::of_secret(&MasterKey::parse(text)?);
        };
        let bytes = URL_SAFE_NO_PAD.decode(public).map_err(|_not_base64| KeyError::Malformed)?;
        let public = PublicHalf::from_bytes(&bytes).map_err(|_wrong_length| KeyError::Malformed)?;
        let key = Self::new(public, None);
        // A few points of the curve give everybody the same secret. Better refused when the file is read.
        key.encapsulate(b"").map(|_fine| key).ok_or(KeyError::Malformed)
    }

    fn of_secret(bytes: &MasterKey) -> Result<Self, KeyError> {
        let secret = SecretHalf::from_bytes(bytes.as_bytes()).map_err(|_wrong_length| KeyError::Malformed)?;
        Ok(Self::new(X25519HkdfSha256::sk_to_pk(&secret), Some(secret)))
    }

    fn new(public: PublicHalf, secret: Option<SecretHalf>) -> Self {
        let digest =
            Sha256::new().chain_update(b"letopis contacts key id").chain_update(public.to_bytes()).finalize();
        let (id, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
        Self { id: MasterKeyId::from_bytes(*id), public, secret }
    }

    /// The key as text: the secret half where it is here.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let text = match &self.secret {
            Some(secret) => {
                let mut bytes = secret.to_bytes();
                let text = URL_SAFE_NO_PAD.encode(bytes);
                bytes.zeroize();
                text
            }
            None => format!("{PUBLIC}{}", URL_SAFE_NO_PAD.encode(self.public.to_bytes())),
        };
        Zeroizing::new(text)
    }

    /// The same key without its secret half.
    #[must_use]
    pub fn public_half(&self) -> Self {
        Self { secret: None, ..self.clone() }
    }

    /// Its name, made from the public half.
    #[must_use]
    pub const fn id(&self) -> MasterKeyId {
        self.id
    }

    /// Whether the secret half is here.
    #[must_use]
    pub const fn opens(&self) -> bool {
        self.secret.is_some()
    }

    /// A new secret for a use. There is none for a public half that [`Self::parse`] refuses.
    pub(crate) fn encapsulate(&self, used_for: &[u8]) -> Option<Encapsulation> {
        let (encapsulated, context) = setup_sender_with_rng::<ExportOnlyAead, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &self.public,
            INFO,
            &mut rand::rng(),
        )
        .ok()?;
        let mut secret = Zeroizing::new([0; 32]);
        context.export(used_for, secret.as_mut_slice()).ok()?;
        Some(Encapsulation { secret, encapsulated: encapsulated.to_bytes().into() })
    }

    /// The secret of an encapsulation for the same use. For another use it is another one.
    pub(crate) fn decapsulate(
        &self,
        encapsulated: &[u8; Encapsulation::LENGTH],
        used_for: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, OpenError> {
        let secret_half = self.secret.as_ref().ok_or(OpenError::OnlySeals)?;
        let encapsulated =
            EncapsulatedKey::from_bytes(encapsulated).map_err(|_no_point| OpenError::Broken)?;
        let context = setup_receiver::<ExportOnlyAead, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            secret_half,
            &encapsulated,
            INFO,
        )
        .map_err(|_no_secret| OpenError::Broken)?;
        let mut secret = Zeroizing::new([0; 32]);
        context.export(used_for, secret.as_mut_slice()).map_err(|_too_long| OpenError::Broken)?;
        Ok(secret)
    }
}

impl fmt::Debug for ContactsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.opens() { "ContactsKey(…)" } else { "ContactsKey(public …)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_its_public_half_has_its_name_and_not_its_secret() {
        let key = ContactsKey::generate().unwrap();
        assert!(ContactsKey::parse(&key.to_text()).unwrap() == key);
        let public = key.public_half();
        assert!(ContactsKey::parse(&public.to_text()).unwrap() == public && public != key);
        assert_eq!((public.id(), public.opens()), (key.id(), false));
        assert_ne!(key.id(), ContactsKey::generate().unwrap().id());
    }

    #[test]
    fn an_encapsulation_is_opened_by_the_secret_half_for_the_same_use_only() {
        let key = ContactsKey::generate().unwrap();
        let made = key.public_half().encapsulate(b"one").unwrap();
        assert_eq!(key.decapsulate(&made.encapsulated, b"one").unwrap(), made.secret);
        assert_ne!(key.decapsulate(&made.encapsulated, b"other").unwrap(), made.secret);
        assert!(matches!(
            key.public_half().decapsulate(&made.encapsulated, b"one"),
            Err(OpenError::OnlySeals)
        ));
        assert!(matches!(key.decapsulate(&[0; 32], b"one"), Err(OpenError::Broken)));
    }
}
