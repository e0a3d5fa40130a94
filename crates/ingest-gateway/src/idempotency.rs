//! A repeated request gets the first answer.

use actix_web::HttpRequest;
use domain::event::Digest;
use domain::id::SourceId;
use http_kit::problem::{Problem, ProblemKind};
use ports::idempotency::{Begun, IdempotencyKey, StoredAnswer};
use privacy::TenantKeys;

use crate::Gateway;
use crate::media::Format;
use crate::publish;

const MAX_CHARS: usize = 255;

/// The sender's word for "this very request", if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    /// Reads a header that holds such a word: `Idempotency-Key`, or `webhook-id` of a signed request.
    pub(crate) fn read(req: &HttpRequest, header: &'static str) -> Result<Option<Self>, Problem> {
        let mut given = req.headers().get_all(header);
        let Some(value) = given.next() else { return Ok(None) };
        let is_printable = |byte: &u8| (b' '..=b'~').contains(byte);
        let is_usable = given.next().is_none()
            && (1..=MAX_CHARS).contains(&value.len())
            && value.as_bytes().iter().all(is_printable);
        match value.to_str() {
            Ok(text) if is_usable => Ok(Some(Self(text.to_owned()))),
            _ => Err(Problem::new(ProblemKind::IdempotencyKeyInvalid)
                .detail(format!("{header}: once, 1 to {MAX_CHARS} printable ASCII characters"))),
        }
    }
}

/// What is known of a request that was sent with a key.
pub(crate) enum Known {
    /// Not answered yet. Answer, and [`keep`] the answer.
    Open(IdempotencyKey),
    /// Answered like this.
    Answered(StoredAnswer),
}

/// Opens a key for a body. Only for requests that will be taken: one that is refused happened never, and its key is
/// free for the corrected body.
pub(crate) async fn begin(
    gateway: &Gateway,
    source: &SourceId,
    keys: &TenantKeys,
    key: &Key,
    format: Format,
    body: &[u8],
) -> Result<Known, Problem> {
    let stored = IdempotencyKey {
        source: source.clone(),
        key: keys.digest("idempotency key", &[source.as_str().as_bytes(), key.0.as_bytes()]),
    };
    let digest: Digest = keys.digest("idempotency body", &[format.as_str().as_bytes(), body]);
    let begun = gateway
        .idempotency
        .begin(&stored, digest, gateway.clock.now())
        .await
        .map_err(|error| publish::unanswered(gateway, &error))?;
    match begun {
        Begun::New | Begun::InProgress => Ok(Known::Open(stored)),
        Begun::Done(answer) => Ok(Known::Answered(answer)),
        Begun::Conflict => Err(Problem::new(ProblemKind::IdempotencyConflict)),
    }
}

/// Keeps an answer; gives back the one to send, which is another's if that was faster.
///
/// The events are durable by now, so the sender hears of it even when the answer cannot be kept: a repetition would
/// then publish them again, which the event ids make harmless.
pub(crate) async fn keep(gateway: &Gateway, key: &IdempotencyKey, answer: StoredAnswer) -> StoredAnswer {
    match gateway.idempotency.finish(key, answer.clone()).await {
        Ok(kept) => kept,
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "failed to keep an answer for its idempotency key");
            answer
        }
    }
}
