//! OTLP/HTTP traces: what an assistant that is instrumented with OpenTelemetry says of its own turns.
//!
//! <https://github.com/open-telemetry/opentelemetry-proto/blob/main/docs/specification.md>
//!
//! Of a request only the spans that say something under `gen_ai.` are kept, each on its own: the others, of databases and
//! web servers, are nobody's business here, and may hold anything. What is kept of one is the JSON form of a request with that
//! one span, whichever form it came in: exporters and collectors gather spans anew when they try again, and a span is known by
//! its ids and by what it says, never by its neighbours.

mod form;
mod request;
mod said;
mod span;
mod wire;

use domain::observation::Observation;
use domain::timestamp::Timestamp;
use prost::Message as _;
use serde_json::json;

use crate::Unparsed;
use crate::json;
use span::Turn;

/// The longest span, in either form: most assistants tell the whole conversation again with each turn.
const MAX_SPAN_BYTES: usize = 1024 * 1024;

/// The most spans of assistants in one request, those that are refused among them. A collector gathers 8,192 spans of all kinds,
/// unless it is told otherwise.
pub const MAX_SPANS: usize = 10_000;

/// How a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON, `application/json`.
    Json,
    /// Protobuf, `application/x-protobuf`.
    Protobuf,
}

/// What a request brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Export {
    /// Spans of an assistant, each as a request of its own: what [`crate::parse`] reads.
    pub spans: Vec<String>,
    /// How many spans are of something else, and are let fall.
    pub others: usize,
    /// Spans that cannot be taken, each as a request of its own, as it came; nothing of one that is too large to be kept.
    pub refused: Vec<Vec<u8>>,
}

/// Why a request is not taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SplitError {
    /// It is no such request.
    Unparsed(Unparsed),
    /// It brings more than [`MAX_SPANS`].
    TooManySpans,
    /// What would be kept of its spans is larger than was allowed.
    TooLarge,
}

impl From<Unparsed> for SplitError {
    fn from(unparsed: Unparsed) -> Self {
        Self::Unparsed(unparsed)
    }
}

impl Form {
    /// Reads a media type: nothing for any other.
    #[must_use]
    pub fn of(content_type: &[u8]) -> Option<Self> {
        let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let is = |form: &Self| essence.eq_ignore_ascii_case(form.media_type().as_bytes());
        [Self::Json, Self::Protobuf].into_iter().find(is)
    }

    /// The media type, of the request and of its answer.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Protobuf => "application/x-protobuf",
        }
    }

    /// Takes a request apart, and stops as soon as it is too much: what is kept of a few bytes may be a thousand times as much,
    /// for every span has its own copy of what its resource says. Never holds more than `max_bytes`, and one span.
    ///
    /// # Errors
    /// The body is no such request, or too much would be kept of it.
    pub fn split(self, body: &[u8], max_bytes: usize) -> Result<Export, SplitError> {
        let mut export = Export::default();
        let mut left = max_bytes;
        request::each_span(self, body, |resource, part| {
            let room = left;
            let mut take = |bytes: usize| {
                left = room.checked_sub(bytes).ok_or(SplitError::TooLarge)?;
                Ok::<_, SplitError>(())
            };
            let span = match part.span() {
                Some(span) if !span::is_of_an_assistant(&span) => {
                    export.others += 1;
                    return Ok(());
                }
                span => span.filter(span::has_ids),
            };
            if export.spans.len() + export.refused.len() >= MAX_SPANS {
                return Err(SplitError::TooManySpans);
            }
            // Escaping may have made it longer, and the normalizer keeps to the same limit.
            let alone = span.map(|span| form::request_of(resource, &span));
            if let Some(alone) = alone.filter(|alone| alone.len() <= MAX_SPAN_BYTES) {
                take(alone.len())?;
                export.spans.push(alone);
            } else {
                let alone = part.alone();
                take(alone.len())?;
                export.refused.push(alone);
            }
            Ok(())
        })?;
        Ok(export)
    }

    /// What is answered to a request of which so many spans were refused.
    #[must_use]
    pub fn answer(self, refused: usize) -> Vec<u8> {
        let why =
            format!("spans without ids, malformed, or larger than {MAX_SPAN_BYTES} bytes were not taken");
        let rejected = i64::try_from(refused).unwrap_or(i64::MAX);
        match self {
            Self::Json if refused == 0 => b"{}".to_vec(),
            Self::Json => {
                let partial = json!({ "rejectedSpans": rejected.to_string(), "errorMessage": why });
                json!({ "partialSuccess": partial }).to_string().into_bytes()
            }
            Self::Protobuf => {
                let partial =
                    wire::ExportTracePartialSuccess { rejected_spans: rejected, error_message: why };
                wire::ExportTraceServiceResponse { partial_success: (refused > 0).then_some(partial) }
                    .encode_to_vec()
            }
        }
    }

    /// What is answered when nothing was taken: a `google.rpc.Status`.
    #[must_use]
    pub fn refusal(self, message: &str) -> Vec<u8> {
        match self {
            Self::Json => json!({ "message": message }).to_string().into_bytes(),
            Self::Protobuf => wire::Refusal { message: message.to_owned() }.encode_to_vec(),
        }
    }
}

/// Reads a request, in either form. One malformed span of it is the reason why nothing is understood: what came by the door was
/// looked at there, and kept by itself.
pub(crate) fn parse(body: &[u8], received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
    let in_form = |form| read(form, body, received_at);
    in_form(Form::Json).or_else(|not_json| in_form(Form::Protobuf).map_err(|_neither| not_json))
}

fn read(form: Form, body: &[u8], received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
    let mut seen = Vec::new();
    let mut spans = 0;
    request::each_span(form, body, |resource, part| match part.span() {
        Some(span) if !span::is_of_an_assistant(&span) => Ok(()),
        Some(span) if span::has_ids(&span) => {
            spans += 1;
            if spans > MAX_SPANS {
                let expected = format!("must hold at most {MAX_SPANS} spans of assistants");
                return Err(json::unreadable("/resourceSpans", &expected));
            }
            seen.extend(Turn::of(span, resource).observations(received_at));
            Ok(())
        }
        Some(_) | None => {
            Err(json::unreadable(&part.pointer(), "must be a span with a trace id and a span id"))
        }
    })?;
    if seen.is_empty() {
        return Err(json::unreadable("/resourceSpans", "must have a span with attributes under gen_ai."));
    }
    Ok(seen)
}
