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
            partitions: NonZeroU16::new(8).expect("not zero"),
        }
    }
}
