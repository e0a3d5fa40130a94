//! How long things are kept.

use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a tenant's data is kept, counted from when it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Events, resolved quarantine and the marks of receipts.
    pub events: Duration,
    /// Rollups of sessions and appointments: no texts, no contacts.
    pub rollups: Duration,
}

impl Default for Retention {
    /// 90 days of events, a year of rollups.
    fn default() -> Self {
        Self { events: 90 * DAY, rollups: 365 * DAY }
    }
}
