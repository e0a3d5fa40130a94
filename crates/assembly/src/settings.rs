//! The sections of the settings that both shapes have.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use ports::bus::company;
use serde::Deserialize;

/// `[http]`: the port for senders and readers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address people and senders use, when it differs from `listen`; else empty.
    pub public_url: String,
    /// Threads that answer requests; 0 is one a core.
    pub workers: usize,
    /// How long a client may take to send the head of a request.
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// How long what is in hand may take once the process is told to stop.
    #[serde(with = "humantime_serde")]
    pub shutdown_grace: Duration,
}

/// `[admin]`: the port for probes and Prometheus.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// Where to listen; `None` (written as an empty text) is no port of its own.
    #[serde(deserialize_with = "address_or_empty")]
    pub listen: Option<SocketAddr>,
}

/// `[consumer]`: how messages are worked through.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consumer {
    /// Messages taken at once.
    pub batch: NonZeroUsize,
    /// Deliveries of one message before it is given up.
    pub max_attempts: NonZeroU32,
}

/// `[retention]`: how long things are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Full events, counted from when they were received.
    #[serde(with = "humantime_serde")]
    pub events: Duration,
    /// Rollups of sessions and appointments.
    #[serde(with = "humantime_serde")]
    pub rollups: Duration,
}

/// Fails when settings that every shape has contradict each other.
pub fn validate(
    ingest: &ingest_gateway::Config,
    claim_ttl: Duration,
    consumer: &Consumer,
    retention: &Retention,
) -> anyhow::Result<()> {
    anyhow::ensure!(
        ingest.max_event_bytes <= ingest.max_decompressed_bytes,
        "ingest.max_event_bytes must not exceed ingest.max_decompressed_bytes"
    );
    anyhow::ensure!(claim_ttl >= Duration::from_secs(1), "bus.claim_ttl must be at least 1s");
    // Before that a message that kills its handler has company, which would be given up with it.
    anyhow::ensure!(
        company(consumer.max_attempts.get()) == 1,
        "consumer.max_attempts must be at least 4: only from its fourth delivery on is a message alone"
    );
    // What is made of events must not be gone before them.
    anyhow::ensure!(
        retention.events <= retention.rollups,
        "retention.events must not exceed retention.rollups"
    );
    Ok(())
}

impl From<&Retention> for domain::retention::Retention {
    fn from(settings: &Retention) -> Self {
        Self { events: settings.events, rollups: settings.rollups }
    }
}

fn address_or_empty<'de, D: serde::Deserializer<'de>>(source: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(source)?;
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(serde::de::Error::custom) }
}
