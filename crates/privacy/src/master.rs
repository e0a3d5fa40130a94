//! The master keys: what everything else is derived from, and how one takes the place of another.
//!
//! There are two kinds, because they live for different times. The key for *names* makes pseudonyms, digests and ids of
//! events; it stays for as long as the data does, or every client would become a stranger and every resend a second
//! event. The key for *seals* is changed whenever its owner thinks it should be: what it sealed is sealed anew, and then
//! it is gone.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::timestamp::Timestamp;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

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
         characters of base64url"
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

/// What the key file holds.
///
/// One line a key: what it is for, and the key; lines that begin with `#` are for people.
///
/// ```text
/// names KEY
/// seals KEY
/// next KEY
/// opens 2026-11-23T09:00:00Z KEY
/// ```
///
/// A file of an earlier release is a single key without a word. It names and it seals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterKeys {
    names: MasterKey,
    seals: MasterKey,
    next: Option<MasterKey>,
    former: Vec<Former>,
}

/// A key that seals nothing any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// The key.
    pub key: MasterKey,
    /// Since when another one seals.
    pub since: Timestamp,
}

/// What people are told who open the file.
const HEAD: &str =
    "# Ключи Letopis: без этого файла прочесть записи нельзя. Храните копию отдельно от баз данных.
# The keys of Letopis: without this file no record can be read. Keep a copy apart from the databases.
";

impl MasterKeys {
    /// New keys, one for names and one for seals.
    pub fn generate() -> Result<Self, KeyError> {
        let (names, seals) = (MasterKey::generate()?, MasterKey::generate()?);
        Ok(Self { names, seals, next: None, former: Vec::new() })
    }

    /// One key for both.
    #[must_use]
    pub fn of_one(key: MasterKey) -> Self {
        Self { names: key.clone(), seals: key, next: None, former: Vec::new() }
    }

    /// Reads a key file.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let lines: Vec<_> = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).collect();
        match lines.as_slice() {
            [] => return Err(KeyError::Malformed),
            [(_, line)] if !line.contains(' ') => return MasterKey::parse(line).map(Self::of_one),
            _ => {}
        }
        let (mut names, mut seals, mut next, mut former) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (number, line) in lines {
            match line.parse().map_err(|_cause| KeyError::Line(number))? {
                Line::Names(key) => names.push(key),
                Line::Seals(key) => seals.push(key),
                Line::Next(key) => next.push(key),
                Line::Opens(key) => former.push(key),
            }
        }
        let one = |mut keys: Vec<MasterKey>| keys.pop().filter(|_| keys.is_empty());
        let next = if next.is_empty() { None } else { Some(one(next).ok_or(KeyError::Roles)?) };
        let (names, seals) = (one(names).ok_or(KeyError::Roles)?, one(seals).ok_or(KeyError::Roles)?);
        Ok(Self { names, seals, next, former })
    }

    /// The text of the key file.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(HEAD.to_owned());
        let mut add = |words: [&str; 3]| {
            words.iter().for_each(|word| text.push_str(word));
            text.push('\n');
        };
        add(["names ", "", &self.names.to_text()]);
        add(["seals ", "", &self.seals.to_text()]);
        if let Some(next) = &self.next {
            add(["next ", "", &next.to_text()]);
        }
        for Former { key, since } in &self.former {
            add(["opens ", &format!("{since} "), &key.to_text()]);
        }
        text
    }

    /// Adds a key that opens and does not seal yet: every process has to know it before the first one uses it.
    pub fn with_next(self, next: MasterKey) -> Result<Self, RotationError> {
        match self.next {
            Some(_) => Err(RotationError::NextThere),
            None => Ok(Self { next: Some(next), ..self }),
        }
    }

    /// From now on the next key seals; the one that did only opens.
    pub fn promoted(self, now: Timestamp) -> Result<Self, RotationError> {
        let Self { names, seals, next, mut former } = self;
        let Some(next) = next else { return Err(RotationError::NoNext) };
        former.push(Former { key: seals, since: now });
        Ok(Self { names, seals: next, next: None, former })
    }

    /// Without the keys that only open: what they sealed is lost from then on.
    #[must_use]
    pub fn retired(self) -> Self {
        Self { former: Vec::new(), ..self }
    }

    /// The keys that only open.
    #[must_use]
    pub fn former(&self) -> &[Former] {
        &self.former
    }

    /// The key that seals.
    #[must_use]
    pub const fn current(&self) -> &MasterKey {
        &self.seals
    }

    /// The key that will seal.
    #[must_use]
    pub const fn next(&self) -> Option<&MasterKey> {
        self.next.as_ref()
    }

    pub(crate) const fn names(&self) -> &MasterKey {
        &self.names
    }

    /// Every key that opens seals, first the one that makes them.
    pub(crate) fn sealing(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.seals).chain(&self.next).chain(self.former.iter().map(|former| &former.key))
    }
}

enum Line {
    Names(MasterKey),
    Seals(MasterKey),
    Next(MasterKey),
    Opens(Former),
}

impl FromStr for Line {
    type Err = KeyError;

    fn from_str(line: &str) -> Result<Self, KeyError> {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        Ok(match words.as_slice() {
            ["names", key] => Self::Names(MasterKey::parse(key)?),
            ["seals", key] => Self::Seals(MasterKey::parse(key)?),
            ["next", key] => Self::Next(MasterKey::parse(key)?),
            ["opens", since, key] => Self::Opens(Former {
                since: Timestamp::parse(since).map_err(|_no_instant| KeyError::Malformed)?,
                key: MasterKey::parse(key)?,
            }),
            _ => return Err(KeyError::Malformed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> MasterKey {
        MasterKey::from_bytes([byte; 32])
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_file_reads_back_with_every_key_in_its_place() {
        let keys = MasterKeys::generate().unwrap();
        assert_ne!(keys.names, keys.seals);
        let once = keys.with_next(key(1)).unwrap().promoted(at("2026-11-23T09:00:00Z")).unwrap();
        let twice = once.clone().with_next(key(2)).unwrap();
        for keys in [once, twice.clone(), twice.promoted(at("2026-11-24T09:00:00.5Z")).unwrap()] {
            assert_eq!(MasterKeys::parse(&keys.to_text()).unwrap(), keys);
        }
    }

    #[test]
    fn a_file_of_one_key_names_and_seals() {
        let text = format!("{}\n", *key(3).to_text());
        assert_eq!(MasterKeys::parse(&text).unwrap(), MasterKeys::of_one(key(3)));
        for wrong in ["", "short", "!!!!", &"A".repeat(44)] {
            assert!(MasterKeys::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_damaged_file_is_refused_by_its_line() {
        let good = MasterKeys::of_one(key(1)).to_text();
        for (damaged, expected) in [
            (good.replace("names ", "named "), "line 3"),
            (good.replace("seals A", "seals !"), "line 4"),
            (format!("{}opens yesterday {}\n", *good, *key(2).to_text()), "line 5"),
            (format!("{}seals {}\n", *good, *key(2).to_text()), "one line `names`"),
            (good.lines().take(3).fold(String::new(), |text, line| text + line + "\n"), "one line `names`"),
        ] {
            let refused = MasterKeys::parse(&damaged).unwrap_err().to_string();
            assert!(refused.contains(expected), "{refused}");
            assert!(!refused.contains(&*key(1).to_text()), "{refused}");
        }
    }

    #[test]
    fn keys_change_in_steps_and_the_key_for_names_stays() {
        let keys = MasterKeys::of_one(key(1));
        let now = at("2026-11-23T09:00:00Z");
        assert_eq!(keys.clone().promoted(now).unwrap_err(), RotationError::NoNext);
        let introduced = keys.with_next(key(2)).unwrap();
        assert_eq!(introduced.current(), &key(1));
        assert_eq!(introduced.clone().with_next(key(3)).unwrap_err(), RotationError::NextThere);
        let promoted = introduced.promoted(now).unwrap();
        assert_eq!((promoted.names(), promoted.current()), (&key(1), &key(2)));
        assert_eq!(promoted.former(), [Former { key: key(1), since: now }]);
        let retired = promoted.retired();
        assert_eq!(retired.sealing().collect::<Vec<_>>(), [&key(2)]);
        assert_eq!(retired.names(), &key(1));
    }

    #[test]
    fn nothing_prints_a_key() {
        let keys = MasterKeys::of_one(key(7)).with_next(key(8)).unwrap().promoted(at("2026-11-23T09:00:00Z"));
        let printed = format!("{keys:?}");
        assert!(printed.contains("MasterKey(…)") && !printed.contains(&*key(7).to_text()), "{printed}");
    }
}
