//! Changing the registry: tenants, sources, keys. One change at a time, by the lock of the version's row.

use async_trait::async_trait;
use domain::event::Sealed;
use domain::id::{SourceId, TenantId};
use domain::registry::{ApiKey, MappingText, Source, SourceSecret, Tenant, Trade};
use domain::timestamp::Timestamp;
use ports::registry::{Registered, Registry, RegistryError, RegistrySnapshot};
use sqlx::{PgConnection, Row as _};

use crate::columns::text;
use crate::database::Work;
use crate::failure::Failure;
use crate::ledger::PostgresLedger;
use crate::ledger::snapshot::{self, Snapshot};

#[async_trait]
impl Registry for PostgresLedger {
    async fn version(&self) -> Result<u64, RegistryError> {
        Ok(snapshot::version(self.database.rows(|| sqlx::query(snapshot::VERSION)).await?.first())?)
    }

    async fn snapshot(&self) -> Result<RegistrySnapshot, RegistryError> {
        Ok(self.database.transaction(&Snapshot).await?)
    }

    async fn add_tenant(&self, tenant: &Tenant) -> Result<(), RegistryError> {
        self.change(Change::AddTenant(tenant)).await
    }

    async fn set_trade(&self, tenant: &TenantId, trade: Trade) -> Result<(), RegistryError> {
        self.change(Change::SetTrade(tenant, trade)).await
    }

    async fn add_source(&self, source: &Source) -> Result<(), RegistryError> {
        self.change(Change::AddSource(source)).await
    }

    async fn add_key(&self, key: &ApiKey) -> Result<(), RegistryError> {
        self.change(Change::AddKey(key)).await
    }

    async fn add_secret(&self, source: &SourceId, secret: &SourceSecret) -> Result<(), RegistryError> {
        self.change(Change::AddSecret(source, secret)).await
    }

    async fn retire_secrets(&self, source: &SourceId) -> Result<(), RegistryError> {
        self.change(Change::RetireSecrets(source)).await
    }

    async fn set_forward(&self, source: &SourceId, to: Option<&Sealed>) -> Result<(), RegistryError> {
        self.change(Change::SetForward(source, to)).await
    }

    async fn set_mapping(&self, source: &SourceId, mapping: &MappingText) -> Result<(), RegistryError> {
        self.change(Change::SetMapping(source, mapping)).await
    }

    async fn revoke(&self, what: &Registered, now: Timestamp) -> Result<(), RegistryError> {
        self.change(Change::Revoke(what, now)).await
    }
}

impl PostgresLedger {
    async fn change(&self, change: Change<'_>) -> Result<(), RegistryError> {
        match self.database.transaction(&change).await? {
            Changed::Yes | Changed::No => Ok(()),
            Changed::Exists => Err(RegistryError::Exists),
            Changed::NotFound => Err(RegistryError::NotFound),
        }
    }
}

enum Change<'a> {
    AddTenant(&'a Tenant),
    SetTrade(&'a TenantId, Trade),
    AddSource(&'a Source),
    AddKey(&'a ApiKey),
    AddSecret(&'a SourceId, &'a SourceSecret),
    RetireSecrets(&'a SourceId),
    SetForward(&'a SourceId, Option<&'a Sealed>),
    SetMapping(&'a SourceId, &'a MappingText),
    Revoke(&'a Registered, Timestamp),
}

/// What became of a change that PostgreSQL itself had nothing against. One that is refused has written nothing.
enum Changed {
    Yes,
    /// It was so before.
    No,
    Exists,
    NotFound,
}

impl Changed {
    const fn if_added(rows: u64) -> Self {
        if rows > 0 { Self::Yes } else { Self::Exists }
    }
}

impl Work for Change<'_> {
    type Output = Changed;

    async fn run(&self, connection: &mut PgConnection) -> Result<Changed, Failure> {
        sqlx::query("SELECT version FROM registry WHERE id = 1 FOR UPDATE")
            .fetch_one(&mut *connection)
            .await?;
        let changed = match self {
            Self::AddTenant(tenant) => add_tenant(connection, tenant).await?,
            Self::SetTrade(tenant, trade) => set_trade(connection, tenant, *trade).await?,
            Self::AddSource(source) => add_source(connection, source).await?,
            Self::AddKey(key) => add_key(connection, key).await?,
            Self::AddSecret(source, secret) => add_secret(connection, source, secret).await?,
            Self::RetireSecrets(source) => retire_secrets(connection, source).await?,
            Self::SetForward(source, to) => set_forward(connection, source, *to).await?,
            Self::SetMapping(source, mapping) => set_mapping(connection, source, mapping).await?,
            Self::Revoke(what, now) => revoke(connection, what, *now).await?,
        };
        if matches!(changed, Changed::Yes) {
            sqlx::query("UPDATE registry SET version = version + 1 WHERE id = 1").execute(connection).await?;
        }
        Ok(changed)
    }
}

async fn add_tenant(connection: &mut PgConnection, tenant: &Tenant) -> Result<Changed, Failure> {
    let added = sqlx::query(
        "INSERT INTO tenants (id, name, created_at, revoked_at, trade) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(tenant.id.as_str())
    .bind(text(&tenant.name))
    .bind(tenant.created_at.unix_micros())
    .bind(tenant.revoked_at.map(Timestamp::unix_micros))
    .bind(tenant.trade.as_str())
    .execute(connection)
    .await?;
    Ok(Changed::if_added(added.rows_affected()))
}

async fn set_trade(
    connection: &mut PgConnection,
    tenant: &TenantId,
    trade: Trade,
) -> Result<Changed, Failure> {
    if !is_there(connection, "SELECT 1 FROM tenants WHERE id = $1", tenant.as_str()).await? {
        return Ok(Changed::NotFound);
    }
    let set = sqlx::query("UPDATE tenants SET trade = $2 WHERE id = $1 AND trade <> $2")
        .bind(tenant.as_str())
        .bind(trade.as_str())
        .execute(connection)
        .await?;
    Ok(if set.rows_affected() > 0 { Changed::Yes } else { Changed::No })
}

async fn add_source(connection: &mut PgConnection, source: &Source) -> Result<Changed, Failure> {
    if !is_there(connection, "SELECT 1 FROM tenants WHERE id = $1", source.tenant.as_str()).await? {
        return Ok(Changed::NotFound);
    }
    let added = sqlx::query(
        "INSERT INTO sources (id, tenant, kind, name, mapping, rate_limit, forward_to, created_at, revoked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING",
    )
    .bind(source.id.as_str())
    .bind(source.tenant.as_str())
    .bind(source.kind.as_str())
    .bind(text(&source.name))
    .bind(source.mapping.as_ref().map(|mapping| text(mapping.as_str())))
    .bind(source.rate_limit.map(|limit| i64::from(limit.get())))
    .bind(source.forward_to.as_ref().map(Sealed::as_bytes))
    .bind(source.created_at.unix_micros())
    .bind(source.revoked_at.map(Timestamp::unix_micros))
    .execute(&mut *connection)
    .await?;
    if added.rows_affected() == 0 {
        return Ok(Changed::Exists);
    }
    for secret in &source.secrets {
        insert_secret(connection, &source.id, secret).await?;
    }
    Ok(Changed::Yes)
}

async fn insert_secret(
    connection: &mut PgConnection,
    source: &SourceId,
    secret: &SourceSecret,
) -> Result<(), Failure> {
    sqlx::query("INSERT INTO source_secrets (source, sealed, created_at) VALUES ($1, $2, $3)")
        .bind(source.as_str())
        .bind(secret.sealed.as_bytes())
        .bind(secret.created_at.unix_micros())
        .execute(connection)
        .await?;
    Ok(())
}

async fn add_secret(
    connection: &mut PgConnection,
    source: &SourceId,
    secret: &SourceSecret,
) -> Result<Changed, Failure> {
    if let Changed::NotFound = retire_secrets(connection, source).await? {
        return Ok(Changed::NotFound);
    }
    insert_secret(connection, source, secret).await?;
    Ok(Changed::Yes)
}

async fn retire_secrets(connection: &mut PgConnection, source: &SourceId) -> Result<Changed, Failure> {
    if !is_there(connection, "SELECT 1 FROM sources WHERE id = $1", source.as_str()).await? {
        return Ok(Changed::NotFound);
    }
    let retired = sqlx::query(
        "DELETE FROM source_secrets
         WHERE source = $1 AND id < (SELECT max(id) FROM source_secrets WHERE source = $1)",
    )
    .bind(source.as_str())
    .execute(connection)
    .await?;
    Ok(if retired.rows_affected() > 0 { Changed::Yes } else { Changed::No })
}

async fn set_forward(
    connection: &mut PgConnection,
    source: &SourceId,
    to: Option<&Sealed>,
) -> Result<Changed, Failure> {
    let set = sqlx::query("UPDATE sources SET forward_to = $2 WHERE id = $1")
        .bind(source.as_str())
        .bind(to.map(Sealed::as_bytes))
        .execute(connection)
        .await?;
    Ok(if set.rows_affected() > 0 { Changed::Yes } else { Changed::NotFound })
}

async fn set_mapping(
    connection: &mut PgConnection,
    source: &SourceId,
    mapping: &MappingText,
) -> Result<Changed, Failure> {
    let set = sqlx::query("UPDATE sources SET mapping = $2 WHERE id = $1")
        .bind(source.as_str())
        .bind(text(mapping.as_str()))
        .execute(connection)
        .await?;
    Ok(if set.rows_affected() > 0 { Changed::Yes } else { Changed::NotFound })
}

async fn add_key(connection: &mut PgConnection, key: &ApiKey) -> Result<Changed, Failure> {
    let tenant = key.tenant.as_ref().map(|tenant| tenant.as_str());
    if let Some(tenant) = tenant
        && !is_there(connection, "SELECT 1 FROM tenants WHERE id = $1", tenant).await?
    {
        return Ok(Changed::NotFound);
    }
    if let Some(source) = &key.source {
        let owner = sqlx::query("SELECT tenant FROM sources WHERE id = $1")
            .bind(source.as_str())
            .fetch_optional(&mut *connection)
            .await?;
        let owner = owner.as_ref().map(|row| row.try_get::<&str, _>(0)).transpose()?;
        if owner.is_none() || owner != tenant {
            return Ok(Changed::NotFound);
        }
    }
    let added = sqlx::query(
        "INSERT INTO keys (id, tenant, source, scope, label, secret_sha256, created_at, revoked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
    )
    .bind(key.id.as_str())
    .bind(tenant)
    .bind(key.source.as_ref().map(|source| source.as_str()))
    .bind(key.scope.as_str())
    .bind(text(&key.label))
    .bind(key.secret_sha256)
    .bind(key.created_at.unix_micros())
    .bind(key.revoked_at.map(Timestamp::unix_micros))
    .execute(connection)
    .await?;
    Ok(Changed::if_added(added.rows_affected()))
}

/// Ends something and what hangs on it, where it has not ended yet: the first statement is the thing itself.
async fn revoke(
    connection: &mut PgConnection,
    what: &Registered,
    now: Timestamp,
) -> Result<Changed, Failure> {
    let (exists, id, statements): (_, _, &[&'static str]) = match what {
        Registered::Tenant(id) => (
            "SELECT 1 FROM tenants WHERE id = $1",
            id.as_str(),
            &[
                "UPDATE tenants SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
                "UPDATE sources SET revoked_at = $2 WHERE tenant = $1 AND revoked_at IS NULL",
                "UPDATE keys SET revoked_at = $2 WHERE tenant = $1 AND revoked_at IS NULL",
            ],
        ),
        Registered::Source(id) => (
            "SELECT 1 FROM sources WHERE id = $1",
            id.as_str(),
            &[
                "UPDATE sources SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
                "UPDATE keys SET revoked_at = $2 WHERE source = $1 AND revoked_at IS NULL",
            ],
        ),
        Registered::Key(id) => (
            "SELECT 1 FROM keys WHERE id = $1",
            id.as_str(),
            &["UPDATE keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL"],
        ),
    };
    if !is_there(connection, exists, id).await? {
        return Ok(Changed::NotFound);
    }
    let mut ended = 0;
    for statement in statements {
        let done = sqlx::query(*statement).bind(id).bind(now.unix_micros()).execute(&mut *connection).await?;
        ended += done.rows_affected();
    }
    Ok(if ended > 0 { Changed::Yes } else { Changed::No })
}

async fn is_there(connection: &mut PgConnection, query: &'static str, id: &str) -> Result<bool, Failure> {
    Ok(sqlx::query(query).bind(id).fetch_optional(connection).await?.is_some())
}
