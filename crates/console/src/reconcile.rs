//! The books: accepted = stored + duplicate + quarantined + in flight, per tenant.
//!
//! Accepted are the receipts ever published to `raw`, as the bus counts them. Stored, duplicate and quarantined are
//! how the ledger says they ended. In flight are those on the way: `raw` by the normalizer, `events` and `quarantine`
//! by the ledger. Two things are left out on purpose: the topic `replay`, because its receipts are still counted as
//! quarantined; and the group analytics, which settles nothing in the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::id::TenantId;
use ports::bus::{BusError, EventBus, Group, Topic};
use ports::ledger::{Books, LedgerError, LedgerReader};
use serde::{Serialize, Serializer};

/// How often the books are read before an imbalance is believed.
const READINGS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(50);

/// Where a receipt can be on its way, in the order it gets there.
const ON_THE_WAY: [(Topic, Group); 4] = [
    (Topic::Raw, Group::Normalizer),
    (Topic::Apart, Group::Normalizer),
    (Topic::Events, Group::Ledger),
    (Topic::Quarantine, Group::Ledger),
];

/// The books of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TenantBooks {
    /// Whose.
    #[serde(serialize_with = "as_text")]
    pub tenant: TenantId,
    /// Receipts the gateway gave out.
    pub accepted: u64,
    /// Those that brought something new.
    pub stored: u64,
    /// Those that brought nothing new.
    pub duplicate: u64,
    /// Those that wait in quarantine.
    pub quarantined: u64,
    /// Those on their way. While traffic is live, one may be counted here and as settled at once.
    pub in_flight: u64,
    /// `accepted - stored - duplicate - quarantined - in_flight`: above zero, so many are missing.
    pub difference: i64,
    /// Whether every accepted receipt is accounted for and nothing is there that was never accepted.
    pub balanced: bool,
}

/// Why the books could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The bus did not say.
    #[error("the bus does not say what it accepted and holds")]
    Bus(#[source] BusError),
    /// The ledger did not say.
    #[error("the ledger does not open its books")]
    Ledger(#[source] LedgerError),
}

/// Reads the books of every tenant, in the order of their ids.
///
/// An imbalance is read again a few times before it is reported, so that it is not a hiccup of the reading.
pub async fn reconcile(
    bus: &dyn EventBus,
    ledger: &dyn LedgerReader,
) -> Result<Vec<TenantBooks>, ReconcileError> {
    let mut books = read(bus, ledger).await?;
    for _ in 1..READINGS {
        if books.iter().all(|books| books.balanced) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        books = read(bus, ledger).await?;
    }
    Ok(books)
}

/// One reading, whose order is what makes it sound while events keep coming.
///
/// What was accepted before the rest is read is, by the time it is read, either on the way or settled: the places on
/// the way are read in the order a receipt passes them, and the ledger last, so that one which moves on meanwhile is
/// met twice rather than never. What is settled by then was accepted before the second count. So with nothing lost
/// and nothing invented, `before <= settled + in_flight` and `settled <= after` hold at any load.
async fn read(bus: &dyn EventBus, ledger: &dyn LedgerReader) -> Result<Vec<TenantBooks>, ReconcileError> {
    let before = bus.accepted(Topic::Raw).await.map_err(ReconcileError::Bus)?;
    let mut in_flight: BTreeMap<TenantId, u64> = BTreeMap::new();
    for (topic, group) in ON_THE_WAY {
        let backlog = bus.backlog(topic, group).await.map_err(ReconcileError::Bus)?;
        for (tenant, receipts) in backlog.receipts {
            *in_flight.entry(tenant).or_default() += receipts;
        }
    }
    let settled = ledger.books().await.map_err(ReconcileError::Ledger)?;
    let after = bus.accepted(Topic::Raw).await.map_err(ReconcileError::Bus)?;

    let settled: BTreeMap<_, _> = settled.into_iter().map(|books| (books.tenant.clone(), books)).collect();
    let tenants: BTreeSet<_> = after.keys().chain(in_flight.keys()).chain(settled.keys()).cloned().collect();
    let weigh = |tenant: &TenantId| {
        let accepted = (count(&before, tenant), count(&after, tenant));
        let books = settled.get(tenant).cloned().unwrap_or_else(|| none_settled(tenant));
        balance(accepted, count(&in_flight, tenant), books)
    };
    Ok(tenants.iter().map(weigh).collect())
}

/// Weighs one tenant's counts; `accepted` is the count before and after the others were read.
fn balance(accepted: (u64, u64), in_flight: u64, books: Books) -> TenantBooks {
    let (before, after) = (accepted.0, accepted.1.max(accepted.0));
    let Books { tenant, stored, duplicate, quarantined } = books;
    let settled = stored + duplicate + quarantined;
    let found = settled + in_flight;
    // The others were read at some instant between the two counts: of all counts possible then, the one that fits
    // best is shown, so that live traffic does not look like a loss.
    let accepted = found.clamp(before, after);
    TenantBooks {
        tenant,
        accepted,
        stored,
        duplicate,
        quarantined,
        in_flight,
        difference: signed(accepted).saturating_sub(signed(found)),
        balanced: settled <= accepted && accepted <= found,
    }
}

fn count(counts: &BTreeMap<TenantId, u64>, tenant: &TenantId) -> u64 {
    counts.get(tenant).copied().unwrap_or_default()
}

fn none_settled(tenant: &TenantId) -> Books {
    Books { tenant: tenant.clone(), stored: 0, duplicate: 0, quarantined: 0 }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn as_text<S: Serializer>(tenant: &TenantId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(tenant.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weigh(
        accepted: (u64, u64),
        in_flight: u64,
        [stored, duplicate, quarantined]: [u64; 3],
    ) -> TenantBooks {
        let tenant = TenantId::parse("salon").unwrap();
        balance(accepted, in_flight, Books { tenant, stored, duplicate, quarantined })
    }

    #[test]
    fn at_rest_the_sum_must_be_exact() {
        assert!(weigh((10, 10), 0, [7, 2, 1]).balanced);
        assert!(!weigh((10, 10), 0, [6, 2, 1]).balanced);
        assert!(!weigh((10, 10), 0, [8, 2, 1]).balanced);
    }

    #[test]
    fn a_lost_receipt_shows_as_a_difference_however_many_are_on_the_way() {
        let books = weigh((10, 10), 3, [6, 0, 0]);
        assert_eq!((books.balanced, books.difference), (false, 1));
    }

    #[test]
    fn one_that_moved_on_while_we_read_is_met_twice_and_forgiven() {
        let books = weigh((10, 10), 1, [10, 0, 0]);
        assert_eq!((books.balanced, books.difference), (true, -1));
    }

    #[test]
    fn what_was_accepted_while_we_read_is_no_imbalance() {
        let books = weigh((10, 15), 2, [11, 0, 0]);
        assert_eq!((books.balanced, books.accepted, books.difference), (true, 13, 0));
    }

    #[test]
    fn more_settled_than_was_ever_accepted_is_an_imbalance() {
        assert!(!weigh((0, 0), 0, [1, 0, 0]).balanced);
        assert!(!weigh((10, 11), 5, [12, 0, 0]).balanced);
    }
}
