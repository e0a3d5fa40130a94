//! Changing the registry: tenants, sources, keys.

use async_trait::async_trait;
use domain::event::Sealed;
use domain::id::{SourceId, TenantId};
use domain::registry::{ApiKey, MappingText, Source, SourceSecret, Tenant, Trade};
use domain::timestamp::Timestamp;
use ports::registry::{Registered, Registry, RegistryError, RegistrySnapshot};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::failure::Failure;
use crate::ledger::{SqliteLedger, snapshot};

#[async_trait]
impl Registry for SqliteLedger {
    async fn version(&self) -> Result<u64, RegistryError> {
        Ok(self.database.read(snapshot::version).await?)
    }

    async fn snapshot(&self) -> Result<RegistrySnapshot, RegistryError> {
        Ok(self.database.read(snapshot::read).await?)
    }

    async fn add_tenant(&self, tenant: &Tenant) -> Result<(), RegistryError> {
        let tenant = tenant.clone();
        self.change(move |connection| add_tenant(connection, &tenant)).await
    }

    async fn set_trade(&self, tenant: &TenantId, trade: Trade) -> Result<(), RegistryError> {
        let tenant = tenant.clone();
        self.change(move |connection| set_trade(connection, &tenant, trade)).await
    }

    async fn add_source(&self, source: &Source) -> Result<(), RegistryError> {
        let source = source.clone();
        self.change(move |connection| add_source(connection, &source)).await
    }

    async fn add_key(&self, key: &ApiKey) -> Result<(), RegistryError> {
        let key = key.clone();
        self.change(move |connection| add_key(connection, &key)).await
    }

    async fn add_secret(&self, source: &SourceId, secret: &SourceSecret) -> Result<(), RegistryError> {
        let (source, secret) = (source.clone(), secret.clone());
        self.change(move |connection| add_secret(connection, &source, &secret)).await
    }

    async fn retire_secrets(&self, source: &SourceId) -> Result<(), RegistryError> {
        let source = source.clone();
        self.change(move |connection| retire_secrets(connection, &source)).await
    }

    async fn set_forward(&self, source: &SourceId, to: Option<&Sealed>) -> Result<(), RegistryError> {
        let (source, to) = (source.clone(), to.cloned());
        self.change(move |connection| set_forward(connection, &source, to.as_ref())).await
    }

    async fn set_mapping(&self, source: &SourceId, mapping: &MappingText) -> Result<(), RegistryError> {
        let (source, mapping) = (source.clone(), mapping.clone());
        self.change(move |connection| set_mapping(connection, &source, &mapping)).await
    }

    async fn revoke(&self, what: &Registered, now: Timestamp) -> Result<(), RegistryError> {
        let what = what.clone();
        self.change(move |connection| revoke(connection, &what, now)).await
    }
}

/// What became of a change that SQLite itself had nothing against. One that is refused has written nothing.
enum Changed {
    Yes,
    /// It was so before.
    No,
    Exists,
    NotFound,
}

impl SqliteLedger {
    async fn change<F>(&self, change: F) -> Result<(), RegistryError>
    where
        F: FnOnce(&Connection) -> Result<Changed, Failure> + Send + 'static,
    {
        let change = |connection: &Connection| {
            let changed = change(connection)?;
            if matches!(changed, Changed::Yes) {
                connection
                    .prepare_cached("UPDATE registry SET version = version + 1 WHERE id = 1")?
                    .execute([])?;
            }
            Ok(changed)
        };
        match self.database.write(change).await? {
            Changed::Yes | Changed::No => Ok(()),
            Changed::Exists => Err(RegistryError::Exists),
            Changed::NotFound => Err(RegistryError::NotFound),
        }
    }
}

fn add_tenant(connection: &Connection, tenant: &Tenant) -> Result<Changed, Failure> {
    let added = connection
        .prepare_cached(
            "INSERT INTO tenants (id, name, created_at, revoked_at, trade) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            tenant.id.as_str(),
            tenant.name,
            tenant.created_at.unix_micros(),
            tenant.revoked_at.map(Timestamp::unix_micros),
            tenant.trade.as_str(),
        ])?;
    Ok(if added > 0 { Changed::Yes } else { Changed::Exists })
}

fn set_trade(connection: &Connection, tenant: &TenantId, trade: Trade) -> Result<Changed, Failure> {
    if !is_there(connection, "SELECT 1 FROM tenants WHERE id = ?1", tenant.as_str())? {
        return Ok(Changed::NotFound);
    }
    let set = connection
        .prepare_cached("UPDATE tenants SET trade = ?2 WHERE id = ?1 AND trade <> ?2")?
        .execute([tenant.as_str(), trade.as_str()])?;
    Ok(if set > 0 { Changed::Yes } else { Changed::No })
}

fn add_source(connection: &Connection, source: &Source) -> Result<Changed, Failure> {
    if !is_there(connection, "SELECT 1 FROM tenants WHERE id = ?1", source.tenant.as_str())? {
        return Ok(Changed::NotFound);
    }
    let added = connection
        .prepare_cached(
            "INSERT INTO sources (id, tenant, kind, name, mapping, rate_limit, forward_to, created_at, revoked_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            source.id.as_str(),
            source.tenant.as_str(),
            source.kind.as_str(),
            source.name,
            source.mapping.as_ref().map(MappingText::as_str),
            source.rate_limit,
            source.forward_to.as_ref().map(Sealed::as_bytes),
            source.created_at.unix_micros(),
            source.revoked_at.map(Timestamp::unix_micros)
        ])?;
    if added == 0 {
        return Ok(Changed::Exists);
    }
    for secret in &source.secrets {
        insert_secret(connection, &source.id, secret)?;
    }
    Ok(Changed::Yes)
}

fn insert_secret(connection: &Connection, source: &SourceId, secret: &SourceSecret) -> Result<(), Failure> {
    connection
        .prepare_cached("INSERT INTO source_secrets (source, sealed, created_at) VALUES (?1, ?2, ?3)")?
        .execute(params![source.as_str(), secret.sealed.as_bytes(), secret.created_at.unix_micros()])?;
    Ok(())
}

fn add_secret(connection: &Connection, source: &SourceId, secret: &SourceSecret) -> Result<Changed, Failure> {
    if let Changed::NotFound = retire_secrets(connection, source)? {
        return Ok(Changed::NotFound);
    }
    insert_secret(connection, source, secret)?;
    Ok(Changed::Yes)
}

fn retire_secrets(connection: &Connection, source: &SourceId) -> Result<Changed, Failure> {
    if !is_there(connection, "SELECT 1 FROM sources WHERE id = ?1", source.as_str())? {
        return Ok(Changed::NotFound);
    }
    let retired = connection
        .prepare_cached(
            "DELETE FROM source_secrets
             WHERE source = ?1 AND id < (SELECT max(id) FROM source_secrets WHERE source = ?1)",
        )?
        .execute([source.as_str()])?;
    Ok(if retired > 0 { Changed::Yes } else { Changed::No })
}

fn set_forward(connection: &Connection, source: &SourceId, to: Option<&Sealed>) -> Result<Changed, Failure> {
    let set = connection
        .prepare_cached("UPDATE sources SET forward_to = ?2 WHERE id = ?1")?
        .execute(params![source.as_str(), to.map(Sealed::as_bytes)])?;
    Ok(if set > 0 { Changed::Yes } else { Changed::NotFound })
}

fn set_mapping(
    connection: &Connection,
    source: &SourceId,
    mapping: &MappingText,
) -> Result<Changed, Failure> {
    let set = connection
        .prepare_cached("UPDATE sources SET mapping = ?2 WHERE id = ?1")?
        .execute([source.as_str(), mapping.as_str()])?;
    Ok(if set > 0 { Changed::Yes } else { Changed::NotFound })
}

fn add_key(connection: &Connection, key: &ApiKey) -> Result<Changed, Failure> {
    let tenant = key.tenant.as_ref().map(TenantId::as_str);
    if let Some(tenant) = tenant
        && !is_there(connection, "SELECT 1 FROM tenants WHERE id = ?1", tenant)?
    {
        return Ok(Changed::NotFound);
    }
    if let Some(source) = &key.source {
        let owner: Option<String> = connection
            .prepare_cached("SELECT tenant FROM sources WHERE id = ?1")?
            .query_row([source.as_str()], |row| row.get(0))
            .optional()?;
        if owner.is_none() || owner.as_deref() != tenant {
            return Ok(Changed::NotFound);
        }
    }
    let added = connection
        .prepare_cached(
            "INSERT INTO keys (id, tenant, source, scope, label, secret_sha256, created_at, revoked_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            key.id.as_str(),
            tenant,
            key.source.as_ref().map(|source| source.as_str()),
            key.scope.as_str(),
            key.label,
            key.secret_sha256.as_slice(),
            key.created_at.unix_micros(),
            key.revoked_at.map(Timestamp::unix_micros)
        ])?;
    Ok(if added > 0 { Changed::Yes } else { Changed::Exists })
}

/// Ends something and what hangs on it, where it has not ended yet: the first statement is the thing itself.
fn revoke(connection: &Connection, what: &Registered, now: Timestamp) -> Result<Changed, Failure> {
    let (exists, id, statements): (_, _, &[&str]) = match what {
        Registered::Tenant(id) => (
            "SELECT 1 FROM tenants WHERE id = ?1",
            id.as_str(),
            &[
                "UPDATE tenants SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
                "UPDATE sources SET revoked_at = ?2 WHERE tenant = ?1 AND revoked_at IS NULL",
                "UPDATE keys SET revoked_at = ?2 WHERE tenant = ?1 AND revoked_at IS NULL",
            ],
        ),
        Registered::Source(id) => (
            "SELECT 1 FROM sources WHERE id = ?1",
            id.as_str(),
            &[
                "UPDATE sources SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
                "UPDATE keys SET revoked_at = ?2 WHERE source = ?1 AND revoked_at IS NULL",
            ],
        ),
        Registered::Key(id) => (
            "SELECT 1 FROM keys WHERE id = ?1",
            id.as_str(),
            &["UPDATE keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL"],
        ),
    };
    if !is_there(connection, exists, id)? {
        return Ok(Changed::NotFound);
    }
    let mut ended = 0;
    for statement in statements {
        ended += connection.prepare_cached(statement)?.execute(params![id, now.unix_micros()])?;
    }
    Ok(if ended > 0 { Changed::Yes } else { Changed::No })
}

fn is_there(connection: &Connection, query: &str, id: &str) -> Result<bool, Failure> {
    Ok(connection.prepare_cached(query)?.exists([id])?)
}
