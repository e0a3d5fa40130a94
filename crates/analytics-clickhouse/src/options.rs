//! Where ClickHouse is, who we are there, and how long we wait.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

/// The options of analytics on ClickHouse.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClickHouseOptions {
    /// `http://` or `https://`, host and port of its HTTP interface. Certificates are checked against those the system
    /// trusts, or the file `SSL_CERT_FILE` names.
    pub url: String,
    /// The user of the services.
    pub user: String,
    /// Its password.
    pub password: String,
    /// A file with its password, instead.
    pub password_file: PathBuf,
    /// The user who migrates; empty: `user`, with its password.
    pub owner_user: String,
    /// Its password.
    pub owner_password: String,
    /// A file with its password, instead.
    pub owner_password_file: PathBuf,
    /// The database: Latin letters, digits and underscores.
    pub database: String,
    /// The cluster, as `system.clusters` names it; empty: a single server.
    pub cluster: String,
    /// Events that are written without waiting for more.
    pub max_rows: NonZeroUsize,
    /// How long fewer events wait for more.
    #[serde(with = "humantime_serde")]
    pub max_age: Duration,
    /// How long writing may take.
    #[serde(with = "humantime_serde")]
    pub insert_timeout: Duration,
    /// How long a question may take.
    #[serde(with = "humantime_serde")]
    pub query_timeout: Duration,
    /// How long one statement of the sweep or of a migration may take.
    #[serde(with = "humantime_serde")]
    pub sweep_timeout: Duration,
}

impl Default for ClickHouseOptions {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8123".to_owned(),
            user: "default".to_owned(),
            password: String::new(),
            password_file: PathBuf::new(),
            owner_user: String::new(),
            owner_password: String::new(),
            owner_password_file: PathBuf::new(),
            database: "letopis".to_owned(),
            cluster: String::new(),
            max_rows: NonZeroUsize::new(5_000).unwrap_or(NonZeroUsize::MIN),
            max_age: Duration::from_millis(200),
            insert_timeout: Duration::from_secs(10),
            query_timeout: Duration::from_secs(10),
            sweep_timeout: Duration::from_secs(300),
        }
    }
}

/// Shows everything but passwords.
impl fmt::Debug for ClickHouseOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = |text: &str| if text.is_empty() { "" } else { "…" };
        f.debug_struct("ClickHouseOptions")
            .field("url", &self.url)
            .field("user", &self.user)
            .field("password", &secret(&self.password))
            .field("password_file", &self.password_file)
            .field("owner_user", &self.owner_user)
            .field("owner_password", &secret(&self.owner_password))
            .field("owner_password_file", &self.owner_password_file)
            .field("database", &self.database)
            .field("cluster", &self.cluster)
            .field("max_rows", &self.max_rows)
            .field("max_age", &self.max_age)
            .field("insert_timeout", &self.insert_timeout)
            .field("query_timeout", &self.query_timeout)
            .field("sweep_timeout", &self.sweep_timeout)
            .finish()
    }
}

/// Why analytics cannot be opened with these options.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is of another form.
    #[error("url must be http:// or https://, a host and a port, without user or password in it")]
    Url,
    /// The name of the database holds other characters.
    #[error("database must be one to 64 Latin letters, digits and underscores")]
    Database,
    /// The name of the cluster holds other characters.
    #[error("cluster must be at most 64 Latin letters, digits, underscores, hyphens and dots")]
    Cluster,
    /// A password and a file with one.
    #[error("{0} and {0}_file contradict each other: give one")]
    TwoPasswords(&'static str),
    /// The file cannot be read.
    #[error("{what}_file {path} cannot be read")]
    PasswordFile {
        /// Which option.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The system has no certificates, which the client needs even where it will not use them.
    #[error(
        "no trusted certificates on this system: install ca-certificates, or name a file in SSL_CERT_FILE"
    )]
    NoCertificates,
    /// The thread that writes cannot be started.
    #[error("the thread that writes cannot be started")]
    Thread(#[source] std::io::Error),
}

/// A user and the password.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl ClickHouseOptions {
    /// Who the services are.
    pub(crate) fn login(&self) -> Result<Login, OpenError> {
        let password = password("password", &self.password, &self.password_file)?;
        Ok(Login { user: self.user.clone(), password })
    }

    /// Who migrates.
    pub(crate) fn owner_login(&self) -> Result<Login, OpenError> {
        if self.owner_user.is_empty() {
            return self.login();
        }
        let password = password("owner_password", &self.owner_password, &self.owner_password_file)?;
        Ok(Login { user: self.owner_user.clone(), password })
    }

    /// Checks what goes into addresses and statements as it is.
    pub(crate) fn validate(&self) -> Result<(), OpenError> {
        let host = self.url.strip_prefix("http://").or_else(|| self.url.strip_prefix("https://"));
        if host.is_none_or(|host| host.is_empty() || host.contains(['@', '?', '#', ' '])) {
            return Err(OpenError::Url);
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !(1..=64).contains(&self.database.len()) || !self.database.chars().all(is_word) {
            return Err(OpenError::Database);
        }
        if self.cluster.len() > 64 || !self.cluster.chars().all(|c| is_word(c) || c == '-' || c == '.') {
            return Err(OpenError::Cluster);
        }
        Ok(())
    }
}

fn password(what: &'static str, given: &str, file: &Path) -> Result<String, OpenError> {
    if file.as_os_str().is_empty() {
        return Ok(given.to_owned());
    }
    if !given.is_empty() {
        return Err(OpenError::TwoPasswords(what));
    }
    let text = std::fs::read_to_string(file).map_err(|cause| OpenError::PasswordFile {
        what,
        path: file.to_owned(),
        cause,
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_password() {
        let options = ClickHouseOptions {
            password: "geheim".into(),
            owner_password: "secret".into(),
            ..Default::default()
        };
        let shown = format!("{options:?}");
        assert!(!shown.contains("geheim") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn names_that_would_change_a_statement_and_addresses_with_a_password_are_refused() {
        let refused = [
            ClickHouseOptions { url: "127.0.0.1:8123".into(), ..Default::default() },
            ClickHouseOptions { url: "http://user:password@host:8123".into(), ..Default::default() },
            ClickHouseOptions { database: String::new(), ..Default::default() },
            ClickHouseOptions { database: "a`b".into(), ..Default::default() },
            ClickHouseOptions { cluster: "a' b".into(), ..Default::default() },
        ];
        for options in refused {
            assert!(options.validate().is_err(), "{options:?}");
        }
        ClickHouseOptions::default().validate().unwrap();
    }
}
