//! From options to a client of Redis: addresses, users, certificates.

use std::path::Path;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion,
    RedisError, TlsCertificates, TlsMode,
};
use tokio::sync::Mutex;

use crate::options::{Mode, OpenError, RedisOptions};

/// Commands that may wait for the connection's writer.
const WRITE_QUEUE: usize = 256;

/// What to connect to.
pub(crate) struct Target {
    place: Place,
    config: AsyncConnectionConfig,
    connect_timeout: Duration,
}

enum Place {
    Single(Box<Client>),
    Sentinel(Box<Mutex<SentinelClient>>),
    Cluster {
        cluster: Box<ClusterClient>,
        /// Each node by itself: any of them passes on what is called out on a channel.
        nodes: Vec<Client>,
    },
}

/// A connection that many share.
#[derive(Clone)]
pub(crate) enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Target {
    /// Reads the files that are named, and connects to nothing.
    pub(crate) fn new(options: &RedisOptions) -> Result<Self, OpenError> {
        let access = Access::of(options)?;
        let nodes = access.nodes(options)?;
        let place = match options.mode {
            Mode::Single => {
                let node = nodes.into_iter().next().ok_or(OpenError::NoNodes)?;
                Place::Single(Box::new(access.client(node)?))
            }
            Mode::Sentinel => Place::Sentinel(Box::new(Mutex::new(access.sentinel(options, &nodes)?))),
            Mode::Cluster => Place::Cluster {
                cluster: Box::new(access.cluster(options, &nodes)?),
                nodes: nodes.into_iter().map(|node| access.client(node)).collect::<Result<_, _>>()?,
            },
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(options.connect_timeout))
            .set_response_timeout(Some(options.response_timeout))
            .set_pipeline_buffer_size(WRITE_QUEUE);
        Ok(Self { place, config, connect_timeout: options.connect_timeout })
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self.place, Place::Cluster { .. })
    }

    /// Connects, to the master if there are sentinels.
    pub(crate) async fn connect(&self) -> Result<Connection, RedisError> {
        let client = match &self.place {
            Place::Single(client) => client,
            Place::Sentinel(sentinel) => &sentinel.lock().await.async_get_client().await?,
            Place::Cluster { cluster, .. } => {
                return Ok(Connection::Cluster(cluster.get_async_connection().await?));
            }
        };
        let connection = client.get_multiplexed_async_connection_with_config(&self.config).await?;
        Ok(Connection::One(connection))
    }

    /// A client for a connection that listens. `turn` picks the node where several will do.
    pub(crate) async fn listener(&self, turn: usize) -> Result<Client, RedisError> {
        match &self.place {
            Place::Single(client) => Ok(Client::clone(client)),
            Place::Sentinel(sentinel) => sentinel.lock().await.async_get_client().await,
            Place::Cluster { nodes, .. } => nodes
                .get(turn % nodes.len().max(1))
                .cloned()
                .ok_or_else(|| RedisError::from((redis::ErrorKind::InvalidClientConfig, "no nodes"))),
        }
    }
}

/// What gives access.
struct Access {
    username: Option<String>,
    password: Option<String>,
    certificates: Option<TlsCertificates>,
}

impl Access {
    fn of(options: &RedisOptions) -> Result<Self, OpenError> {
        let password = match (&options.password, &options.password_file) {
            (Some(_), Some(_)) => return Err(OpenError::TwoPasswords),
            (None, Some(path)) => {
                let bytes = read(path)?;
                Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned())
            }
            (password, None) => password.clone(),
        };
        let certificates = match &options.tls_ca_file {
            None => None,
            Some(path) => Some(TlsCertificates { client_tls: None, root_cert: Some(read(path)?) }),
        };
        Ok(Self { username: options.username.clone(), password, certificates })
    }

    /// The addresses, with the user that is configured apart from them.
    fn nodes(&self, options: &RedisOptions) -> Result<Vec<ConnectionInfo>, OpenError> {
        let parse = |(index, node): (usize, &String)| {
            let info = node.as_str().into_connection_info().map_err(|_hidden| OpenError::Node(index + 1))?;
            let mut settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2);
            if options.mode != Mode::Sentinel {
                if let Some(username) = &self.username {
                    settings = settings.set_username(username);
                }
                if let Some(password) = &self.password {
                    settings = settings.set_password(password);
                }
            }
            Ok(info.set_redis_settings(settings))
        };
        let nodes: Vec<_> = options.nodes.iter().enumerate().map(parse).collect::<Result<_, OpenError>>()?;
        let with_tls = nodes.iter().filter(|node| is_tls(node)).count();
        match (with_tls, nodes.len()) {
            (_, 0) => Err(OpenError::NoNodes),
            (0, _) if self.certificates.is_some() => Err(OpenError::CertificatesWithoutTls),
            (some, all) if some > 0 && some < all => Err(OpenError::MixedTls),
            (some, _) => {
                if some > 0 {
                    choose_cryptography();
                }
                Ok(nodes)
            }
        }
    }

    fn client(&self, node: ConnectionInfo) -> Result<Client, OpenError> {
        match &self.certificates {
            None => Client::open(node),
            Some(certificates) => Client::build_with_tls(node, certificates.clone()),
        }
        .map_err(OpenError::Client)
    }

    fn cluster(&self, options: &RedisOptions, nodes: &[ConnectionInfo]) -> Result<ClusterClient, OpenError> {
        let mut builder = ClusterClient::builder(nodes.to_vec())
            .connection_timeout(options.connect_timeout)
            .response_timeout(options.response_timeout)
            .overall_response_timeout(Some(options.response_timeout + options.connect_timeout))
            .use_protocol(ProtocolVersion::RESP2)
            // The client would send again what was lost on the way back, and publish it twice.
            .retries(0);
        if let Some(certificates) = &self.certificates {
            builder = builder.certs(certificates.clone());
        }
        builder.build().map_err(OpenError::Client)
    }

    fn sentinel(
        &self,
        options: &RedisOptions,
        nodes: &[ConnectionInfo],
    ) -> Result<SentinelClient, OpenError> {
        let Some(first) = nodes.first() else { return Err(OpenError::NoNodes) };
        if options.master.is_empty() {
            return Err(OpenError::NoMaster);
        }
        let addresses: Vec<ConnectionAddr> = nodes.iter().map(|node| node.addr().clone()).collect();
        let mut builder = SentinelClientBuilder::new(addresses, &options.master, SentinelServerType::Master)
            .map_err(OpenError::Client)?
            .set_client_to_redis_protocol(ProtocolVersion::RESP2)
            .set_client_to_sentinel_protocol(ProtocolVersion::RESP2)
            .set_client_to_redis_db(first.redis_settings().db());
        if let Some(username) = first.redis_settings().username() {
            builder = builder.set_client_to_sentinel_username(username);
        }
        if let Some(password) = first.redis_settings().password() {
            builder = builder.set_client_to_sentinel_password(password);
        }
        if let Some(username) = &self.username {
            builder = builder.set_client_to_redis_username(username);
        }
        if let Some(password) = &self.password {
            builder = builder.set_client_to_redis_password(password);
        }
        if is_tls(first) {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        }
        if let Some(certificates) = &self.certificates {
            builder = builder
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_certificates(certificates.clone());
        }
        builder.build().map_err(OpenError::Client)
    }
}

fn is_tls(node: &ConnectionInfo) -> bool {
    matches!(node.addr(), ConnectionAddr::TcpTls { .. })
}

/// The one the whole workspace is built with; the client of Redis takes the process' choice.
fn choose_cryptography() {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("the process has chosen its cryptography already");
    }
}

fn read(path: &Path) -> Result<Vec<u8>, OpenError> {
    std::fs::read(path).map_err(|source| OpenError::File { path: path.to_owned(), source })
}
