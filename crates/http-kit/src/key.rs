//! API keys as text: `letopis_<scope>_<id>_<secret>`.
//!
//! The id names the key in lists and logs and opens nothing. The secret is 32 random bytes in base64url; only its
//! SHA-256 is kept, which cannot be searched backwards because 256 random bits cannot be guessed.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::id::{KeyId, SourceId, TenantId};
use domain::registry::{ApiKey, Scope};
use domain::timestamp::Timestamp;
use sha2::{Digest, Sha256};

const PREFIX: &str = "letopis";
const ID_CHARS: usize = 16;
const SECRET_CHARS: usize = 43;
const ID_ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A key that was just made.
#[derive(Debug)]
pub struct NewKey {
    /// The whole key: shown to its owner once, kept nowhere.
    pub text: SecretText,
    /// What is kept.
    pub key: ApiKey,
}

/// A text that must not be shown by accident: its `Debug` prints nothing of it.
pub struct SecretText(String);

impl SecretText {
    /// The text itself, for the one place that shows it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// Why a key could not be made.
#[derive(Debug, thiserror::Error)]
pub enum IssueKeyError {
    /// An ingest key sends the events of one source of one tenant.
    #[error("an ingest key needs the tenant and the source it sends for")]
    IngestNeedsSource,
    /// Reading and managing are not bound to a source.
    #[error("only an ingest key names a source")]
    OnlyIngestHasSource,
    /// The machine gives no random bytes.
    #[error("the system's random numbers are unavailable")]
    Random(#[source] getrandom::Error),
}

/// Makes a key.
pub fn issue_key(
    scope: Scope,
    tenant: Option<TenantId>,
    source: Option<SourceId>,
    label: String,
    now: Timestamp,
) -> Result<NewKey, IssueKeyError> {
    if scope == Scope::Ingest && (tenant.is_none() || source.is_none()) {
        return Err(IssueKeyError::IngestNeedsSource);
    }
    if scope != Scope::Ingest && source.is_some() {
        return Err(IssueKeyError::OnlyIngestHasSource);
    }
    let id = random_id()?;
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random).map_err(IssueKeyError::Random)?;
    let secret = URL_SAFE_NO_PAD.encode(random);
    let text = SecretText(format!("{PREFIX}_{scope}_{id}_{secret}"));
    let key = ApiKey {
        id,
        tenant,
        source,
        scope,
        label,
        secret_sha256: Sha256::digest(secret.as_bytes()).into(),
        created_at: now,
        revoked_at: None,
    };
    Ok(NewKey { text, key })
}

fn random_id() -> Result<KeyId, IssueKeyError> {
    let mut random = [0_u8; ID_CHARS];
    getrandom::fill(&mut random).map_err(IssueKeyError::Random)?;
    // 256 is no multiple of 36, so some letters come a little more often: the id is a name, not a secret.
    let text: String =
        random.iter().map(|&byte| char::from(ID_ALPHABET[usize::from(byte) % ID_ALPHABET.len()])).collect();
    Ok(KeyId::parse(&text).expect("letters and digits of the length of an id"))
}

/// A key as somebody presents it, taken apart.
pub(crate) struct PresentedKey {
    pub(crate) id: KeyId,
    pub(crate) secret_sha256: [u8; 32],
}

impl PresentedKey {
    /// `None` when it does not even look like a key. The scope written into it is for people: what it opens stands
    /// in the registry.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, '_');
        let (prefix, scope, id, secret) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_key = prefix == PREFIX
            && Scope::parse(scope).is_some()
            && id.len() == ID_CHARS
            && secret.len() == SECRET_CHARS;
        if !is_key {
            return None;
        }
        Some(Self { id: KeyId::parse(id).ok()?, secret_sha256: Sha256::digest(secret.as_bytes()).into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issued() -> NewKey {
        let tenant = TenantId::parse("salon").unwrap();
        let source = SourceId::parse("bot").unwrap();
        issue_key(Scope::Ingest, Some(tenant), Some(source), "bot".into(), Timestamp::EPOCH).unwrap()
    }

    #[test]
    fn a_key_reads_back_as_the_one_that_was_made() {
        // Many, because base64url may contain the separator.
        for _ in 0..200 {
            let new = issued();
            let presented = PresentedKey::parse(new.text.expose()).unwrap();
            assert_eq!(presented.id, new.key.id);
            assert_eq!(presented.secret_sha256, new.key.secret_sha256);
        }
    }

    #[test]
    fn what_is_kept_and_what_is_logged_does_not_contain_the_secret() {
        let new = issued();
        let secret = new.text.expose().splitn(4, '_').nth(3).unwrap();
        assert!(!format!("{new:?}").contains(secret));
    }

    #[test]
    fn what_does_not_look_like_a_key_is_no_key() {
        let id = "a".repeat(16);
        let secret = "x".repeat(43);
        for text in [
            String::new(),
            "letopis".into(),
            format!("other_ingest_{id}_{secret}"),
            format!("letopis_owner_{id}_{secret}"),
            format!("letopis_ingest_{id}x_{secret}"),
            format!("letopis_ingest_{id}_{secret}x"),
            format!("letopis_ingest_{}_{secret}", "A".repeat(16)),
        ] {
            assert!(PresentedKey::parse(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_ingest_key_without_a_source_is_refused() {
        let refused = issue_key(Scope::Ingest, None, None, String::new(), Timestamp::EPOCH);
        assert!(matches!(refused, Err(IssueKeyError::IngestNeedsSource)));
    }
}
