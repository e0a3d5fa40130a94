//! The parameters of a request: every one known, none twice, each of the right form.

use actix_web::HttpRequest;
use actix_web::web::Query;
use domain::id::TenantId;
use domain::timestamp::Timestamp;
use http_kit::problem::{Problem, ProblemKind};

/// What stands behind the question mark.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads the parameters; `tenant` is always allowed. A misspelt one is refused rather than ignored, or a filter
    /// that does not filter would go unnoticed. Its name is not repeated: it may be anything.
    pub(crate) fn read(req: &HttpRequest, known: &[&str]) -> Result<Self, Problem> {
        let refuse = |expected: String| Problem::new(ProblemKind::InvalidParameter).error("?", expected);
        let Query(pairs) = Query::<Vec<(String, String)>>::from_query(req.query_string())
            .map_err(|_malformed| refuse("name=value pairs, percent-encoded UTF-8".to_owned()))?;
        let is_known = |name: &str| name == "tenant" || known.contains(&name);
        if !pairs.iter().all(|(name, _)| is_known(name)) {
            let names = [&["tenant"], known].concat().join(", ");
            return Err(refuse(format!("only the parameters {names}")));
        }
        let is_repeated =
            |(index, (name, _)): (usize, &(String, String))| pairs[..index].iter().any(|(n, _)| n == name);
        if pairs.iter().enumerate().any(is_repeated) {
            return Err(refuse("each parameter once".to_owned()));
        }
        Ok(Self(pairs))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that must be of a form if it is there.
    pub(crate) fn parsed<T>(
        &self,
        name: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        parse(text).map(Some).ok_or_else(|| invalid(name, expected))
    }

    /// A word out of a vocabulary.
    pub(crate) fn word<T: Copy>(
        &self,
        name: &'static str,
        all: &[T],
        as_str: fn(T) -> &'static str,
    ) -> Result<Option<T>, Problem> {
        let words: Vec<_> = all.iter().map(|&item| as_str(item)).collect();
        self.parsed(name, &format!("one of {}", words.join(", ")), |text| {
            all.iter().copied().find(|&item| as_str(item) == text)
        })
    }

    pub(crate) fn instant(&self, name: &'static str) -> Result<Option<Timestamp>, Problem> {
        let expected = "RFC 3339 with an offset, such as 2025-01-01T12:34:56+03:00";
        self.parsed(name, expected, |text| Timestamp::parse(text).ok())
    }

    /// How many at the most: `default` when not said, refused beyond `max`.
    pub(crate) fn limit(&self, default: u32, max: u32) -> Result<u32, Problem> {
        let limit = self.parsed("limit", &format!("a number from 1 to {max}"), |text| {
            text.parse().ok().filter(|limit| (1..=max).contains(limit))
        })?;
        Ok(limit.unwrap_or(default))
    }

    /// The place to go on from.
    pub(crate) fn cursor<T>(&self, decode: fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        let Some(text) = self.get("cursor") else { return Ok(None) };
        let refuse = || {
            Problem::new(ProblemKind::InvalidCursor)
                .error("?cursor", "a next_cursor that this very address gave, unchanged")
        };
        decode(text).map(Some).ok_or_else(refuse)
    }

    pub(crate) fn tenant(&self) -> Result<Option<TenantId>, Problem> {
        self.parsed("tenant", "the id of a tenant", |text| TenantId::parse(text).ok())
    }
}

pub(crate) fn invalid(name: &str, expected: &str) -> Problem {
    Problem::new(ProblemKind::InvalidParameter).error(format!("?{name}"), expected)
}
