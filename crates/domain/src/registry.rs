//! Who may send and read: tenants, their sources and their keys.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use crate::event::Sealed;
use crate::id::{KeyId, SourceId, TenantId};
use crate::timestamp::Timestamp;

/// A business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its name in URLs and rows.
    pub id: TenantId,
    /// Its name for people.
    pub name: String,
    /// What it does, and so what its texts may not leave with.
    pub trade: Trade,
    /// When it was added.
    pub created_at: Timestamp,
    /// Set once it may no longer send or read.
    pub revoked_at: Option<Timestamp>,
}

/// What a business does, as far as it decides what has to go from a text before it leaves for another system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trade {
    /// A salon, a coach, a shop: texts leave without persons.
    #[default]
    Ordinary,
    /// A clinic: texts leave without persons and without a word about anybody's health.
    Clinic,
}

impl Trade {
    /// All trades.
    pub const ALL: [Self; 2] = [Self::Ordinary, Self::Clinic];

    /// The word used in JSON, in tables and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Clinic => "clinic",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trade| trade.as_str() == word)
    }
}

impl fmt::Display for Trade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A door of a tenant: one bot, one messenger account, one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name in URLs and rows.
    pub id: SourceId,
    /// Whose it is.
    pub tenant: TenantId,
    /// What it speaks.
    pub kind: SourceKind,
    /// Its name for people.
    pub name: String,
    /// How a webhook of this source proves itself; up to two live secrets during rotation.
    pub secrets: Vec<SourceSecret>,
    /// How its deliveries are to be read, where its kind leaves that to the tenant.
    pub mapping: Option<MappingText>,
    /// Events a second it may send on average; `None` is the gateway's default.
    pub rate_limit: Option<NonZeroU32>,
    /// Where its deliveries are passed on to, and whose answers are passed back: the bot behind it. Sealed like a secret, for
    /// an address may carry one.
    pub forward_to: Option<Sealed>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Set once it may no longer send.
    pub revoked_at: Option<Timestamp>,
}

/// What a source speaks: decides how its deliveries are verified and parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    /// Our own event, by API key or Standard Webhooks signature.
    Events,
    /// Telegram Bot API webhook.
    Telegram,
    /// WhatsApp Cloud API webhook.
    Whatsapp,
    /// Instagram or Messenger webhook of Meta.
    Instagram,
    /// VK Callback API.
    Vk,
    /// MAX Bot API webhook.
    Max,
    /// Wazzup24 webhook.
    Wazzup,
    /// Avito Messenger webhook.
    Avito,
    /// Jivo, Bot API and Webhooks API.
    Jivo,
    /// YCLIENTS or Altegio webhook.
    Yclients,
    /// Whatever another system sends, read by a mapping of the tenant's.
    Mapping,
    /// Traces of an assistant that is instrumented with OpenTelemetry.
    Otlp,
    /// CloudEvents 1.0.
    Cloudevents,
}

impl SourceKind {
    /// All kinds.
    pub const ALL: [Self; 13] = [
        Self::Events,
        Self::Telegram,
        Self::Whatsapp,
        Self::Instagram,
        Self::Vk,
        Self::Max,
        Self::Wazzup,
        Self::Avito,
        Self::Jivo,
        Self::Yclients,
        Self::Mapping,
        Self::Otlp,
        Self::Cloudevents,
    ];

    /// The word used in JSON, in tables and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Telegram => "telegram",
            Self::Whatsapp => "whatsapp",
            Self::Instagram => "instagram",
            Self::Vk => "vk",
            Self::Max => "max",
            Self::Wazzup => "wazzup",
            Self::Avito => "avito",
            Self::Jivo => "jivo",
            Self::Yclients => "yclients",
            Self::Mapping => "mapping",
            Self::Otlp => "otlp",
            Self::Cloudevents => "cloudevents",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether a mapping may say how its deliveries are read.
    #[must_use]
    pub const fn takes_mapping(self) -> bool {
        matches!(self, Self::Mapping | Self::Cloudevents)
    }

    /// Whether nothing can be read of its deliveries without one.
    #[must_use]
    pub const fn needs_mapping(self) -> bool {
        matches!(self, Self::Mapping)
    }
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a foreign body is to be read, in the form in which it is kept and travels: what `channels` gave once it had checked
/// it. Holds names of fields and no secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MappingText(Arc<str>);

impl MappingText {
    /// Wraps what `channels` made, or a store or the bus kept.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    /// The text to keep.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MappingText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MappingText({} bytes)", self.0.len())
    }
}

/// A secret of a source, sealed under the master key: signatures need it back, so a hash would not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSecret {
    /// The secret, sealed.
    pub sealed: Sealed,
    /// When it was made; the youngest is the one to paste at the messenger.
    pub created_at: Timestamp,
}

/// An API key, as kept: the key itself is shown once and never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The public half.
    pub id: KeyId,
    /// Whose it is; `None` may act for every tenant (the operator's own key).
    pub tenant: Option<TenantId>,
    /// The source whose events it may send; needed for [`Scope::Ingest`].
    pub source: Option<SourceId>,
    /// What it opens.
    pub scope: Scope,
    /// What it is for, in the owner's words.
    pub label: String,
    /// SHA-256 of the secret half. The secret has 256 random bits, so a plain hash cannot be searched.
    pub secret_sha256: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// Set once it opens nothing.
    pub revoked_at: Option<Timestamp>,
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("id", &self.id).field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// What a key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Sending events of one source.
    Ingest,
    /// Reading one tenant's sessions, figures and quarantine.
    Read,
    /// Reading, and changing what can be changed: replaying quarantine, managing sources and keys.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 3] = [Self::Ingest, Self::Read, Self::Admin];

    /// The word used in keys, JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }

    /// Whether a key of this scope may do what needs `wanted`.
    #[must_use]
    pub fn allows(self, wanted: Self) -> bool {
        self == wanted || (self == Self::Admin && wanted == Self::Read)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
