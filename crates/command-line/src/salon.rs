//! The doors of the made-up salon.

use std::num::NonZeroU32;

use domain::id::{SourceId, TenantId};
use domain::registry::{Scope, SourceKind};
use http_kit::key::SecretText;

use crate::desk::{Desk, NewSource};

/// Ninety days in a few seconds need more than a salon does.
const RATE: Option<NonZeroU32> = NonZeroU32::new(1_000_000);

/// A salon's sources, a bot and a Telegram account, and the keys of its tenant.
pub struct SalonDoors {
    /// Sends events as the bot.
    pub ingest: SecretText,
    /// Reads what became of them.
    pub read: SecretText,
    pub(crate) telegram: SourceId,
    pub(crate) telegram_secret: String,
}

impl SalonDoors {
    /// Adds the sources `TENANT-bot` and `TENANT-telegram` and the keys to a tenant that is there.
    ///
    /// # Errors
    /// As [`Desk::add_source`] and [`Desk::add_key`].
    pub async fn open(desk: &Desk, tenant: &TenantId) -> anyhow::Result<Self> {
        let [bot, telegram] = Self::sources_of(tenant.as_str()).map(|id| SourceId::parse(&id));
        let (bot, telegram) = (bot?, telegram?);
        let new = |id, kind| NewSource { rate_limit: RATE, ..NewSource::new(tenant, id, kind) };
        desk.add_source(new(&bot, SourceKind::Events)).await?;
        let (_, telegram_secret) = desk.add_source(new(&telegram, SourceKind::Telegram)).await?;
        let ingest = desk.add_key(Scope::Ingest, tenant, Some(&bot)).await?;
        let read = desk.add_key(Scope::Read, tenant, None).await?;
        Ok(Self { ingest: ingest.text, read: read.text, telegram, telegram_secret })
    }

    /// What the sources of a tenant are called.
    pub(crate) fn sources_of(tenant: &str) -> [String; 2] {
        [format!("{tenant}-bot"), format!("{tenant}-telegram")]
    }
}
