//! OTLP/HTTP: traces of assistants that are instrumented with OpenTelemetry.
//!
//! An exporter appends `/v1/traces` to the address it is given: `POST /v1/traces` is for one that sends an ingest key,
//! `POST /v1/hooks/{source}/v1/traces` for one that sends the secret of its source. Each span of an assistant becomes a
//! receipt of its own; the others are counted and let fall. Answers are in the form of the request, as the protocol wants it,
//! problems too.

use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};
use bytes::Bytes;
use channels::otlp::{Export, Form, MAX_SPANS, SplitError};
use domain::registry::{Source, SourceKind};
use http_kit::problem::{Problem, ProblemKind};

use crate::media::Encoding;
use crate::publish::{self, Accepted};
use crate::sender::{self, Sender};
use crate::{Door, Gateway, body, events, hooks};

/// Answers `POST /v1/traces`.
pub(crate) async fn post(
    req: HttpRequest,
    payload: Payload,
    door: Data<Door>,
) -> Result<HttpResponse, Problem> {
    match Sender::by_key(&req, &door.gateway).await {
        Ok(source) => answer(&req, payload, &door, &Sender::Known(source)).await,
        Err(problem) => {
            door.gateway.rejected(None, &problem);
            in_its_form(&req, problem)
        }
    }
}

/// Answers `POST /v1/hooks/{source}/v1/traces`.
pub(crate) async fn post_to_source(
    req: HttpRequest,
    name: Path<String>,
    payload: Payload,
    door: Data<Door>,
) -> Result<HttpResponse, Problem> {
    match hooks::named(&door, &name, |source| source.kind == SourceKind::Otlp).await {
        Ok(source) => answer(&req, payload, &door, &Sender::Claimed(source)).await,
        Err(problem) => in_its_form(&req, problem),
    }
}

/// Takes the traces of a sender who is known, or whose secret is checked here.
pub(crate) async fn answer(
    req: &HttpRequest,
    payload: Payload,
    door: &Door,
    sender: &Sender,
) -> Result<HttpResponse, Problem> {
    let answer = receive(req, payload, door, sender).await;
    answer.or_else(|problem| {
        door.gateway.rejected(Some(sender.source()), &problem);
        in_its_form(req, problem)
    })
}

async fn receive(
    req: &HttpRequest,
    payload: Payload,
    door: &Door,
    sender: &Sender,
) -> Result<HttpResponse, Problem> {
    let gateway = &door.gateway;
    let source = sender.source();
    let form = form_of(req).ok_or_else(no_form)?;
    let encoding = Encoding::of(req)?;
    if let Sender::Claimed(_) = sender {
        // The secret is in a header or in the address: nothing of the body is needed.
        sender::prove(req, gateway, source, None, &[])?;
    }
    door.admit(source)?;
    let limits = events::limits(&gateway.config);
    let body = body::unpack(body::receive(req, payload, limits).await?, encoding, limits)?;
    gateway.metrics.observe_body(body.len());
    let export = split(gateway, form, &body)?;
    take(door, source, &export).await?;
    Ok(HttpResponse::Ok().content_type(form.media_type()).body(form.answer(export.refused.len())))
}

/// Publishes the spans that can be taken.
async fn take(door: &Door, source: &Source, export: &Export) -> Result<(), Problem> {
    let gateway = &door.gateway;
    if !export.spans.is_empty() {
        door.admit_rest(source, export.spans.len())?;
        gateway.metrics.observe_batch(export.spans.len());
        let keys = gateway.vault.tenant(&source.tenant);
        let received_at = gateway.clock.now();
        let seal = |span: &String| -> Bytes {
            let body = span.as_bytes();
            let accepted = Accepted { body, payload_digest: keys.payload_digest(body) };
            publish::seal(source, SourceKind::Otlp, &keys, received_at, &accepted)
        };
        publish::publish(door, source, export.spans.iter().map(seal).collect()).await?;
        gateway.metrics.accepted(SourceKind::Otlp, export.spans.len());
    }
    gateway.metrics.spans(&source.id, export);
    for _ in &export.refused {
        gateway.rejected(Some(source), &refused_span());
    }
    Ok(())
}

/// Takes a request apart. What is kept of it must be no larger than the request might have been.
pub(crate) fn split(gateway: &Gateway, form: Form, body: &[u8]) -> Result<Export, Problem> {
    let kind = match form {
        Form::Json => ProblemKind::InvalidJson,
        Form::Protobuf => ProblemKind::BadRequest,
    };
    let limits = events::limits(&gateway.config);
    form.split(body, limits.unpacked).map_err(|error| match error {
        SplitError::Unparsed(unparsed) => {
            let spot = unparsed.pointer.filter(|pointer| !pointer.is_empty());
            let spot = spot.map(|pointer| format!("{pointer} ")).unwrap_or_default();
            Problem::new(kind).detail(format!("{spot}{}", unparsed.detail))
        }
        SplitError::TooManySpans => {
            let detail = format!("at most {MAX_SPANS} spans of assistants in one request");
            Problem::new(ProblemKind::BatchTooLarge).detail(detail)
        }
        SplitError::TooLarge => {
            let detail = format!("at most {} bytes of spans of assistants, as JSON", limits.unpacked);
            Problem::new(limits.excess).detail(detail)
        }
    })
}

/// What is counted for a span that is not taken with the others of its request.
pub(crate) fn refused_span() -> Problem {
    Problem::new(ProblemKind::InvalidEvent).detail("a span without ids, malformed or too large")
}

/// The media type is none of OTLP's.
pub(crate) fn no_form() -> Problem {
    Problem::new(ProblemKind::UnsupportedMediaType).detail("send application/json or application/x-protobuf")
}

fn form_of(req: &HttpRequest) -> Option<Form> {
    Form::of(req.headers().get(CONTENT_TYPE)?.as_bytes())
}

/// A problem, too, is told in the form of the request: an exporter reads no other.
fn in_its_form(req: &HttpRequest, problem: Problem) -> Result<HttpResponse, Problem> {
    let Some(form) = form_of(req) else { return Err(problem) };
    let mut response = problem.error_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(form.media_type()));
    Ok(response.set_body(form.refusal(problem.summary())).map_into_boxed_body())
}
