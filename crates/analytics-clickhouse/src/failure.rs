//! Why ClickHouse did not do it, before the port gives it its name.

use std::sync::Arc;
use std::time::Duration;

use clickhouse::error::Error;
use ports::analytics::AnalyticsError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Its own words are left out: they may quote what was sent.
    #[error("clickhouse refused, with code {code} {name}")]
    Refused { code: u32, name: String },
    #[error("what answers at this address is not clickhouse")]
    NotClickHouse,
    #[error("clickhouse did not answer within {0:?}")]
    Late(Duration),
    #[error("the request failed")]
    Request(#[source] Error),
    /// Shared, because everybody in the batch hears it.
    #[error("the batch could not be written")]
    Batch(#[source] Arc<Failure>),
    #[error("the thread that writes has stopped")]
    Stopped,
    #[error("a row cannot be read back: {0}")]
    Corrupt(&'static str),
}

/// Waits for so long and no longer.
pub(crate) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(Failure::Late(limit)))
}

impl Failure {
    /// ClickHouse's number of the error, if it is one of its own.
    pub(crate) fn code(&self) -> Option<u32> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::BadResponse(text) => refusal(&text),
            other => Self::Request(other),
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

/// Reads `Code: 252. DB::Exception: … (TOO_MANY_PARTS) (version …)`.
fn refusal(text: &str) -> Failure {
    let Some((_, rest)) = text.split_once("Code: ") else { return Failure::NotClickHouse };
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    let Ok(code) = digits.parse() else { return Failure::NotClickHouse };
    let is_name = |word: &&str| {
        word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    let name = rest.rsplit(['(', ')']).find(is_name).unwrap_or_default();
    Failure::Refused { code, name: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_the_code_and_the_name_and_nothing_of_the_text() {
        let text =
            "Code: 252. DB::Exception: Too many parts (300) in 'secret'. (TOO_MANY_PARTS) (version 26.7.2.1)";
        let failure = Failure::from(Error::BadResponse(text.to_owned()));
        assert_eq!(failure.to_string(), "clickhouse refused, with code 252 TOO_MANY_PARTS");
        assert_eq!(failure.code(), Some(252));
    }

    #[test]
    fn a_page_of_a_proxy_is_not_clickhouse() {
        let failure = Failure::from(Error::BadResponse("<html>502 Bad Gateway</html>".to_owned()));
        assert_eq!(failure.to_string(), "what answers at this address is not clickhouse");
    }
}
