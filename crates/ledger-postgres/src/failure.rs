//! Why something could not be done, and whether trying again helps.

use ports::ledger::LedgerError;
use ports::registry::RegistryError;
use sqlx::postgres::PgDatabaseError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// No connection, or it broke. What was under way may have happened or not.
    #[error("there is no connection to postgresql")]
    Connection(#[source] sqlx::Error),
    /// PostgreSQL refused. Its message and code only: the detail it gives repeats what is in rows.
    #[error("postgresql refused ({code}): {message}")]
    Refused {
        /// The SQLSTATE.
        code: String,
        /// What PostgreSQL said.
        message: String,
    },
    /// Another transaction was in the way; nothing has happened.
    #[error("the transaction gave way to another ({code})")]
    GaveWay {
        /// The SQLSTATE.
        code: String,
    },
    /// The partition of an event's day is not there; nothing has happened.
    #[error("there is no partition for the day of an event")]
    NoDay,
    /// A row with this key is there already; nothing has happened.
    #[error("a row with this key is there already")]
    AlreadyThere,
    /// A row that was there a statement ago is not any more: a sweep took it. Nothing has happened.
    #[error("a row was swept while it was looked at")]
    Swept,
    /// PostgreSQL neither answered nor broke the connection. What was under way may have happened or not.
    #[error("postgresql did not answer in time")]
    Deadline,
    #[error("a row cannot be read back: {0}")]
    Corrupt(&'static str),
}

impl Failure {
    /// Whether doing all of it again may succeed, given that nothing has been committed.
    pub(crate) const fn may_pass(&self) -> bool {
        matches!(self, Self::Connection(_) | Self::GaveWay { .. } | Self::Swept)
    }

    /// Whether nothing has happened, even if this came as the answer to a commit.
    pub(crate) const fn nothing_happened(&self) -> bool {
        matches!(self, Self::GaveWay { .. } | Self::NoDay | Self::Swept)
    }

    /// Whether the connection is fit for further use, once its transaction is rolled back.
    pub(crate) const fn leaves_the_connection(&self) -> bool {
        !matches!(self, Self::Connection(_) | Self::Deadline)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(refused) => {
                let refused = refused.downcast_ref::<PgDatabaseError>();
                let (code, message) = (refused.code(), refused.message());
                match code {
                    // Serialization failure, deadlock.
                    "40001" | "40P01" => Self::GaveWay { code: code.to_owned() },
                    "23505" => Self::AlreadyThere,
                    // A check violation without a constraint: no partition takes the row.
                    "23514" if refused.constraint().is_none() => Self::NoDay,
                    // The server, or this backend of it, is going away or not there yet.
                    "57P01" | "57P02" | "57P03" | "25P03" => Self::Connection(error),
                    _ if code.starts_with("08") => Self::Connection(error),
                    _ => Self::Refused { code: code.to_owned(), message: message.to_owned() },
                }
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) => {
                Self::Corrupt("a column of another type")
            }
            sqlx::Error::RowNotFound => Self::Corrupt("a row that is always there"),
            _ => Self::Connection(error),
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
