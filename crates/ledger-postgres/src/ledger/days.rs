//! The partitions of events, one a UTC day, made when a day is first heard of.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use domain::timestamp::Timestamp;

use crate::database::Database;
use crate::failure::Failure;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The last day an instant can lie in: 2099-12-31.
const LAST_DAY: i64 = 47_481;

/// Days known to have their partition, or to need none any more.
#[derive(Default)]
pub(super) struct Days(Mutex<BTreeSet<i64>>);

impl Days {
    /// Makes the partitions events received at these instants need, and, so that nobody waits for it at midnight,
    /// those of today and tomorrow.
    pub(super) async fn make(
        &self,
        database: &Database,
        received: impl Iterator<Item = Timestamp>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let today = day(now);
        let mut wanted: BTreeSet<i64> = received.map(day).collect();
        wanted.extend([today, (today + 1).min(LAST_DAY)]);
        wanted.retain(|day| !self.known().contains(day));
        if wanted.is_empty() {
            return Ok(());
        }
        // In a transaction of its own, so that the lock it takes is not held while events are written.
        let days: Vec<i64> = wanted.iter().copied().collect();
        database.rows(|| sqlx::query("SELECT make_event_days($1)").bind(&days)).await?;
        self.known().extend(wanted);
        Ok(())
    }

    /// Asks anew next time.
    pub(super) fn forget(&self) {
        self.known().clear();
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeSet<i64>> {
        // A set is in order whatever its holder was doing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn day(at: Timestamp) -> i64 {
    at.unix_micros().div_euclid(MICROS_PER_DAY)
}
