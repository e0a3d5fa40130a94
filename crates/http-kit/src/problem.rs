//! What is answered when a request cannot be served: RFC 9457 problems, every kind of them in one table.
//!
//! A problem carries no value out of a body: pointers and expectations only. What went wrong on our side goes to the
//! log where it is caught, never into an answer. `docs/problems.md` explains each kind; a test keeps the two in step.

use std::fmt;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The media type of a problem.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// Every kind of problem there is. Its path is a promise: programs compare it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is explained under its slug in docs/problems.md")]
pub enum ProblemKind {
    BadRequest,
    InvalidJson,
    EmptyBody,
    IncompleteBody,
    DecompressionFailed,
    InvalidParameter,
    InvalidCursor,
    IdempotencyKeyInvalid,
    Unauthorized,
    InvalidKey,
    RevokedKey,
    SignatureMissing,
    SignatureInvalid,
    SignatureExpired,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    Conflict,
    IdempotencyConflict,
    BodyTooLarge,
    EventTooLarge,
    BatchTooLarge,
    UnsupportedMediaType,
    UnsupportedEncoding,
    InvalidEvent,
    RateLimited,
    Internal,
    BotUnavailable,
    BusUnavailable,
    BusFull,
    StoreUnavailable,
}

impl ProblemKind {
    /// All kinds, by status.
    pub const ALL: [Self; 32] = [
        Self::BadRequest,
        Self::InvalidJson,
        Self::EmptyBody,
        Self::IncompleteBody,
        Self::DecompressionFailed,
        Self::InvalidParameter,
        Self::InvalidCursor,
        Self::IdempotencyKeyInvalid,
        Self::Unauthorized,
        Self::InvalidKey,
        Self::RevokedKey,
        Self::SignatureMissing,
        Self::SignatureInvalid,
        Self::SignatureExpired,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::Conflict,
        Self::IdempotencyConflict,
        Self::BodyTooLarge,
        Self::EventTooLarge,
        Self::BatchTooLarge,
        Self::UnsupportedMediaType,
        Self::UnsupportedEncoding,
        Self::InvalidEvent,
        Self::RateLimited,
        Self::Internal,
        Self::BotUnavailable,
        Self::BusUnavailable,
        Self::BusFull,
        Self::StoreUnavailable,
    ];

    /// The table: path, status, title.
    const fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::BadRequest => ("/problems/bad-request", 400, "the request could not be read"),
            Self::InvalidJson => ("/problems/invalid-json", 400, "the body is not JSON"),
            Self::EmptyBody => ("/problems/empty-body", 400, "the body holds nothing"),
            Self::IncompleteBody => ("/problems/incomplete-body", 400, "the body broke off"),
            Self::DecompressionFailed => {
                ("/problems/decompression-failed", 400, "the body cannot be unpacked")
            }
            Self::InvalidParameter => ("/problems/invalid-parameter", 400, "a parameter is not valid"),
            Self::InvalidCursor => ("/problems/invalid-cursor", 400, "the cursor is not one we gave"),
            Self::IdempotencyKeyInvalid => {
                ("/problems/idempotency-key-invalid", 400, "the Idempotency-Key is not usable")
            }
            Self::Unauthorized => ("/problems/unauthorized", 401, "a key is needed"),
            Self::InvalidKey => ("/problems/invalid-key", 401, "the key is not valid"),
            Self::RevokedKey => ("/problems/revoked-key", 401, "the key has been revoked"),
            Self::SignatureMissing => ("/problems/signature-missing", 401, "the request is not signed"),
            Self::SignatureInvalid => ("/problems/signature-invalid", 401, "the signature does not match"),
            Self::SignatureExpired => {
                ("/problems/signature-expired", 401, "the signature is too old or too new")
            }
            Self::Forbidden => ("/problems/forbidden", 403, "the key does not open this"),
            Self::NotFound => ("/problems/not-found", 404, "there is nothing here"),
            Self::MethodNotAllowed => ("/problems/method-not-allowed", 405, "the method is not allowed here"),
            Self::RequestTimeout => ("/problems/request-timeout", 408, "the request took too long to arrive"),
            Self::Conflict => ("/problems/conflict", 409, "the state does not allow this"),
            Self::IdempotencyConflict => {
                ("/problems/idempotency-conflict", 409, "the Idempotency-Key was used with another body")
            }
            Self::BodyTooLarge => ("/problems/body-too-large", 413, "the body is too large"),
            Self::EventTooLarge => ("/problems/event-too-large", 413, "an event is too large"),
            Self::BatchTooLarge => ("/problems/batch-too-large", 413, "the batch has too many events"),
            Self::UnsupportedMediaType => {
                ("/problems/unsupported-media-type", 415, "the content type is not one we read")
            }
            Self::UnsupportedEncoding => {
                ("/problems/unsupported-encoding", 415, "the content encoding is not one we read")
            }
            Self::InvalidEvent => ("/problems/invalid-event", 422, "the event is not valid"),
            Self::RateLimited => ("/problems/rate-limited", 429, "too many events at once"),
            Self::Internal => ("/problems/internal", 500, "something went wrong on our side"),
            Self::BotUnavailable => {
                ("/problems/bot-unavailable", 502, "the bot this is for does not answer just now")
            }
            Self::BusUnavailable => ("/problems/bus-unavailable", 503, "events cannot be taken just now"),
            Self::BusFull => ("/problems/bus-full", 503, "there is no room for more events just now"),
            Self::StoreUnavailable => {
                ("/problems/store-unavailable", 503, "the store does not answer just now")
            }
        }
    }

    /// The `type` member, such as `/problems/invalid-json`.
    #[must_use]
    pub const fn as_path(self) -> &'static str {
        self.row().0
    }

    /// The last part of the path: what metrics and the documentation call it.
    #[must_use]
    pub fn slug(self) -> &'static str {
        self.as_path().trim_start_matches("/problems/")
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.row().1
    }

    /// The `title` member.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    /// The kind that fits a status when nothing more is known.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            408 => Self::RequestTimeout,
            409 => Self::Conflict,
            413 => Self::BodyTooLarge,
            415 => Self::UnsupportedMediaType,
            429 => Self::RateLimited,
            502 => Self::BotUnavailable,
            503 => Self::StoreUnavailable,
            400..=499 => Self::BadRequest,
            _ => Self::Internal,
        }
    }

    /// What a 401 must say of how to do better.
    const fn challenge(self) -> Option<&'static str> {
        match self {
            Self::Unauthorized => Some(r#"Bearer realm="letopis""#),
            Self::InvalidKey | Self::RevokedKey => Some(r#"Bearer realm="letopis", error="invalid_token""#),
            Self::SignatureMissing | Self::SignatureInvalid | Self::SignatureExpired => {
                Some(r#"Signature realm="letopis""#)
            }
            _ => None,
        }
    }
}

/// One spot in a request that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body, or `?name` for a parameter.
    pub pointer: String,
    /// What should be there; never what is.
    pub expected: String,
}

/// A problem about to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    kind: ProblemKind,
    detail: Option<String>,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    allow: Option<String>,
}

impl Problem {
    /// A problem with nothing but its kind.
    #[must_use]
    pub const fn new(kind: ProblemKind) -> Self {
        Self { kind, detail: None, errors: Vec::new(), retry_after: None, allow: None }
    }

    /// Says more, for a person.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds one spot.
    #[must_use]
    pub fn error(mut self, pointer: impl Into<String>, expected: impl Into<String>) -> Self {
        self.errors.push(FieldError { pointer: pointer.into(), expected: expected.into() });
        self
    }

    /// Adds spots.
    #[must_use]
    pub fn errors(mut self, errors: impl IntoIterator<Item = FieldError>) -> Self {
        self.errors.extend(errors);
        self
    }

    /// Says when to try again: whole seconds, rounded up, at least one.
    #[must_use]
    pub const fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Names the methods that are allowed.
    #[must_use]
    pub fn allow(mut self, methods: &[&str]) -> Self {
        self.allow = Some(methods.join(", "));
        self
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// The spots named so far.
    #[must_use]
    pub fn field_errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// Its detail, or its title where there is none.
    #[must_use]
    pub fn summary(&self) -> &str {
        self.detail.as_deref().unwrap_or(self.kind.title())
    }

    /// The JSON members, without a request id: what a batch answers per event.
    #[must_use]
    pub fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        members.insert("type".into(), self.kind.as_path().into());
        members.insert("title".into(), self.kind.title().into());
        members.insert("status".into(), self.kind.status().into());
        if let Some(detail) = &self.detail {
            members.insert("detail".into(), detail.as_str().into());
        }
        if !self.errors.is_empty() {
            members.insert("errors".into(), json!(self.errors));
        }
        members
    }

    /// The answer as sent. Without a request id only where none was given out.
    pub(crate) fn render(&self, request_id: Option<&str>) -> HttpResponse {
        let mut members = self.members();
        if let Some(id) = request_id {
            members.insert("request_id".into(), id.into());
        }
        let mut response = HttpResponse::build(self.status_code());
        response.content_type(CONTENT_TYPE);
        if let Some(challenge) = self.kind.challenge() {
            response.insert_header((WWW_AUTHENTICATE, challenge));
        }
        if let Some(wait) = self.retry_after {
            let rounded_up = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.insert_header((RETRY_AFTER, rounded_up.max(1).to_string()));
        }
        if let Some(methods) = &self.allow {
            response.insert_header((ALLOW, methods.as_str()));
        }
        response.body(Value::Object(members).to_string())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.title())
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        self.render(None)
    }
}

impl From<Problem> for HttpResponse {
    /// Keeps the problem inside the response, where the telemetry middleware finds it and adds the request id.
    fn from(problem: Problem) -> Self {
        Self::from_error(problem)
    }
}

/// Where and how a JSON text is wrong, without a word out of it: serde's own message may quote values.
#[must_use]
pub fn describe_json_error(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Eof => "it ends too early",
        // The only way to learn of the depth limit is the message; it quotes nothing.
        Category::Syntax if error.to_string().starts_with("recursion limit") => "it is nested too deeply",
        Category::Syntax => "syntax error",
        Category::Data => "a value of another type was expected",
        Category::Io => "it could not be read",
    };
    format!("{what} at line {} column {}", error.line(), error.column())
}
