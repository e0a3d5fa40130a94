//! `POST /v1/events`: canonical events from bots and sites.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use domain::registry::SourceKind;
use http_kit::problem::{Problem, ProblemKind};

use crate::body::{self, Limits};
use crate::idempotency::Key;
use crate::intake::{self, Intake, Resend};
use crate::items::Items;
use crate::media::{Encoding, Format};
use crate::sender::{self, Sender};
use crate::{Config, Door};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const WEBHOOK_ID: &str = "webhook-id";

/// Answers `POST /v1/events`.
pub(crate) async fn post(
    req: HttpRequest,
    payload: Payload,
    door: Data<Door>,
) -> Result<HttpResponse, Problem> {
    let gateway = &door.gateway;
    let sender = Sender::of(&req, gateway).await.inspect_err(|problem| gateway.rejected(None, problem))?;
    let answer = receive(&req, payload, &door, &sender).await;
    answer.inspect_err(|problem| gateway.rejected(Some(sender.source()), problem))
}

/// Takes the events of a sender who is known, or who has signed and is checked here.
pub(crate) async fn receive(
    req: &HttpRequest,
    payload: Payload,
    door: &Door,
    sender: &Sender,
) -> Result<HttpResponse, Problem> {
    let gateway = &door.gateway;
    let source = sender.source();
    let (format, encoding) = (Format::of(req)?, Encoding::of(req)?);
    let mut key = Key::read(req, IDEMPOTENCY_KEY)?;
    let limits = limits(&gateway.config);
    let received = match sender {
        Sender::Known(_) => {
            door.admit(source)?;
            body::receive(req, payload, limits).await?
        }
        Sender::Claimed(_) => {
            key = key.or(Key::read(req, WEBHOOK_ID)?);
            let received = body::receive(req, payload, limits).await?;
            sender::prove(req, gateway, source, None, &received)?;
            // Only now, or a stranger could use up what the source may send.
            door.admit(source)?;
            received
        }
    };
    let body = body::unpack(received, encoding, limits)?;
    gateway.metrics.observe_body(body.len());
    let items = Items::split(body::text(&body)?, format, gateway.config.max_batch_events.get())?;
    let resend = key.map(|key| Resend { key, format, body: &body });
    intake::take(door, Intake { source, kind: SourceKind::Events, items, resend }).await
}

/// How large a body of events may be.
pub(crate) fn limits(config: &Config) -> Limits {
    Limits {
        received: config.max_body_bytes.get(),
        unpacked: config.max_decompressed_bytes.get(),
        excess: ProblemKind::BodyTooLarge,
    }
}
