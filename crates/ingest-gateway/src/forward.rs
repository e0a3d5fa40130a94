//! Deliveries that are passed on to the bot they are for, and its answers, which are passed back.
//!
//! The order is the point (ADR 19): the delivery is durable before the bot hears of it; its answer, and what it says to the
//! client, are durable before the messenger hears of them. A delivery that comes again is answered as it was answered.

use actix_web::http::header::X_CONTENT_TYPE_OPTIONS;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use channels::{Answer, Told};
use domain::event::Sealed;
use domain::registry::Source;
use domain::timestamp::Timestamp;
use futures_util::stream;
use http_kit::problem::{Problem, ProblemKind};
use ports::idempotency::{Begun, IdempotencyKey, StoredAnswer};
use privacy::TenantKeys;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName};

use crate::bot::{Body, Heard, Rest, Unanswered};
use crate::kept::Kept;
use crate::publish::{self, Accepted};
use crate::{Door, Gateway};

/// What Telegram says besides the delivery begins like this; the proof the bot asks for is among it.
const OF_TELEGRAM: &str = "x-telegram-";

/// A delivery that was taken.
pub(crate) struct Taken<'a> {
    pub(crate) source: &'a Source,
    pub(crate) keys: &'a TenantKeys,
    /// As it came over the wire.
    pub(crate) received: Bytes,
    /// Unpacked.
    pub(crate) body: &'a [u8],
}

/// Passes a delivery on, and its answer back.
pub(crate) async fn pass_on(
    req: &HttpRequest,
    door: &Door,
    address: &Sealed,
    taken: Taken<'_>,
) -> Result<HttpResponse, Problem> {
    let gateway = &door.gateway;
    let key = key_of(&taken);
    if let Some(kept) = known(gateway, &taken, &key).await? {
        gateway.metrics.forwarded(&taken.source.id, "repeated");
        record(door, &taken, &kept).await?;
        return Ok(respond(kept));
    }
    let heard = ask(req, door, address, &taken).await?;
    let Heard { status, headers, body, took } = heard;
    let body = match body {
        Body::Whole(body) => body,
        Body::Large(rest) => {
            gateway.metrics.forwarded(&taken.source.id, "large");
            return Ok(pass_through(status, &headers, rest));
        }
    };
    let kept = Kept { status, headers, body, answered_at: gateway.clock.now(), took };
    if !status.is_success() {
        // To the messenger it is not delivered, and it will come again.
        gateway.metrics.forwarded(&taken.source.id, "refused");
        return Ok(respond(kept));
    }
    let kept = keep(gateway, &taken, &key, kept).await?;
    let outcome = record(door, &taken, &kept).await?;
    gateway.metrics.forwarded(&taken.source.id, outcome);
    Ok(respond(kept))
}

async fn ask(req: &HttpRequest, door: &Door, address: &Sealed, taken: &Taken<'_>) -> Result<Heard, Problem> {
    let (gateway, source) = (&door.gateway, &taken.source.id);
    let address = gateway.vault.open_secret(source, address).map_err(|error| {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, source.id = source.as_str(), "failed to open the address of a bot");
        Problem::new(ProblemKind::Internal)
    })?;
    let address = String::from_utf8_lossy(&address);
    let asked = door.bots.ask(source, &address, passed_on(req), taken.received.clone()).await;
    match &asked {
        Ok(heard) => {
            gateway.metrics.observe_bot(heard.took);
            let trouble = heard.status.is_server_error().then_some(Trouble(heard.status.as_u16()));
            door.bots.note(source, trouble.as_ref().map(|trouble| trouble as _));
        }
        Err(Unanswered::Busy) => gateway.metrics.forwarded(source, "busy"),
        Err(error) => {
            let is_late = matches!(error, Unanswered::Late(_));
            gateway.metrics.forwarded(source, if is_late { "late" } else { "unreachable" });
            door.bots.note(source, Some(error));
        }
    }
    asked.map_err(|error| Problem::new(ProblemKind::BotUnavailable).detail(error.to_string()))
}

/// A bot answers that it cannot.
#[derive(Debug, thiserror::Error)]
#[error("the bot answers with {0}")]
struct Trouble(u16);

/// Headers that say what the bytes are, and those of the messenger's own.
fn passed_on(req: &HttpRequest) -> HeaderMap {
    let of_the_bytes = [CONTENT_TYPE.as_str(), CONTENT_ENCODING.as_str()];
    let chosen = req
        .headers()
        .iter()
        .filter(|(name, _)| of_the_bytes.contains(&name.as_str()) || name.as_str().starts_with(OF_TELEGRAM));
    let copied = chosen.filter_map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        Some((name, reqwest::header::HeaderValue::from_bytes(value.as_bytes()).ok()?))
    });
    copied.collect()
}

/// The same delivery has the same bytes, however often it comes.
fn key_of(taken: &Taken<'_>) -> IdempotencyKey {
    let source = &taken.source.id;
    let key = taken.keys.digest("answer of a bot", &[source.as_str().as_bytes(), taken.body]);
    IdempotencyKey { source: source.clone(), key }
}

/// How a delivery was answered when it came before.
async fn known(gateway: &Gateway, taken: &Taken<'_>, key: &IdempotencyKey) -> Result<Option<Kept>, Problem> {
    let begun = gateway.idempotency.begin(key, key.key, gateway.clock.now()).await;
    match begun.map_err(|error| publish::unanswered(gateway, &error))? {
        Begun::Done(answer) => Ok(open(taken, &answer)),
        // The key is made of the body: there is no other body under it.
        Begun::New | Begun::InProgress | Begun::Conflict => Ok(None),
    }
}

/// Keeps an answer; gives back the one to pass on, which is another's if that was faster.
async fn keep(
    gateway: &Gateway,
    taken: &Taken<'_>,
    key: &IdempotencyKey,
    kept: Kept,
) -> Result<Kept, Problem> {
    let answer = StoredAnswer { status: kept.status.as_u16(), body: kept.seal(taken.keys) };
    let stored = gateway.idempotency.finish(key, answer).await;
    let stored = stored.map_err(|error| publish::unanswered(gateway, &error))?;
    Ok(open(taken, &stored).unwrap_or(kept))
}

/// An answer under a key that is gone is as good as none: the bot is asked again.
fn open(taken: &Taken<'_>, answer: &StoredAnswer) -> Option<Kept> {
    let opened = Kept::open(taken.keys, &answer.body);
    if opened.is_none() {
        tracing::warn!(source.id = taken.source.id.as_str(), "failed to open a kept answer of a bot");
    }
    opened
}

/// Publishes what an answer says to the client; returns once it is durable, with a word for what it was.
async fn record(door: &Door, taken: &Taken<'_>, kept: &Kept) -> Result<&'static str, Problem> {
    let header = |name| kept.headers.get(name).and_then(|value| value.to_str().ok());
    let answer = Answer {
        content_type: header(CONTENT_TYPE),
        body: &kept.body,
        at: kept.answered_at,
        took_ms: u64::try_from(kept.took.as_millis()).unwrap_or(u64::MAX),
    };
    let said = match channels::told(taken.source.kind, taken.body, &answer) {
        Told::Nothing => return Ok("silent"),
        Told::Unreadable => return Ok("unreadable"),
        Told::Said(delivery) => delivery,
    };
    let (gateway, source) = (&door.gateway, taken.source);
    let accepted = Accepted { body: &said, payload_digest: taken.keys.payload_digest(&said) };
    let received_at: Timestamp = gateway.clock.now();
    let sealed = publish::seal(source, source.kind, taken.keys, received_at, &accepted);
    publish::publish(door, source, vec![sealed]).await?;
    gateway.metrics.accepted(source.kind, 1);
    Ok("said")
}

fn respond(kept: Kept) -> HttpResponse {
    response(kept.status, &kept.headers).body(kept.body)
}

/// An answer that is not held here passes as it comes, and what it says is not recorded: the client is to get it all the same.
fn pass_through(status: actix_web::http::StatusCode, headers: &HeaderMap, rest: Rest) -> HttpResponse {
    let chunks = stream::try_unfold(rest, |mut rest| async {
        let chunk = match rest.begun.take() {
            Some(begun) => Some(begun),
            None => rest.response.chunk().await.map_err(reqwest::Error::without_url)?,
        };
        Ok::<_, reqwest::Error>(chunk.map(|chunk| (chunk, rest)))
    });
    response(status, headers).streaming(Box::pin(chunks))
}

fn response(status: actix_web::http::StatusCode, headers: &HeaderMap) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    for (name, value) in headers {
        response.insert_header((name.as_str(), value.as_bytes()));
    }
    response.insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
    response
}
