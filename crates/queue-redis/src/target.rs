//! From options to a client.

use std::time::Duration;

use ports::queue::{OpenQueueError, QueueOptions};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion, TlsCertificates,
};
use uuid::Uuid;

const FORM: &str = "redis://user@host:port/db or rediss://user@host:port/db";
/// What the names of our consumers begin with: those are ours to tidy away.
pub(crate) const CONSUMERS: &str = "letopis-";

/// What to connect to, and as whom.
pub(crate) struct Target {
    pub(crate) client: Client,
    pub(crate) stream: String,
    pub(crate) group: String,
    pub(crate) consumer: String,
    pub(crate) field: String,
    pub(crate) hold_for: Duration,
    pub(crate) timeout: Duration,
}

impl Target {
    pub(crate) fn new(options: &QueueOptions) -> Result<Self, OpenQueueError> {
        let url = options.url.as_str();
        let info = url.into_connection_info().map_err(|_may_quote_it| OpenQueueError::Url(FORM))?;
        let mut settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2);
        if let Some(password) = &options.password {
            settings = settings.set_password(password);
        }
        let is_tls = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        let info = info.set_redis_settings(settings);
        if is_tls {
            choose_cryptography();
        }
        let client = match &options.ca {
            Some(_) if !is_tls => return Err(OpenQueueError::CertificatesWithoutTls),
            Some(pem) => Client::build_with_tls(
                info,
                TlsCertificates { client_tls: None, root_cert: Some(pem.clone()) },
            ),
            None => Client::open(info),
        };
        Ok(Self {
            client: client.map_err(|error| OpenQueueError::Client(error.into()))?,
            stream: options.name.clone(),
            group: options.group.clone(),
            consumer: format!("{CONSUMERS}{}", Uuid::new_v4().simple()),
            field: options.field.to_ascii_lowercase(),
            hold_for: options.hold_for,
            timeout: options.timeout,
        })
    }

    /// How often to look for what others hold no more.
    pub(crate) fn look_every(&self) -> Duration {
        self.hold_for / 4
    }

    /// For the connection over which everything is answered at once.
    pub(crate) fn prompt(&self) -> AsyncConnectionConfig {
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(self.timeout));
        config.set_response_timeout(Some(self.timeout))
    }

    /// For the one that waits: as long as it is told to.
    pub(crate) fn patient(&self) -> AsyncConnectionConfig {
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(self.timeout));
        config.set_response_timeout(None)
    }
}

/// The one the whole workspace is built with; the client of Redis takes the process' choice.
fn choose_cryptography() {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("the process has chosen its cryptography already");
    }
}
