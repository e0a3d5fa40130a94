//! Bringing the schema up to date: forward only, safe to repeat, safe to do from several places at once.

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, Row as _};

use crate::failure::Failure;
use crate::options::{OpenError, PostgresOptions};
use crate::schema::{MIGRATIONS, Migration};

/// What the role of the services may do, table by table; nothing else.
const RIGHTS: [(&str, &str); 22] = [
    ("SELECT", "schema_migrations"),
    ("SELECT, UPDATE", "retention"),
    ("SELECT, INSERT", "events"),
    ("SELECT, INSERT, DELETE", "event_ids"),
    ("SELECT, INSERT, UPDATE, DELETE", "receipts"),
    ("SELECT, INSERT, UPDATE", "books"),
    ("SELECT, INSERT, UPDATE, DELETE", "sessions"),
    ("SELECT, INSERT, UPDATE, DELETE", "links"),
    ("SELECT, INSERT, UPDATE, DELETE", "touches"),
    ("SELECT, INSERT, UPDATE (occurred_at)", "consents"),
    ("SELECT, INSERT, UPDATE, DELETE", "quarantine"),
    ("SELECT, UPDATE", "registry"),
    ("SELECT, INSERT, UPDATE", "tenants"),
    ("SELECT, INSERT, UPDATE", "sources"),
    ("SELECT, INSERT, DELETE", "source_secrets"),
    ("SELECT, INSERT, UPDATE", "keys"),
    ("SELECT, INSERT, UPDATE", "source_states"),
    ("SELECT, INSERT, UPDATE, DELETE", "source_periods"),
    ("SELECT, INSERT, UPDATE, DELETE", "source_refusals"),
    ("SELECT, INSERT", "audit"),
    ("SELECT, INSERT, UPDATE", "probe"),
    ("EXECUTE", "FUNCTION make_event_days(bigint[]), drop_swept_event_day()"),
];

/// A migration that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its number, from 1.
    pub version: i32,
    /// What it is about.
    pub name: &'static str,
}

/// Why the schema could not be brought up to date. What was applied before stays applied.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The settings cannot be used.
    #[error(transparent)]
    Options(#[from] OpenError),
    /// PostgreSQL does not answer, or does not let this role do it.
    #[error("postgresql could not be migrated")]
    Postgres(#[source] ports::Cause),
    /// A migration differs from what was applied under its number: it was edited, or the schema is another product's.
    #[error("migration {version} is not the one that was applied to this schema; nothing was changed")]
    Changed {
        /// Which one.
        version: i32,
    },
    /// A newer release has migrated it.
    #[error("the schema has version {found}, this release knows {known}; use a newer release")]
    Newer {
        /// The version of the schema.
        found: i32,
        /// The newest version known here.
        known: i32,
    },
}

impl From<Failure> for MigrateError {
    fn from(failure: Failure) -> Self {
        Self::Postgres(Box::new(failure))
    }
}

impl From<sqlx::Error> for MigrateError {
    fn from(error: sqlx::Error) -> Self {
        Failure::from(error).into()
    }
}

/// Applies what is missing, each migration in a transaction of its own, and gives `app_role`, which must exist, the
/// rights the services need. Returns what was applied now.
pub async fn migrate(
    options: &PostgresOptions,
    app_role: Option<&str>,
) -> Result<Vec<Applied>, MigrateError> {
    migrate_to(options, app_role, &MIGRATIONS).await
}

async fn migrate_to(
    options: &PostgresOptions,
    app_role: Option<&str>,
    migrations: &'static [Migration],
) -> Result<Vec<Applied>, MigrateError> {
    let connect: PgConnectOptions = options.for_migrations()?;
    let connecting = tokio::time::timeout(options.deadline(), connect.connect());
    let mut connection = connecting.await.map_err(|_elapsed| Failure::Deadline)??;
    lock(&mut connection, &options.schema).await?;
    create_schema(&mut connection, &options.schema).await?;
    let found = check_applied(&mut connection, migrations).await?;
    let mut applied = Vec::new();
    for migration in migrations.iter().filter(|migration| migration.version > found) {
        apply(&mut connection, migration).await?;
        applied.push(Applied { version: migration.version, name: migration.name });
    }
    if let Some(role) = app_role {
        grant(&mut connection, &options.schema, role).await?;
    }
    // Ends the lock with the session.
    connection.close().await?;
    Ok(applied)
}

/// One migrator at a time a schema, for as long as the session lasts. The other one may take its time.
async fn lock(connection: &mut PgConnection, schema: &str) -> Result<(), MigrateError> {
    let row = sqlx::query("SELECT current_setting('lock_timeout')").fetch_one(&mut *connection).await?;
    let lock_timeout: String = row.try_get(0)?;
    let set = "SELECT set_config('lock_timeout', $1, false)";
    sqlx::query(set).bind("0").execute(&mut *connection).await?;
    sqlx::query("SELECT pg_advisory_lock(hashtextextended('letopis migrations: ' || $1, 0))")
        .bind(schema)
        .execute(&mut *connection)
        .await?;
    sqlx::query(set).bind(lock_timeout).execute(connection).await?;
    Ok(())
}

/// The role may own the schema without the right to create one.
async fn create_schema(connection: &mut PgConnection, schema: &str) -> Result<(), MigrateError> {
    let there = sqlx::query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1")
        .bind(schema)
        .fetch_optional(&mut *connection)
        .await?;
    if there.is_none() {
        let statement = format!("CREATE SCHEMA {}", quoted(schema));
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await?;
    }
    Ok(())
}

/// The version of the schema, if it came about by these migrations and no others.
async fn check_applied(connection: &mut PgConnection, migrations: &[Migration]) -> Result<i32, MigrateError> {
    let there: bool = sqlx::query("SELECT to_regclass('schema_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?
        .try_get(0)?;
    if !there {
        return Ok(0);
    }
    let rows = sqlx::query("SELECT version, checksum FROM schema_migrations ORDER BY version")
        .fetch_all(&mut *connection)
        .await?;
    let mut found = 0;
    for row in rows {
        let (version, checksum): (i32, String) = (row.try_get(0)?, row.try_get(1)?);
        found = version;
        if let Some(migration) = migrations.iter().find(|migration| migration.version == version)
            && checksum_of(connection, migration).await? != checksum
        {
            return Err(MigrateError::Changed { version });
        }
    }
    let known = migrations.last().map_or(0, |migration| migration.version);
    if found > known { Err(MigrateError::Newer { found, known }) } else { Ok(found) }
}

async fn apply(connection: &mut PgConnection, migration: &Migration) -> Result<(), MigrateError> {
    let checksum = checksum_of(connection, migration).await?;
    let mut transaction = connection.begin().await?;
    sqlx::raw_sql(migration.sql).execute(&mut *transaction).await?;
    sqlx::query("INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)")
        .bind(migration.version)
        .bind(migration.name)
        .bind(checksum)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

/// Taken by PostgreSQL, which has the function.
async fn checksum_of(connection: &mut PgConnection, migration: &Migration) -> Result<String, MigrateError> {
    let query = sqlx::query("SELECT encode(sha256($1), 'hex')").bind(migration.sql.as_bytes());
    Ok(query.fetch_one(connection).await?.try_get(0)?)
}

/// Gives the role its rights and takes away any other on these tables. The same every time.
async fn grant(connection: &mut PgConnection, schema: &str, role: &str) -> Result<(), MigrateError> {
    let owner: bool =
        sqlx::query("SELECT current_user = $1").bind(role).fetch_one(&mut *connection).await?.try_get(0)?;
    if owner {
        // One role for everything: it has all rights, and keeps them.
        return Ok(());
    }
    let (schema, role) = (quoted(schema), quoted(role));
    let mut transaction = connection.begin().await?;
    let mut statements = vec![
        format!("REVOKE ALL ON SCHEMA {schema} FROM {role}"),
        format!("REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}"),
        format!("GRANT USAGE ON SCHEMA {schema} TO {role}"),
    ];
    statements.extend(RIGHTS.iter().map(|(rights, on)| format!("GRANT {rights} ON {on} TO {role}")));
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
