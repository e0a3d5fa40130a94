//! Reading the registry whole, as it was at one version.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use domain::event::Sealed;
use domain::id::{KeyId, SourceId, TenantId};
use domain::registry::{ApiKey, MappingText, Scope, Source, SourceKind, SourceSecret, Tenant, Trade};
use ports::registry::RegistrySnapshot;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::columns::{counted, instant, instant_if_any, parsed, parsed_if_any};
use crate::database::Work;
use crate::failure::Failure;

pub(super) const VERSION: &str = "SELECT version FROM registry WHERE id = 1";

/// All of it.
pub(super) struct Snapshot;

impl Work for Snapshot {
    type Output = RegistrySnapshot;

    /// Every statement sees the same rows.
    const BEGIN: &'static str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

    async fn run(&self, connection: &mut PgConnection) -> Result<RegistrySnapshot, Failure> {
        let row = sqlx::query(VERSION).fetch_optional(&mut *connection).await?;
        let version = version(row.as_ref())?;
        let tenants = "SELECT id, name, created_at, revoked_at, trade FROM tenants ORDER BY created_at, id";
        let tenants = sqlx::query(tenants).fetch_all(&mut *connection).await?;
        let sources = "SELECT id, tenant, kind, name, rate_limit, created_at, revoked_at, forward_to, mapping
             FROM sources ORDER BY created_at, id";
        let sources = sqlx::query(sources).fetch_all(&mut *connection).await?;
        let secrets = "SELECT source, sealed, created_at FROM source_secrets ORDER BY id";
        let secrets = sqlx::query(secrets).fetch_all(&mut *connection).await?;
        let keys = "SELECT id, tenant, source, scope, label, secret_sha256, created_at, revoked_at
             FROM keys ORDER BY created_at, id";
        let keys = sqlx::query(keys).fetch_all(connection).await?;
        let mut by_source: BTreeMap<SourceId, Vec<SourceSecret>> = BTreeMap::new();
        for row in &secrets {
            let (source, secret) = secret(row)?;
            by_source.entry(source).or_default().push(secret);
        }
        let source = |row| {
            let source = source(row)?;
            let secrets = by_source.remove(&source.id).unwrap_or_default();
            Ok(Source { secrets, ..source })
        };
        Ok(RegistrySnapshot {
            version,
            tenants: tenants.iter().map(tenant).collect::<Result<_, _>>()?,
            sources: sources.iter().map(source).collect::<Result<_, Failure>>()?,
            keys: keys.iter().map(key).collect::<Result<_, _>>()?,
        })
    }
}

pub(super) fn version(row: Option<&PgRow>) -> Result<u64, Failure> {
    counted(row.ok_or(Failure::Corrupt("the registry's version"))?, 0)
}

fn tenant(row: &PgRow) -> Result<Tenant, Failure> {
    Ok(Tenant {
        id: parsed(row, 0, "a registered tenant", |text| TenantId::parse(text).ok())?,
        name: row.try_get(1)?,
        trade: parsed(row, 4, "a tenant's trade", Trade::parse)?,
        created_at: instant(row, 2)?,
        revoked_at: instant_if_any(row, 3)?,
    })
}

fn source(row: &PgRow) -> Result<Source, Failure> {
    let rate_limit = row.try_get::<Option<i64>, _>(4)?.map(u32::try_from).transpose();
    let rate_limit = rate_limit.map_err(|_out_of_range| Failure::Corrupt("a source's rate limit"))?;
    Ok(Source {
        id: parsed(row, 0, "a registered source", |text| SourceId::parse(text).ok())?,
        tenant: parsed(row, 1, "a source's tenant", |text| TenantId::parse(text).ok())?,
        kind: parsed(row, 2, "a source's kind", SourceKind::parse)?,
        name: row.try_get(3)?,
        secrets: Vec::new(),
        mapping: row.try_get::<Option<&str>, _>(8)?.map(MappingText::from_text),
        rate_limit: rate_limit.and_then(NonZeroU32::new),
        forward_to: row.try_get::<Option<Vec<u8>>, _>(7)?.map(Sealed::from_bytes),
        created_at: instant(row, 5)?,
        revoked_at: instant_if_any(row, 6)?,
    })
}

fn secret(row: &PgRow) -> Result<(SourceId, SourceSecret), Failure> {
    let source = parsed(row, 0, "a secret's source", |text| SourceId::parse(text).ok())?;
    Ok((source, SourceSecret { sealed: Sealed::from_bytes(row.try_get(1)?), created_at: instant(row, 2)? }))
}

fn key(row: &PgRow) -> Result<ApiKey, Failure> {
    Ok(ApiKey {
        id: parsed(row, 0, "a key's id", |text| KeyId::parse(text).ok())?,
        tenant: parsed_if_any(row, 1, "a key's tenant", |text| TenantId::parse(text).ok())?,
        source: parsed_if_any(row, 2, "a key's source", |text| SourceId::parse(text).ok())?,
        scope: parsed(row, 3, "a key's scope", Scope::parse)?,
        label: row.try_get(4)?,
        secret_sha256: row.try_get(5)?,
        created_at: instant(row, 6)?,
        revoked_at: instant_if_any(row, 7)?,
    })
}
