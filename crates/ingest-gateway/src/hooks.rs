//! `POST /v1/hooks/{source}`: what messengers send, as they send it.
//!
//! Answers 200 with `{}`: to Telegram an empty object is "received, nothing to do"; any other content would be read as
//! a method to call, and any status but 2xx makes it send the update again.

use std::sync::Arc;

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use domain::registry::{Source, SourceKind};
use http_kit::problem::{Problem, ProblemKind};
use serde_json::json;

use crate::body::{self, Limits};
use crate::media::Encoding;
use crate::publish::{self, Accepted};
use crate::sender::{self, Sender};
use crate::{Door, check, events};

/// Answers `POST /v1/hooks/{source}`.
pub(crate) async fn post(
    req: HttpRequest,
    name: Path<String>,
    payload: Payload,
    door: Data<Door>,
) -> Result<HttpResponse, Problem> {
    let answer = match sender::known(&door.gateway, &name).await {
        Ok(Some(source)) => receive(&req, payload, &door, source).await,
        Ok(None) => Err(Problem::new(ProblemKind::NotFound)),
        Err(problem) => Err(problem),
    };
    answer.inspect_err(|problem| door.gateway.metrics.rejected(problem.kind()))
}

async fn receive(
    req: &HttpRequest,
    payload: Payload,
    door: &Door,
    source: Arc<Source>,
) -> Result<HttpResponse, Problem> {
    match source.kind {
        SourceKind::Events => events::receive(req, payload, door, &Sender::Claimed(source)).await,
        SourceKind::Telegram => deliver(req, payload, door, &source).await,
    }
}

/// Takes one delivery of a messenger, whole: what it means is for the normalizer to say.
async fn deliver(
    req: &HttpRequest,
    payload: Payload,
    door: &Door,
    source: &Source,
) -> Result<HttpResponse, Problem> {
    let gateway = &*door.gateway;
    let encoding = Encoding::of(req)?;
    let max = gateway.config.max_event_bytes.get();
    let limits = Limits { received: max, unpacked: max, excess: ProblemKind::EventTooLarge };
    let received = body::receive(req, payload, limits).await?;
    sender::prove(req, gateway, source, &received)?;
    door.admit(source)?;
    let body = body::unpack(received, encoding, limits)?;
    gateway.metrics.observe_body(body.len());
    gateway.metrics.observe_batch(1);
    let text = body::text(&body)?;
    // What is no JSON the sender can be told at once; the normalizer could only quarantine it.
    check::json(text)?;

    let keys = gateway.vault.tenant(&source.tenant);
    let accepted = Accepted { body: &body, payload_digest: keys.payload_digest(&body) };
    let sealed = publish::seal(source, source.kind, &keys, gateway.clock.now(), &accepted);
    publish::publish(door, source, vec![sealed]).await?;
    gateway.metrics.accepted(source.kind, 1);
    Ok(HttpResponse::Ok().json(json!({})))
}
