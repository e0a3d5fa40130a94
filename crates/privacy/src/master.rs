//! The master keys: what everything else is derived from, and how one takes the place of another.
//!
//! There are two kinds, because they live for different times. The key for *names* makes pseudonyms, digests and ids of
//! events; it stays for as long as the data does, or every client would become a stranger and every resend a second
//! event. The key for *seals* is changed whenever its owner thinks it should be: what it sealed is sealed anew, and then
//! it is gone.
//!
//! What seals is a [`Generation`]: the key for seals and, beside it, the key for contacts, which has two halves
//! ([`contacts`]). A process that only seals has the public one.

pub mod contacts;
mod file;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::timestamp::Timestamp;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use self::contacts::ContactsKey;

/// One secret: 32 random bytes, written as 43 characters of base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// Names a master key without telling anything of it: what stands in front of each seal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MasterKeyId([u8; Self::LENGTH]);

/// Why a master key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is not a key.
    #[error("a master key is 43 characters of base64url, as written by `letopis` into its key file")]
    Malformed,
    /// A line of the file is none.
    #[error(
        "line {0} is not one of a key file: `names KEY`, `seals KEY`, `next KEY` or `opens SINCE KEY`, where a key is 43 \
         characters of base64url, and so is the key for contacts that may follow one for seals, or `public:` and 43"
    )]
    Line(usize),
    /// The file does not name each of the keys it must have just once.
    #[error("a key file has one line `names`, one `seals`, and at most one `next`")]
    Roles,
    /// The machine gives no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandomness,
}

/// Why the master keys do not change like that.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// There is a next key already.
    #[error("there is a next key already: promote it")]
    NextThere,
    /// There is no next key.
    #[error("there is no next key to promote")]
    NoNext,
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

    #[cfg(test)]
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as text.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0.as_slice()))
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> MasterKeyId {
        MasterKeyId(*self.derive(&[b"key id"]))
    }

    pub(crate) fn derive<const N: usize>(&self, path: &[&[u8]]) -> Zeroizing<[u8; N]> {
        let mut key = Zeroizing::new([0; N]);
        Hkdf::<Sha256>::new(Some(b"letopis v1"), self.0.as_slice())
            .expand(&joined(path), key.as_mut_slice())
            .expect("HKDF-SHA-256 gives up to 8160 bytes, and less is asked for");
        key
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Parts are length-prefixed, or ("ab", "c") and ("a", "bc") would be one key.
pub(crate) fn joined(path: &[&[u8]]) -> Vec<u8> {
    path.iter().flat_map(|part| length_prefixed(part)).collect()
}

fn length_prefixed(part: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
    length.to_be_bytes().into_iter().chain(part.iter().copied())
}

impl MasterKeyId {
    pub(crate) const LENGTH: usize = 8;

    pub(crate) const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What the key file holds ([`Self::parse`], [`Self::to_text`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterKeys {
    names: MasterKey,
    seals: Generation,
    next: Option<Generation>,
    former: Vec<Former>,
}

/// What seals until it is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// The key everything is sealed under, but contacts where they have one of their own.
    pub key: MasterKey,
    /// The key contacts are sealed to. Generations of earlier releases have none.
    pub contacts: Option<ContactsKey>,
}

/// A generation that seals nothing any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// What it seals with.
    pub generation: Generation,
    /// Since when another one seals.
    pub since: Timestamp,
}

impl Generation {
    /// A new one, which seals contacts and opens them.
    pub fn generate() -> Result<Self, KeyError> {
        Ok(Self { key: MasterKey::generate()?, contacts: Some(ContactsKey::generate()?) })
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> MasterKeyId {
        self.key.id()
    }

    /// Whether it opens every contact it seals.
    #[must_use]
    pub fn opens_contacts(&self) -> bool {
        self.contacts.as_ref().is_none_or(ContactsKey::opens)
    }

    fn for_services(self) -> Self {
        Self { contacts: self.contacts.map(|contacts| contacts.public_half()), ..self }
    }
}

/// As generations of earlier releases are.
impl From<MasterKey> for Generation {
    fn from(key: MasterKey) -> Self {
        Self { key, contacts: None }
    }
}

impl MasterKeys {
    /// New keys, one for names and a generation that seals.
    pub fn generate() -> Result<Self, KeyError> {
        let (names, seals) = (MasterKey::generate()?, Generation::generate()?);
        Ok(Self { names, seals, next: None, former: Vec::new() })
    }

    /// One key for both.
    #[must_use]
    pub fn of_one(key: MasterKey) -> Self {
        Self { names: key.clone(), seals: key.into(), next: None, former: Vec::new() }
    }

    /// Adds a generation that opens and does not seal yet: every process has to know it before the first one uses it.
    pub fn with_next(self, next: Generation) -> Result<Self, RotationError> {
        match self.next {
            Some(_) => Err(RotationError::NextThere),
            None => Ok(Self { next: Some(next), ..self }),
        }
    }

    /// From now on the next generation seals; the one that did only opens.
    pub fn promoted(self, now: Timestamp) -> Result<Self, RotationError> {
        let Self { names, seals, next, mut former } = self;
        let Some(next) = next else { return Err(RotationError::NoNext) };
        former.push(Former { generation: seals, since: now });
        Ok(Self { names, seals: next, next: None, former })
    }

    /// Without the generations that only open: what they sealed is lost from then on.
    #[must_use]
    pub fn retired(self) -> Self {
        Self { former: Vec::new(), ..self }
    }

    /// The same for a process that seals contacts and is not to open any: of their keys the public halves only.
    #[must_use]
    pub fn for_services(self) -> Self {
        let former = self.former.into_iter();
        let former = former.map(|former| Former { generation: former.generation.for_services(), ..former });
        Self {
            names: self.names,
            seals: self.seals.for_services(),
            next: self.next.map(Generation::for_services),
            former: former.collect(),
        }
    }

    /// Whether every contact sealed under these keys opens with them; services have such that only seal.
    #[must_use]
    pub fn opens_contacts(&self) -> bool {
        self.generations().all(Generation::opens_contacts)
    }

    /// The generations that only open.
    #[must_use]
    pub fn former(&self) -> &[Former] {
        &self.former
    }

    /// The generation that seals.
    #[must_use]
    pub const fn current(&self) -> &Generation {
        &self.seals
    }

    /// The generation that will seal.
    #[must_use]
    pub const fn next(&self) -> Option<&Generation> {
        self.next.as_ref()
    }

    pub(crate) const fn names(&self) -> &MasterKey {
        &self.names
    }

    /// Every generation, first the one that seals.
    pub(crate) fn generations(&self) -> impl Iterator<Item = &Generation> {
        let former = self.former.iter().map(|former| &former.generation);
        std::iter::once(&self.seals).chain(&self.next).chain(former)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generation(byte: u8) -> Generation {
        let contacts = Some(ContactsKey::parse(&MasterKey::from_bytes([byte; 32]).to_text()).unwrap());
        Generation { key: MasterKey::from_bytes([byte; 32]), contacts }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn generations_change_in_steps_and_the_key_for_names_stays() {
        let keys = MasterKeys::of_one(MasterKey::from_bytes([1; 32]));
        let (old, now) = (keys.current().clone(), at("2026-11-23T09:00:00Z"));
        assert_eq!(keys.clone().promoted(now).unwrap_err(), RotationError::NoNext);
        let introduced = keys.with_next(generation(2)).unwrap();
        assert_eq!(introduced.current(), &old);
        assert_eq!(introduced.clone().with_next(generation(3)).unwrap_err(), RotationError::NextThere);
        let promoted = introduced.promoted(now).unwrap();
        assert_eq!((promoted.names(), promoted.current()), (&old.key, &generation(2)));
        assert_eq!(promoted.former(), [Former { generation: old.clone(), since: now }]);
        let retired = promoted.retired();
        assert_eq!(retired.generations().collect::<Vec<_>>(), [&generation(2)]);
        assert_eq!(retired.names(), &old.key);
    }

    #[test]
    fn keys_for_services_are_the_same_keys_without_a_secret_half_at_every_step() {
        let first = MasterKeys::generate().unwrap();
        let second = first.clone().with_next(Generation::generate().unwrap()).unwrap();
        let third = second.clone().promoted(at("2026-11-23T09:00:00Z")).unwrap();
        for whole in [first, second, third.clone(), third.retired()] {
            let services = whole.clone().for_services();
            assert!(whole.opens_contacts() && !services.opens_contacts());
            assert_eq!(services.clone().for_services(), services);
            assert_eq!(services.names(), whole.names());
            for (one, other) in services.generations().zip(whole.generations()) {
                assert_eq!(one.key, other.key);
                let (one, other) = (one.contacts.as_ref().unwrap(), other.contacts.as_ref().unwrap());
                assert_eq!((one.id(), one.opens(), other.opens()), (other.id(), false, true));
            }
        }
    }

    #[test]
    fn nothing_prints_a_key() {
        let keys = MasterKeys::generate().unwrap().with_next(generation(8)).unwrap();
        let printed = format!("{keys:?}");
        assert!(
            printed.contains("MasterKey(…)") && !printed.contains(&*generation(8).key.to_text()),
            "{printed}"
        );
        let text = keys.to_text();
        for secret in
            text.lines().filter(|line| !line.starts_with('#')).flat_map(|line| line.split(' ').skip(1))
        {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}
