//! From options to an address, certificates and habits.

use std::sync::Arc;
use std::time::Duration;

use lapin::ConnectionProperties;
use lapin::types::ShortString;
use lapin::uri::{AMQPScheme, AMQPUri};
use ports::queue::{OpenQueueError, QueueOptions};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

const FORM: &str = "amqp://user@host:port/vhost or amqps://user@host:port/vhost";
/// Seconds after which a broker that is silent is taken for gone, where the address says nothing else.
const HEARTBEAT: u16 = 10;

/// What to connect to.
pub(crate) struct Target {
    pub(crate) uri: AMQPUri,
    pub(crate) tls: Option<TlsConnector>,
    pub(crate) queue: ShortString,
    pub(crate) held: u16,
    pub(crate) timeout: Duration,
}

impl Target {
    pub(crate) fn new(options: &QueueOptions) -> Result<Self, OpenQueueError> {
        let mut uri: AMQPUri = options.url.parse().map_err(|_may_quote_it| OpenQueueError::Url(FORM))?;
        if let Some(password) = &options.password {
            uri.authority.userinfo.password.clone_from(password);
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT);
        let tls = match (&uri.scheme, &options.ca) {
            (AMQPScheme::AMQP, None) => None,
            (AMQPScheme::AMQP, Some(_)) => return Err(OpenQueueError::CertificatesWithoutTls),
            (AMQPScheme::AMQPS, ca) => Some(connector(ca.as_deref())?),
        };
        let queue = ShortString::from(options.name.as_str());
        Ok(Self { uri, tls, queue, held: options.held.get(), timeout: options.timeout })
    }

    /// How the broker's own pages call us.
    pub(crate) fn properties() -> ConnectionProperties {
        ConnectionProperties::default().with_connection_name("letopis".into())
    }
}

fn connector(ca: Option<&[u8]>) -> Result<TlsConnector, OpenQueueError> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(unreadable)?;
                roots.add(certificate).map_err(unreadable)?;
            }
        }
        None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
    }
    if roots.is_empty() {
        return Err(unreadable("there are none"));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| OpenQueueError::Client(error.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn unreadable(cause: impl Into<ports::Cause>) -> OpenQueueError {
    OpenQueueError::Certificates(cause.into())
}
