//! Why a call failed, before the port gives it its name.

use ports::bus::BusError;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Can be cloned, because everybody hears why connecting failed.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("redis did not answer as it should")]
    Redis(#[source] RedisError),
    #[error("redis did not answer within {0:?}")]
    Timeout(std::time::Duration),
    #[error("redis is at its memory limit")]
    Memory,
    #[error("there is no room")]
    Full,
    #[error("this group was not known to the topic; redis seems to have lost its data")]
    GroupLost(#[source] RedisError),
    #[error("this group was never made known to the topic")]
    UnknownGroup(#[source] RedisError),
    #[error("there is no partition {index}: {partitions} are configured")]
    NoSuchPartition { index: u16, partitions: u16 },
    #[error("redis holds something unreadable: {0}")]
    Corrupt(&'static str),
}

impl Failure {
    /// Whether the command was not executed for certain, and will be once the client knows the cluster better.
    pub(crate) fn is_redirection(&self) -> bool {
        use ServerErrorKind::{Ask, ClusterDown, Moved, ReadOnly, TryAgain};
        let Self::Redis(error) = self else { return false };
        matches!(error.kind(), ErrorKind::Server(Moved | Ask | TryAgain | ClusterDown | ReadOnly))
    }

    /// Whether another connection may do better.
    pub(crate) fn breaks_connection(&self) -> bool {
        match self {
            Self::Timeout(_) => true,
            Self::Redis(error) => {
                error.is_io_error()
                    || error.is_unrecoverable_error()
                    || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
            }
            _ => false,
        }
    }

    pub(crate) fn is_missing_script(&self) -> bool {
        matches!(self, Self::Redis(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
    }

    /// The error of a command that names a group which is not there.
    pub(crate) fn missing_group(&self) -> Option<&RedisError> {
        match self {
            Self::Redis(error) if error.code() == Some("NOGROUP") => Some(error),
            _ => None,
        }
    }
}

impl From<RedisError> for Failure {
    /// No error of Redis repeats what was sent beyond the names of keys; one of reading its answer might.
    fn from(error: RedisError) -> Self {
        match (error.kind(), error.code()) {
            (ErrorKind::Parse | ErrorKind::UnexpectedReturnType, _) => {
                Self::Corrupt("an answer of another form")
            }
            (_, Some("OOM")) => Self::Memory,
            _ => Self::Redis(error),
        }
    }
}

impl From<Failure> for BusError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Full | Failure::Memory => Self::Full,
            Failure::Corrupt(what) => Self::Corrupt(what),
            other => Self::Unavailable(Box::new(other)),
        }
    }
}
