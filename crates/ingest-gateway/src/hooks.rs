//! `/v1/hooks/{source}`: what messengers send, as they send it.
//!
//! Answers 200 with what each messenger expects ([`channels::thanks`]); any status but 2xx makes most of them send the
//! delivery again. Some ask first whether this is the right address, with a `GET` or a delivery that brings nothing.

use std::sync::Arc;

use actix_web::http::header::X_CONTENT_TYPE_OPTIONS;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use channels::{Mapping, Reply};
use domain::registry::{Source, SourceKind};
use http_kit::problem::{Problem, ProblemKind};

use crate::body::{self, Limits};
use crate::forward::Taken;
use crate::media::Encoding;
use crate::publish::{self, Accepted};
use crate::sender::{self, Sender};
use crate::{Config, Door, check, cloudevents, events, forward, traces};

/// Answers `POST /v1/hooks/{source}`.
pub(crate) async fn post(
    req: HttpRequest,
    name: Path<String>,
    payload: Payload,
    door: Data<Door>,
) -> Result<HttpResponse, Problem> {
    let source = named(&door, &name, |_any| true).await?;
    if source.kind == SourceKind::Otlp {
        // An exporter that is given the whole address; what is wrong it is told in its own form.
        return traces::answer(&req, payload, &door, &Sender::Claimed(source)).await;
    }
    let answer = receive(&req, payload, &door, source.clone()).await;
    answer.inspect_err(|problem| door.gateway.rejected(Some(&source), problem))
}

/// The source of this name, if it is one of those that are meant.
pub(crate) async fn named(
    door: &Door,
    name: &str,
    is_meant: impl FnOnce(&Source) -> bool,
) -> Result<Arc<Source>, Problem> {
    let source = sender::known(&door.gateway, name).await;
    source
        .map(|source| source.filter(|source| is_meant(source)))
        .and_then(|source| source.ok_or_else(|| Problem::new(ProblemKind::NotFound)))
        .inspect_err(|problem| door.gateway.rejected(None, problem))
}

async fn receive(
    req: &HttpRequest,
    payload: Payload,
    door: &Door,
    source: Arc<Source>,
) -> Result<HttpResponse, Problem> {
    match source.kind {
        SourceKind::Events => events::receive(req, payload, door, &Sender::Claimed(source)).await,
        SourceKind::Cloudevents => cloudevents::receive(req, payload, door, &source).await,
        _ => deliver(req, payload, door, &source).await,
    }
}

/// Answers `GET /v1/hooks/{source}`.
pub(crate) async fn get(
    req: HttpRequest,
    name: Path<String>,
    door: Data<Door>,
) -> Result<HttpResponse, Problem> {
    let source = named(&door, &name, |_any| true).await?;
    let answer = sender::handshake(&req, &door.gateway, &source)
        .unwrap_or_else(|| Err(Problem::new(ProblemKind::MethodNotAllowed).allow(&["POST"])));
    answer.map(say).inspect_err(|problem| door.gateway.rejected(Some(&source), problem))
}

/// Answers `OPTIONS /v1/hooks/{source}`: whether deliveries are wanted here.
pub(crate) async fn options(
    req: HttpRequest,
    name: Path<String>,
    door: Data<Door>,
) -> Result<HttpResponse, Problem> {
    let source = named(&door, &name, |source| source.kind == SourceKind::Cloudevents).await?;
    let answer = cloudevents::consent(&req, &door, &source)
        .unwrap_or_else(|| Err(Problem::new(ProblemKind::MethodNotAllowed).allow(&["POST"])));
    answer.inspect_err(|problem| door.gateway.rejected(Some(&source), problem))
}

fn say(Reply { media_type, body }: Reply) -> HttpResponse {
    HttpResponse::Ok().content_type(media_type).insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff")).body(body)
}

/// How the source's bodies are read, where the tenant says so.
pub(crate) fn mapping_of(door: &Door, source: &Source) -> Result<Option<Arc<Mapping>>, Problem> {
    let read = |text| {
        door.mappings.read(text).map_err(|error| {
            // Another release wrote it. What cannot be verified is not taken; the sender may come again.
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, source.id = source.id.as_str(), "failed to read the mapping of a source");
            Problem::new(ProblemKind::StoreUnavailable).retry_after(door.gateway.config.retry_after)
        })
    };
    source.mapping.as_ref().map(read).transpose()
}

/// How large a delivery may be: Meta puts up to 1,000 updates into one, of up to 3 MB; Wazzup and YCLIENTS several, too; Jivo
/// all that was said in a chat, twice.
pub(crate) fn limits(config: &Config, kind: SourceKind) -> Limits {
    match kind {
        SourceKind::Whatsapp
        | SourceKind::Instagram
        | SourceKind::Wazzup
        | SourceKind::Jivo
        | SourceKind::Yclients
        | SourceKind::Mapping => {
            let max = config.max_body_bytes.get();
            Limits { received: max, unpacked: max, excess: ProblemKind::BodyTooLarge }
        }
        _ => {
            let max = config.max_event_bytes.get();
            Limits { received: max, unpacked: max, excess: ProblemKind::EventTooLarge }
        }
    }
}

/// Refuses what is no JSON, of a source that sends JSON: its sender can be told at once, the normalizer could only
/// quarantine it.
pub(crate) fn check(mapping: Option<&Mapping>, body: &[u8]) -> Result<(), Problem> {
    let text = body::text(body)?;
    if mapping.is_some_and(Mapping::reads_forms) { Ok(()) } else { check::json(text) }
}

/// Takes one delivery of a messenger, whole: what it means is for the normalizer to say.
async fn deliver(
    req: &HttpRequest,
    payload: Payload,
    door: &Door,
    source: &Source,
) -> Result<HttpResponse, Problem> {
    let gateway = &door.gateway;
    let encoding = Encoding::of(req)?;
    let limits = limits(&gateway.config, source.kind);
    let mapping = mapping_of(door, source)?;
    let mapping = mapping.as_deref();
    let received = body::receive(req, payload, limits).await?;
    sender::prove(req, gateway, source, mapping, &received)?;
    let body = body::unpack(received.clone(), encoding, limits)?;
    // Before the rate: VK asks without a secret, so anybody may, and must not use up what is the source's.
    if let Some(answer) = sender::small_talk(req, source, &body) {
        return answer.map(say);
    }
    door.admit(source)?;
    gateway.metrics.observe_body(body.len());
    gateway.metrics.observe_batch(1);
    self::check(mapping, &body)?;

    let keys = gateway.vault.tenant(&source.tenant);
    let accepted = Accepted { body: &body, payload_digest: keys.payload_digest(&body) };
    let sealed = publish::seal(source, source.kind, &keys, gateway.clock.now(), &accepted);
    publish::publish(door, source, vec![sealed]).await?;
    gateway.metrics.accepted(source.kind, 1);
    match &source.forward_to {
        Some(address) if channels::can_answer(source.kind) => {
            let taken = Taken { source, keys: &keys, received, body: &body };
            forward::pass_on(req, door, address, taken).await
        }
        _ => Ok(say(channels::thanks(source.kind))),
    }
}
