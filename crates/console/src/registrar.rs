//! Making sources and their secrets, and what of them is pasted at the messenger: for the page and the command line.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use channels::{Mapping, MappingError};
use domain::id::{SourceId, TenantId};
use domain::registry::{Source, SourceKind, SourceSecret};
use domain::timestamp::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ports::registry::{Registry, RegistryError};
use privacy::{KeyError, MasterKey, Vault};

/// What in a part of an address stands for something else than itself.
const NOT_UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// No messenger's secret is longer.
const MAX_SECRET_BYTES: usize = 256;

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
    /// How its bodies are read, where [its kind](SourceKind::takes_mapping) leaves that to the tenant.
    pub mapping: Option<Mapping>,
    /// The address of the bot its deliveries are passed on to. Whoever gives it has looked whether it is one.
    pub forward_to: Option<String>,
}

impl NewSource {
    /// A source called by its id, with the gateway's default rate.
    #[must_use]
    pub fn new(tenant: &TenantId, id: &SourceId, kind: SourceKind) -> Self {
        let (id, tenant) = (id.clone(), tenant.clone());
        Self { id, tenant, kind, secret: None, name: None, rate_limit: None, mapping: None, forward_to: None }
    }
}

/// Why a source or a secret could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RegistrarError {
    /// The messenger makes its secrets itself, and none was given.
    #[error("Meta signs with the secret of your app (App settings, Basic): it has to be given")]
    SecretNeeded,
    /// What was given cannot be the secret of any messenger.
    #[error("a secret has 1 to 256 bytes of visible ASCII")]
    SecretUnusable,
    /// The machine has no randomness to give.
    #[error("no secret could be made")]
    Random(#[from] KeyError),
    /// The source has a mapping that this release cannot read.
    #[error("the mapping that is kept cannot be read")]
    Mapping(#[from] MappingError),
    /// The registry did not do it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// Adds a source; gives back its secret, too, which is not shown again.
pub async fn add_source(
    registry: &dyn Registry,
    vault: &Vault,
    new: NewSource,
    now: Timestamp,
) -> Result<(Source, String), RegistrarError> {
    let NewSource { id, tenant, kind, secret, name, rate_limit, mapping, forward_to } = new;
    let secret = given_or_made(secret, kind, mapping.as_ref())?;
    let sealed = vault.seal_secret(&id, secret.as_bytes());
    // In the same write: no delivery may come in between, of which the bot would not hear.
    let forward_to = forward_to.map(|address| vault.seal_secret(&id, address.as_bytes()));
    let source = Source {
        name: name.unwrap_or_else(|| id.to_string()),
        id,
        tenant,
        kind,
        secrets: vec![SourceSecret { sealed, created_at: now }],
        mapping: mapping.map(|mapping| mapping.text().clone()),
        rate_limit,
        forward_to,
        created_at: now,
        revoked_at: None,
    };
    registry.add_source(&source).await?;
    Ok((source, secret))
}

/// Gives a source a second secret, which is live beside the last one; gives it back.
pub async fn add_secret(
    registry: &dyn Registry,
    vault: &Vault,
    source: &Source,
    secret: Option<String>,
    now: Timestamp,
) -> Result<String, RegistrarError> {
    let secret = given_or_made(secret, source.kind, mapping_of(source)?.as_ref())?;
    let sealed = vault.seal_secret(&source.id, secret.as_bytes());
    registry.add_secret(&source.id, &SourceSecret { sealed, created_at: now }).await?;
    Ok(secret)
}

/// The address of messengers that sign nothing: the secret is part of it.
#[must_use]
pub fn keyed(url: &str, secret: &str) -> String {
    with_parameter(url, "key", secret)
}

/// An address with the secret under a name of the mapping's. Whatever the two hold, the door reads them as they are.
#[must_use]
pub fn with_parameter(url: &str, name: &str, secret: &str) -> String {
    let [name, secret] = [name, secret].map(|text| utf8_percent_encode(text, NOT_UNRESERVED));
    format!("{url}?{name}={secret}")
}

/// The mapping of a source, read.
pub fn mapping_of(source: &Source) -> Result<Option<Mapping>, MappingError> {
    source.mapping.as_ref().map(|text| Mapping::parse(text.as_str())).transpose()
}

/// The address to paste at the messenger.
#[must_use]
pub(crate) fn address_to_paste(
    kind: SourceKind,
    mapping: Option<&Mapping>,
    url: &str,
    secret: &str,
) -> String {
    match kind {
        SourceKind::Mapping => match mapping.map(Mapping::parameter) {
            Some(Some(name)) => with_parameter(url, name, secret),
            _ => url.to_owned(),
        },
        SourceKind::Wazzup
        | SourceKind::Avito
        | SourceKind::Jivo
        | SourceKind::Yclients
        | SourceKind::Cloudevents => keyed(url, secret),
        _ => url.to_owned(),
    }
}

fn given_or_made(
    secret: Option<String>,
    kind: SourceKind,
    mapping: Option<&Mapping>,
) -> Result<String, RegistrarError> {
    let Some(secret) = secret else { return new_secret(kind, mapping) };
    let is_usable =
        (1..=MAX_SECRET_BYTES).contains(&secret.len()) && secret.bytes().all(|b| b.is_ascii_graphic());
    if is_usable { Ok(secret) } else { Err(RegistrarError::SecretUnusable) }
}

/// A secret in the form its messenger wants: letters and digits that every one of them takes, for our own events the form
/// of Standard Webhooks.
fn new_secret(kind: SourceKind, mapping: Option<&Mapping>) -> Result<String, RegistrarError> {
    let text = || -> Result<_, RegistrarError> { Ok(MasterKey::generate()?.to_text()) };
    Ok(match kind {
        SourceKind::Whatsapp | SourceKind::Instagram => return Err(RegistrarError::SecretNeeded),
        _ if kind == SourceKind::Events || mapping.is_some_and(Mapping::is_signed_as_standard_webhooks) => {
            let bytes = URL_SAFE_NO_PAD.decode(text()?.as_bytes()).expect("a key's text is base64");
            format!("whsec_{}", STANDARD.encode(bytes))
        }
        _ => text()?.chars().filter(char::is_ascii_alphanumeric).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_for_a_messenger_is_what_all_of_them_take() {
        for kind in [SourceKind::Telegram, SourceKind::Vk, SourceKind::Max, SourceKind::Yclients] {
            let secret = new_secret(kind, None).unwrap();
            // VK takes at most 50 characters, MAX at least 5.
            assert!((20..=50).contains(&secret.len()), "{secret}");
            assert!(secret.chars().all(|c| c.is_ascii_alphanumeric()), "{secret}");
        }
    }

    #[test]
    fn the_secret_of_a_meta_app_is_asked_for() {
        for kind in [SourceKind::Whatsapp, SourceKind::Instagram] {
            assert!(matches!(new_secret(kind, None), Err(RegistrarError::SecretNeeded)));
        }
    }

    #[test]
    fn a_secret_for_our_events_is_one_of_standard_webhooks() {
        let secret = new_secret(SourceKind::Events, None).unwrap();
        let bytes = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        assert!((24..=64).contains(&bytes.len()));
    }

    #[test]
    fn a_given_secret_that_no_header_could_carry_is_refused() {
        for secret in ["", "two words", "ключ", "a\nb", &"a".repeat(257)] {
            let refused = given_or_made(Some(secret.to_owned()), SourceKind::Telegram, None);
            assert!(matches!(refused, Err(RegistrarError::SecretUnusable)), "{secret:?}");
        }
        let given = given_or_made(Some("s3cr3t/+=_-".to_owned()), SourceKind::Vk, None).unwrap();
        assert_eq!(given, "s3cr3t/+=_-");
    }

    #[test]
    fn whatever_a_given_secret_holds_the_address_to_paste_carries_it_whole() {
        let url = "https://in.example.ru/v1/hooks/bot";
        assert_eq!(keyed(url, "s3cret_-.~"), format!("{url}?key=s3cret_-.~"));
        let (name, secret) = ("токен&", "a&b=c+d#e%20f?/\"g");
        let address = with_parameter(url, name, secret);
        let query = address.strip_prefix(url).unwrap().strip_prefix('?').unwrap();
        assert!(!query.contains('#'), "{query}");
        let read = actix_web::web::Query::<Vec<(String, String)>>::from_query(query).unwrap().into_inner();
        assert_eq!(read, [(name.to_owned(), secret.to_owned())]);
    }
}
