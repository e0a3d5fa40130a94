//! What is configured.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use redis::RedisError;
use serde::Deserialize;

/// Where Redis is and how it is used.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisOptions {
    /// How Redis is laid out.
    pub mode: Mode,
    /// Addresses, `redis://[user[:password]@]host:port[/db]`, with `rediss` for TLS: the server, some nodes of the
    /// cluster, or the sentinels. User and password in a sentinel's address are for the sentinel.
    pub nodes: Vec<String>,
    /// What the sentinels call the master.
    pub master: String,
    /// The user of Redis' access control; the default user without. Instead of one in the address.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<String>,
    /// A file that holds the password, and nothing else but perhaps a line break.
    pub password_file: Option<PathBuf>,
    /// Certificates, PEM, of who may sign Redis' own; those of the system without. For `rediss` only.
    pub tls_ca_file: Option<PathBuf>,
    /// What all keys begin with: several installations can share a Redis.
    pub key_prefix: String,
    /// Messages held over all topics but `dead`, which nobody drains. Publishing beyond is refused. Divided evenly
    /// between the partitions.
    pub max_messages: u64,
    /// What to do where [`crate::RedisBus::check`] finds that Redis may lose what it accepted.
    pub safety: Safety,
    /// How long one command may take.
    #[serde(with = "humantime_serde")]
    pub response_timeout: Duration,
    /// How long connecting may take.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
}

/// How Redis is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One server.
    #[default]
    Single,
    /// A master and its replicas, watched by sentinels.
    Sentinel,
    /// A Redis Cluster.
    Cluster,
}

/// What to do about a Redis that may lose what it accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// Say so and go on.
    #[default]
    Warn,
    /// Do not start.
    Refuse,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            mode: Mode::Single,
            nodes: vec!["redis://127.0.0.1:6379".to_owned()],
            master: String::new(),
            username: None,
            password: None,
            password_file: None,
            tls_ca_file: None,
            key_prefix: "letopis".to_owned(),
            max_messages: 2_000_000,
            safety: Safety::Warn,
            response_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(2),
        }
    }
}

impl fmt::Debug for RedisOptions {
    /// Without what gives access: addresses may hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("mode", &self.mode)
            .field("nodes", &self.nodes.len())
            .field("master", &self.master)
            .field("username", &self.username)
            .field("key_prefix", &self.key_prefix)
            .field("max_messages", &self.max_messages)
            .field("safety", &self.safety)
            .field("response_timeout", &self.response_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}

/// Why there can be no bus with these options. Never that Redis is down.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No address was given.
    #[error("no address of redis is configured")]
    NoNodes,
    /// An address cannot be understood; counted from 1, for addresses may hold passwords.
    #[error("address {0} of redis is not of the form redis://host:port or rediss://host:port")]
    Node(usize),
    /// Sentinels were given, and no master to ask them for.
    #[error("the name by which the sentinels know the master is not configured")]
    NoMaster,
    /// Both a password and a file for it.
    #[error("both a password and a password file are configured for redis")]
    TwoPasswords,
    /// Certificates for connections without TLS.
    #[error("a certificate file is configured for redis, but an address is not rediss://")]
    CertificatesWithoutTls,
    /// Some addresses ask for TLS and others do not.
    #[error("some addresses of redis are rediss:// and others are not")]
    MixedTls,
    /// The prefix would break the keys' hash tags.
    #[error("the key prefix must be 1 to 64 letters, digits, '-', '_', '.' or ':'")]
    KeyPrefix,
    /// A file cannot be read.
    #[error("{path} could not be read")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The client does not accept these options.
    #[error("the client of redis could not be set up")]
    Client(#[source] RedisError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_of_the_options_gives_no_access() {
        let options = RedisOptions {
            nodes: vec!["redis://user:hunter2@host".to_owned()],
            password: Some("hunter2".to_owned()),
            ..RedisOptions::default()
        };
        assert!(!format!("{options:?}").contains("hunter2"));
    }
}
