//! Reading the registry whole.

use std::num::NonZeroU32;

use domain::event::Sealed;
use domain::id::{KeyId, SourceId, TenantId};
use domain::registry::{ApiKey, MappingText, Scope, Source, SourceKind, SourceSecret, Tenant, Trade};
use ports::registry::RegistrySnapshot;
use rusqlite::{Connection, Row};

use crate::columns::{counted, instant, instant_if_any, parsed, parsed_if_any};
use crate::failure::Failure;

pub(crate) fn version(connection: &Connection) -> Result<u64, Failure> {
    let mut statement = connection.prepare_cached("SELECT version FROM registry WHERE id = 1")?;
    let mut rows = statement.query_and_then([], |row| counted(row, 0))?;
    rows.next().transpose()?.ok_or(Failure::Corrupt("the registry's version"))
}

pub(crate) fn read(connection: &Connection) -> Result<RegistrySnapshot, Failure> {
    let tenants = connection
        .prepare_cached(
            "SELECT id, name, created_at, revoked_at, trade FROM tenants ORDER BY created_at, id",
        )?
        .query_and_then([], tenant)?
        .collect::<Result<_, _>>()?;
    let mut sources: Vec<Source> = connection
        .prepare_cached(
            "SELECT id, tenant, kind, name, rate_limit, created_at, revoked_at, forward_to, mapping
             FROM sources ORDER BY created_at, id",
        )?
        .query_and_then([], source)?
        .collect::<Result<_, Failure>>()?;
    for source in &mut sources {
        source.secrets = connection
            .prepare_cached("SELECT sealed, created_at FROM source_secrets WHERE source = ?1 ORDER BY id")?
            .query_and_then([source.id.as_str()], secret)?
            .collect::<Result<_, _>>()?;
    }
    let keys = connection
        .prepare_cached(
            "SELECT id, tenant, source, scope, label, secret_sha256, created_at, revoked_at
             FROM keys ORDER BY created_at, id",
        )?
        .query_and_then([], key)?
        .collect::<Result<_, _>>()?;
    Ok(RegistrySnapshot { version: version(connection)?, tenants, sources, keys })
}

fn tenant(row: &Row<'_>) -> Result<Tenant, Failure> {
    Ok(Tenant {
        id: parsed(row, 0, "a registered tenant", |text| TenantId::parse(text).ok())?,
        name: row.get(1)?,
        trade: parsed(row, 4, "a tenant's trade", Trade::parse)?,
        created_at: instant(row, 2)?,
        revoked_at: instant_if_any(row, 3)?,
    })
}

fn source(row: &Row<'_>) -> Result<Source, Failure> {
    Ok(Source {
        id: parsed(row, 0, "a registered source", |text| SourceId::parse(text).ok())?,
        tenant: parsed(row, 1, "a source's tenant", |text| TenantId::parse(text).ok())?,
        kind: parsed(row, 2, "a source's kind", SourceKind::parse)?,
        name: row.get(3)?,
        secrets: Vec::new(),
        mapping: row.get::<_, Option<String>>(8)?.as_deref().map(MappingText::from_text),
        rate_limit: row.get::<_, Option<u32>>(4)?.and_then(NonZeroU32::new),
        forward_to: row.get::<_, Option<Vec<u8>>>(7)?.map(Sealed::from_bytes),
        created_at: instant(row, 5)?,
        revoked_at: instant_if_any(row, 6)?,
    })
}

fn secret(row: &Row<'_>) -> Result<SourceSecret, Failure> {
    Ok(SourceSecret { sealed: Sealed::from_bytes(row.get(0)?), created_at: instant(row, 1)? })
}

fn key(row: &Row<'_>) -> Result<ApiKey, Failure> {
    Ok(ApiKey {
        id: parsed(row, 0, "a key's id", |text| KeyId::parse(text).ok())?,
        tenant: parsed_if_any(row, 1, "a key's tenant", |text| TenantId::parse(text).ok())?,
        source: parsed_if_any(row, 2, "a key's source", |text| SourceId::parse(text).ok())?,
        scope: parsed(row, 3, "a key's scope", Scope::parse)?,
        label: row.get(4)?,
        secret_sha256: row.get(5)?,
        created_at: instant(row, 6)?,
        revoked_at: instant_if_any(row, 7)?,
    })
}
