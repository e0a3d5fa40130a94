//! CloudEvents at `/v1/hooks/{source}`: one event, a batch of them, or data with the envelope in headers.
//!
//! Each event is checked and taken by itself, as our own events are, and answered like them: 202 says that it is durable.
//! What is kept is the structured form, whichever way it came.

use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use channels::cloudevents::{Consent, Mode, from_headers};
use domain::registry::{Source, SourceKind};
use http_kit::problem::{Problem, ProblemKind};

use crate::body::{self, Limits};
use crate::intake::{self, Intake};
use crate::items::Items;
use crate::media::{Encoding, Format};
use crate::{Config, Door, check, events, sender};

/// By which the binary form is known.
pub(crate) const VERSION: &str = "ce-specversion";
const ALLOWED_ORIGIN: &str = "WebHook-Allowed-Origin";
const ALLOWED_RATE: &str = "WebHook-Allowed-Rate";

/// Takes what a source of CloudEvents sends.
pub(crate) async fn receive(
    req: &HttpRequest,
    payload: Payload,
    door: &Door,
    source: &Source,
) -> Result<HttpResponse, Problem> {
    let gateway = &door.gateway;
    let headers = req.headers();
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let mode = Mode::of(content_type, headers.contains_key(VERSION)).ok_or_else(no_mode)?;
    let encoding = Encoding::of(req)?;
    // The secret is in a header or in the address: nothing of the body is needed.
    sender::prove(req, gateway, source, None, &[])?;
    door.admit(source)?;
    let limits = limits(&gateway.config, mode);
    let body = body::unpack(body::receive(req, payload, limits).await?, encoding, limits)?;
    gateway.metrics.observe_body(body.len());
    let body = structured(mode, by_name(headers), content_type, body)?;
    match items(mode, body::text(&body)?, gateway.config.max_batch_events.get())? {
        None => Ok(HttpResponse::Ok().json(serde_json::json!({}))),
        Some(items) => {
            let kind = SourceKind::Cloudevents;
            let mut answer = intake::take(door, Intake { source, kind, items, resend: None }).await?;
            // The address may hold the secret.
            answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private"));
            Ok(answer)
        }
    }
}

/// Answers the question whether deliveries are wanted here; nothing when none is asked.
pub(crate) fn consent(
    req: &HttpRequest,
    door: &Door,
    source: &Source,
) -> Option<Result<HttpResponse, Problem>> {
    let most = u64::from(door.limits.rate_of(source).get()) * 60;
    let asked = sender::with_delivery(req, &[], |delivery| {
        sender::with_secrets(&door.gateway, source, |secrets| Consent::asked(delivery, secrets, most))
    })?;
    let agree = |Consent { origin, rate }| {
        HttpResponse::Ok()
            .insert_header((ALLOW, "POST"))
            .insert_header((ALLOWED_ORIGIN, origin))
            .insert_header((ALLOWED_RATE, rate.to_string()))
            .finish()
    };
    Some(asked.map(agree).map_err(sender::unproven))
}

/// How large a body may be.
pub(crate) fn limits(config: &Config, mode: Mode) -> Limits {
    match mode {
        Mode::Batch => events::limits(config),
        Mode::Structured | Mode::Binary => {
            let max = config.max_event_bytes.get();
            Limits { received: max, unpacked: max, excess: ProblemKind::EventTooLarge }
        }
    }
}

/// The body with the envelope in it.
pub(crate) fn structured<'h>(
    mode: Mode,
    headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    content_type: Option<&[u8]>,
    body: Bytes,
) -> Result<Bytes, Problem> {
    if mode != Mode::Binary {
        return Ok(body);
    }
    from_headers(headers, content_type, &body).map(Bytes::from).map_err(check::invalid)
}

/// The events of a body; nothing of a batch that is empty, which is no mistake.
pub(crate) fn items(mode: Mode, text: &str, max: usize) -> Result<Option<Items<'_>>, Problem> {
    match (mode, text.trim_ascii_start().starts_with('[')) {
        (Mode::Batch, true) => match Items::split(text, Format::Json, max) {
            Err(problem) if problem.kind() == ProblemKind::EmptyBody => Ok(None),
            split => split.map(Some),
        },
        (Mode::Batch, false) => {
            Err(Problem::new(ProblemKind::InvalidEvent).error("", "must be a JSON array of events"))
        }
        (Mode::Structured | Mode::Binary, _) => Ok(Some(Items::One(text))),
    }
}

/// It is no event, or one in a format that is not JSON.
pub(crate) fn no_mode() -> Problem {
    Problem::new(ProblemKind::UnsupportedMediaType)
        .detail("send application/cloudevents+json, application/cloudevents-batch+json, or the ce- headers")
}

fn by_name(headers: &HeaderMap) -> impl Iterator<Item = (&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
}
