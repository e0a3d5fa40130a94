//! What the headers say of the body: its format and its packing.

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use http_kit::problem::{Problem, ProblemKind};

/// How events are written in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// One object, or an array of them.
    Json,
    /// One object a line.
    Ndjson,
}

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
}

impl Format {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
        }
    }

    /// Reads the request's `Content-Type`.
    pub(crate) fn of(req: &HttpRequest) -> Result<Self, Problem> {
        Self::read(req.headers().get(CONTENT_TYPE).map_or(&[], HeaderValue::as_bytes))
    }

    /// Reads the value of `Content-Type`. A parameter other than `charset=utf-8` changes nothing in JSON and is ignored.
    pub(crate) fn read(value: &[u8]) -> Result<Self, Problem> {
        let refuse = || {
            Problem::new(ProblemKind::UnsupportedMediaType)
                .detail("send application/json or application/x-ndjson, in UTF-8")
        };
        let text = std::str::from_utf8(value).map_err(|_not_text| refuse())?;
        let mut parts = text.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        let format = [Self::Json, Self::Ndjson]
            .into_iter()
            .find(|format| essence.eq_ignore_ascii_case(format.as_str()))
            .ok_or_else(refuse)?;
        let is_utf8 = |charset: &str| {
            let charset = charset.trim_matches('"');
            charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
        };
        let is_foreign = parts
            .filter_map(|part| part.split_once('='))
            .any(|(name, value)| name.eq_ignore_ascii_case("charset") && !is_utf8(value));
        if is_foreign { Err(refuse()) } else { Ok(format) }
    }
}

impl Encoding {
    /// Reads the request's `Content-Encoding`.
    pub(crate) fn of(req: &HttpRequest) -> Result<Self, Problem> {
        let mut given = req.headers().get_all(CONTENT_ENCODING);
        let Some(value) = given.next() else { return Ok(Self::Identity) };
        if given.next().is_some() {
            return Err(Self::refuse());
        }
        Self::read(value.as_bytes())
    }

    /// Reads the value of `Content-Encoding`.
    pub(crate) fn read(value: &[u8]) -> Result<Self, Problem> {
        match value.trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Ok(Self::Identity),
            b"gzip" | b"x-gzip" => Ok(Self::Gzip),
            _ => Err(Self::refuse()),
        }
    }

    fn refuse() -> Problem {
        Problem::new(ProblemKind::UnsupportedEncoding).detail("send gzip, once, or no encoding")
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn format(content_type: &'static str) -> Result<Format, ProblemKind> {
        let req = TestRequest::default().insert_header((CONTENT_TYPE, content_type)).to_http_request();
        Format::of(&req).map_err(|problem| problem.kind())
    }

    #[test]
    fn json_and_ndjson_in_utf_8_are_read() {
        for text in
            ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""]
        {
            assert_eq!(format(text), Ok(Format::Json), "{text}");
        }
        assert_eq!(format("application/x-ndjson"), Ok(Format::Ndjson));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "text/json", "application/json; charset=windows-1251", "multipart/form-data", "json"]
        {
            assert_eq!(format(text), Err(ProblemKind::UnsupportedMediaType), "{text}");
        }
    }
}
