//! Why a piece of work on a file failed, before a port gives it its name.

use std::sync::Arc;

use ports::analytics::AnalyticsError;
use ports::bus::BusError;
use ports::ledger::LedgerError;
use ports::registry::RegistryError;
use rusqlite::types::FromSqlError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("a statement failed")]
    Sqlite(#[source] rusqlite::Error),
    /// Shared, because everybody in the group hears it.
    #[error("the transaction could not be committed")]
    Commit(#[source] Arc<rusqlite::Error>),
    #[error("the worker for this file has stopped")]
    Stopped,
    #[error("this group was never made known to the topic")]
    UnknownGroup,
    #[error("a row cannot be read back: {0}")]
    Corrupt(&'static str),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
        match error {
            InvalidColumnType(..) | FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) => {
                Self::Corrupt("a column of another type")
            }
            other => Self::Sqlite(other),
        }
    }
}

impl From<FromSqlError> for Failure {
    fn from(_mismatch: FromSqlError) -> Self {
        Self::Corrupt("a column of another type")
    }
}

impl From<Failure> for BusError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Corrupt(what) => Self::Corrupt(what),
            other => Self::Unavailable(Box::new(other)),
        }
    }
}

impl From<Failure> for LedgerError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Corrupt(what) => Self::Corrupt(what),
            other => Self::Unavailable(Box::new(other)),
        }
    }
}

impl From<Failure> for RegistryError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Corrupt(what) => Self::Corrupt(what),
            other => Self::Unavailable(Box::new(other)),
        }
    }
}

impl From<Failure> for AnalyticsError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Corrupt(what) => Self::Corrupt(what),
            other => Self::Unavailable(Box::new(other)),
        }
    }
}
