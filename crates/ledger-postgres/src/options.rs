//! Settings of the connection to PostgreSQL.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use serde::Deserialize;
use sqlx::postgres::PgConnectOptions;

/// How PostgreSQL is reached, and how long it is waited for.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PostgresOptions {
    /// Where the database is, and as whom: `postgres://letopis@db:5432/letopis?sslmode=verify-full`.
    pub url: String,
    /// The password, unless the URL holds it. Empty: none.
    pub password: String,
    /// A file with the password, without the line's end; goes before `password`. Empty: none.
    pub password_file: PathBuf,
    /// As whom to migrate: a role that owns the schema. Empty: as in `url`. Services have no use for it.
    pub owner_url: String,
    /// The schema everything lies in: a lower-case name of letters, digits and `_`.
    pub schema: String,
    /// How many connections this process opens at the most.
    pub max_connections: u32,
    /// How long to wait for a connection: a free one, or a new one.
    #[serde(with = "humantime_serde")]
    pub acquire_timeout: Duration,
    /// How long one statement may run.
    #[serde(with = "humantime_serde")]
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock.
    #[serde(with = "humantime_serde")]
    pub lock_timeout: Duration,
    /// After how long the server ends a transaction whose client went silent.
    #[serde(with = "humantime_serde")]
    pub idle_in_transaction_timeout: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            url: "postgres://letopis@127.0.0.1:5432/letopis".to_owned(),
            password: String::new(),
            password_file: PathBuf::new(),
            owner_url: String::new(),
            schema: "letopis".to_owned(),
            max_connections: 8,
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(15),
            lock_timeout: Duration::from_secs(5),
            idle_in_transaction_timeout: Duration::from_secs(30),
        }
    }
}

impl fmt::Debug for PostgresOptions {
    /// Without the URLs and the password, which are secrets or hold them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("schema", &self.schema)
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

/// Why the settings cannot be used. Says nothing about whether PostgreSQL answers.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not a URL of PostgreSQL. The cause is left out, for it repeats what may be a password.
    #[error("the {setting} is not of the form postgres://user@host:5432/database")]
    Url {
        /// Which setting.
        setting: &'static str,
    },
    /// The file is not there, or may not be read.
    #[error("the password file {} cannot be read", path.display())]
    PasswordFile {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The name would have to be quoted everywhere.
    #[error("the schema {0:?} must be a lower-case name of letters, digits and _, at most 63 of them")]
    Schema(String),
    /// Nothing could be done without a connection.
    #[error("max_connections must be at least 1")]
    NoConnections,
}

impl PostgresOptions {
    /// The role the services work as.
    pub fn role(&self) -> Result<String, OpenError> {
        Ok(parse(&self.url, "url")?.get_username().to_owned())
    }

    /// How the services connect.
    pub(crate) fn for_services(&self) -> Result<PgConnectOptions, OpenError> {
        let mut options = parse(&self.url, "url")?;
        if !self.password_file.as_os_str().is_empty() {
            options = options.password(&read_password(&self.password_file)?);
        } else if !self.password.is_empty() {
            options = options.password(&self.password);
        }
        self.for_statements(options)
    }

    /// How the owner connects to do what services do, and more.
    pub(crate) fn for_owner(&self) -> Result<PgConnectOptions, OpenError> {
        if self.owner_url.is_empty() {
            return self.for_services();
        }
        self.for_statements(parse(&self.owner_url, "owner_url")?)
    }

    fn for_statements(&self, options: PgConnectOptions) -> Result<PgConnectOptions, OpenError> {
        if self.max_connections == 0 {
            return Err(OpenError::NoConnections);
        }
        let millis = |duration: Duration| duration.as_millis().to_string();
        Ok(options.application_name("letopis").options([
            ("search_path", self.search_path()?),
            ("statement_timeout", millis(self.statement_timeout)),
            ("lock_timeout", millis(self.lock_timeout)),
            ("idle_in_transaction_session_timeout", millis(self.idle_in_transaction_timeout)),
            // What is answered is on the disk, and a statement sees what was committed before it: relied upon, so
            // not left to what a database or role has been set to.
            ("synchronous_commit", "on".to_owned()),
            ("default_transaction_isolation", "read committed".to_owned()),
            ("client_min_messages", "warning".to_owned()),
            // Compiling a statement takes longer than any of ours.
            ("jit", "off".to_owned()),
        ]))
    }

    /// How the migrator connects: it may run as long as it takes, but makes nobody queue behind it for long.
    pub(crate) fn for_migrations(&self) -> Result<PgConnectOptions, OpenError> {
        if self.owner_url.is_empty() {
            let options = self.for_services()?;
            return Ok(options.application_name("letopis migrate").options([("statement_timeout", "0")]));
        }
        let millis = |duration: Duration| duration.as_millis().to_string();
        Ok(parse(&self.owner_url, "owner_url")?.application_name("letopis migrate").options([
            ("search_path", self.search_path()?),
            ("lock_timeout", millis(self.lock_timeout)),
            ("client_min_messages", "warning".to_owned()),
        ]))
    }

    /// Only our own schema: a table of the same name elsewhere is never taken for ours.
    pub(crate) fn search_path(&self) -> Result<String, OpenError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let starts_well = self.schema.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        if !starts_well || self.schema.len() > 63 || !self.schema.chars().all(plain) {
            return Err(OpenError::Schema(self.schema.clone()));
        }
        Ok(format!("\"{}\",pg_temp", self.schema))
    }

    /// The longest any call takes, whatever the server does: one that was stopped does not keep its own timeouts.
    pub(crate) fn deadline(&self) -> Duration {
        self.acquire_timeout + self.statement_timeout
    }
}

fn parse(url: &str, setting: &'static str) -> Result<PgConnectOptions, OpenError> {
    // The parser itself takes any scheme.
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(OpenError::Url { setting });
    }
    PgConnectOptions::from_str(url).map_err(|_repeats_the_url| OpenError::Url { setting })
}

fn read_password(path: &Path) -> Result<String, OpenError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| OpenError::PasswordFile { path: path.to_owned(), source })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_the_settings_is_said_without_repeating_a_secret() {
        let wrong = PostgresOptions { url: "mysql://u:s3cret@h/d".to_owned(), ..PostgresOptions::default() };
        let Err(error) = wrong.for_services() else { panic!("it was taken") };
        assert!(matches!(error, OpenError::Url { setting: "url" }), "{error}");
        assert!(!format!("{error:?} {error} {wrong:?}").contains("s3cret"));
    }

    #[test]
    fn a_schema_that_needs_quoting_is_refused() {
        for name in ["", "Letopis", "a b", "a\"b", "1a", "a,b"] {
            let options = PostgresOptions { schema: name.to_owned(), ..PostgresOptions::default() };
            assert!(matches!(options.for_services(), Err(OpenError::Schema(_))), "{name:?}");
        }
    }

    #[test]
    fn a_missing_password_file_is_named() {
        let options =
            PostgresOptions { password_file: "/nowhere/password".into(), ..PostgresOptions::default() };
        assert!(matches!(options.for_services(), Err(OpenError::PasswordFile { .. })));
    }
}
