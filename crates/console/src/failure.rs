//! What a port could not do, as an answer. The cause goes to the log, here and only here.

use std::error::Error;
use std::time::Duration;

use http_kit::problem::{Problem, ProblemKind};
use ports::analytics::AnalyticsError;
use ports::bus::BusError;
use ports::ledger::LedgerError;
use ports::registry::RegistryError;

const RETRY_AFTER: Duration = Duration::from_secs(2);

pub(crate) fn of_ledger(error: LedgerError) -> Problem {
    match error {
        LedgerError::Unavailable(_) => unavailable(&error, ProblemKind::StoreUnavailable),
        LedgerError::Corrupt(_) => internal(&error),
    }
}

pub(crate) fn of_registry(error: &RegistryError) -> Problem {
    match error {
        RegistryError::Unavailable(_) => unavailable(error, ProblemKind::StoreUnavailable),
        _ => internal(error),
    }
}

pub(crate) fn of_analytics(error: AnalyticsError) -> Problem {
    match error {
        AnalyticsError::Unavailable(_) => unavailable(&error, ProblemKind::StoreUnavailable),
        AnalyticsError::Corrupt(_) => internal(&error),
    }
}

pub(crate) fn of_bus(error: BusError) -> Problem {
    match error {
        BusError::Unavailable(_) => unavailable(&error, ProblemKind::BusUnavailable),
        BusError::Full => unavailable(&error, ProblemKind::BusFull),
        BusError::Corrupt(_) => internal(&error),
    }
}

pub(crate) fn internal(error: &(dyn Error + 'static)) -> Problem {
    tracing::error!(error, "failed to answer");
    Problem::new(ProblemKind::Internal)
}

fn unavailable(error: &(dyn Error + 'static), kind: ProblemKind) -> Problem {
    tracing::warn!(error, "cannot answer just now");
    Problem::new(kind).retry_after(RETRY_AFTER)
}
