//! Limits and habits of the door.

use std::num::{NonZeroU16, NonZeroU32, NonZeroUsize};
use std::time::Duration;

use serde::Deserialize;

/// The section `[ingest]` of a service's settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The largest body as sent.
    pub max_body_bytes: NonZeroUsize,
    /// The largest body after unpacking.
    pub max_decompressed_bytes: NonZeroUsize,
    /// The largest single event or webhook delivery.
    pub max_event_bytes: NonZeroUsize,
    /// The most events in one request.
    pub max_batch_events: NonZeroUsize,
    /// Events a second a source may send on average, unless it has a limit of its own.
    pub rate_per_second: NonZeroU32,
    /// Events a source may send at once; scaled with a source's own limit.
    pub burst: NonZeroU32,
    /// What `Retry-After` says when the bus is down or full.
    #[serde(with = "humantime_serde")]
    pub retry_after: Duration,
    /// How deliveries are passed on to bots.
    pub forward: Forward,
    /// How many partitions the topics have. The same everywhere, and not changed while messages wait.
    pub partitions: NonZeroU16,
}

impl Default for Config {
    fn default() -> Self {
        let bytes = |count| NonZeroUsize::new(count).expect("not zero");
        let events = |count| NonZeroU32::new(count).expect("not zero");
        Self {
            max_body_bytes: bytes(4 * 1024 * 1024),
            max_decompressed_bytes: bytes(16 * 1024 * 1024),
            max_event_bytes: bytes(128 * 1024),
            max_batch_events: bytes(1000),
            rate_per_second: events(1000),
            burst: events(5000),
            retry_after: Duration::from_secs(2),
            forward: Forward::default(),
            partitions: NonZeroU16::new(8).expect("not zero"),
        }
    }
}

/// The section `[ingest.forward]`: how deliveries are passed on to the bots behind sources.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Forward {
    /// How long a bot may take to answer. Telegram itself waits for about a minute.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// How long a bot may take to take a connection.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// Deliveries a bot is passed at once, by each process.
    pub at_once: NonZeroUsize,
    /// The largest answer that is read and recorded; a larger one is only passed back.
    pub max_answer_bytes: NonZeroUsize,
}

impl Default for Forward {
    fn default() -> Self {
        let number = |count| NonZeroUsize::new(count).expect("not zero");
        Self {
            timeout: Duration::from_secs(50),
            connect_timeout: Duration::from_secs(5),
            at_once: number(100),
            max_answer_bytes: number(1024 * 1024),
        }
    }
}
