//! The events of one request: each checked on its own, the good ones published together, one answer.

use actix_web::HttpResponse;
use domain::id::EventId;
use domain::registry::{Source, SourceKind};
use domain::timestamp::Timestamp;
use http_kit::problem::{FieldError, Problem, ProblemKind};
use ports::idempotency::StoredAnswer;
use privacy::TenantKeys;
use serde_json::{Value, json};

use crate::idempotency::{self, Key, Known};
use crate::items::Items;
use crate::media::Format;
use crate::publish::{self, Accepted};
use crate::{Door, Gateway, check};

/// The most spots named when all of a batch is refused.
const MAX_ERRORS: usize = 100;

/// A request whose sender is proven.
pub(crate) struct Intake<'a> {
    pub(crate) source: &'a Source,
    /// What its events are: our own, whatever the source speaks, or those of the source.
    pub(crate) kind: SourceKind,
    pub(crate) items: Items<'a>,
    pub(crate) resend: Option<Resend<'a>>,
}

/// By what a request that comes again is known as a whole.
pub(crate) struct Resend<'a> {
    pub(crate) key: Key,
    pub(crate) format: Format,
    pub(crate) body: &'a [u8],
}

/// An event that will be taken.
pub(crate) struct Good<'a> {
    event_id: EventId,
    pub(crate) accepted: Accepted<'a>,
}

/// Takes what can be taken; the answer says which that was.
pub(crate) async fn take(door: &Door, intake: Intake<'_>) -> Result<HttpResponse, Problem> {
    let gateway = &door.gateway;
    let Intake { source, kind, items, resend } = intake;
    door.admit_rest(source, items.as_slice().len())?;
    gateway.metrics.observe_batch(items.as_slice().len());

    let keys = gateway.vault.tenant(&source.tenant);
    let verdicts: Vec<_> =
        items.as_slice().iter().map(|item| judge(gateway, source, kind, &keys, item)).collect();
    if verdicts.iter().all(Result::is_err) {
        return Err(refuse_all(&items, verdicts));
    }

    let open = match resend {
        None => None,
        Some(Resend { key, format, body }) => {
            match idempotency::begin(gateway, &source.id, &keys, &key, format, body).await? {
                Known::Open(key) => Some(key),
                Known::Answered(answer) => {
                    gateway.metrics.replayed();
                    return respond(&answer, true);
                }
            }
        }
    };
    let answer = publish_good(door, (source, kind), &keys, &items, &verdicts).await?;
    let answer = match open {
        None => answer,
        Some(key) => idempotency::keep(gateway, &key, answer).await,
    };
    respond(&answer, false)
}

/// Checks one event and finds out which it is.
pub(crate) fn judge<'a>(
    gateway: &Gateway,
    source: &Source,
    kind: SourceKind,
    keys: &TenantKeys,
    item: &'a str,
) -> Result<Good<'a>, Problem> {
    let max_bytes = gateway.config.max_event_bytes.get();
    let observation = match kind {
        SourceKind::Cloudevents => check::cloud_event(item, max_bytes, gateway.clock.now())?,
        _ => check::observation(item, max_bytes)?,
    };
    let payload_digest = keys.payload_digest(item.as_bytes());
    // Only an event without an id is known by its content.
    let derived = || keys.identify(&source.id, &observation, &payload_digest).event_id;
    let event_id = observation.event_id.unwrap_or_else(derived);
    Ok(Good { event_id, accepted: Accepted { body: item.as_bytes(), payload_digest } })
}

async fn publish_good(
    door: &Door,
    (source, kind): (&Source, SourceKind),
    keys: &TenantKeys,
    items: &Items<'_>,
    verdicts: &[Result<Good<'_>, Problem>],
) -> Result<StoredAnswer, Problem> {
    let gateway = &door.gateway;
    let received_at = gateway.clock.now();
    let good = verdicts.iter().flatten();
    let sealed: Vec<_> =
        good.map(|good| publish::seal(source, kind, keys, received_at, &good.accepted)).collect();
    let accepted = sealed.len();
    publish::publish(door, source, sealed).await?;
    gateway.metrics.accepted(kind, accepted);
    for problem in verdicts.iter().filter_map(|verdict| verdict.as_ref().err()) {
        gateway.rejected(Some(source), problem);
    }
    Ok(answer(items, verdicts, accepted, received_at))
}

/// What is answered when something was taken.
pub(crate) fn answer(
    items: &Items<'_>,
    verdicts: &[Result<Good<'_>, Problem>],
    accepted: usize,
    received_at: Timestamp,
) -> StoredAnswer {
    let received_at = received_at.to_string();
    let (status, body) = match (items, verdicts) {
        (Items::One(_), [Ok(good)]) => {
            (202, json!({"event_id": good.event_id.to_string(), "received_at": received_at}))
        }
        _ => {
            let results: Vec<_> =
                verdicts.iter().enumerate().map(|(index, verdict)| result(index, verdict)).collect();
            let status = if accepted == verdicts.len() { 202 } else { 207 };
            (status, json!({"accepted": accepted, "results": results, "received_at": received_at}))
        }
    };
    StoredAnswer { status, body: body.to_string().into_bytes() }
}

/// What a batch answers for one of its events.
fn result(index: usize, verdict: &Result<Good<'_>, Problem>) -> Value {
    match verdict {
        Ok(good) => json!({"index": index, "status": 202, "event_id": good.event_id.to_string()}),
        Err(problem) => {
            let mut members = problem.members();
            members.insert("index".to_owned(), index.into());
            Value::Object(members)
        }
    }
}

/// The one problem of a request none of whose events can be taken.
pub(crate) fn refuse_all(items: &Items<'_>, verdicts: Vec<Result<Good<'_>, Problem>>) -> Problem {
    let problems: Vec<_> = verdicts.into_iter().filter_map(Result::err).collect();
    match (items, problems.as_slice()) {
        (Items::One(_), [problem]) => problem.clone(),
        _ => {
            let spots = problems.iter().enumerate().flat_map(|(index, problem)| spots(index, problem));
            Problem::new(ProblemKind::InvalidEvent)
                .detail(format!("none of the {} events was taken", problems.len()))
                .errors(spots.take(MAX_ERRORS))
        }
    }
}

/// Where an event of a batch is wrong, seen from the whole body.
fn spots(index: usize, problem: &Problem) -> Vec<FieldError> {
    if problem.field_errors().is_empty() {
        let what =
            if problem.kind() == ProblemKind::EventTooLarge { "must be smaller" } else { "must be JSON" };
        let expected = format!("{what}: {}", problem.summary());
        return vec![FieldError { pointer: format!("/{index}"), expected }];
    }
    let seen_from_body = |error: &FieldError| FieldError {
        pointer: format!("/{index}{}", error.pointer),
        expected: error.expected.clone(),
    };
    problem.field_errors().iter().map(seen_from_body).collect()
}

fn respond(answer: &StoredAnswer, is_replayed: bool) -> Result<HttpResponse, Problem> {
    let status = actix_web::http::StatusCode::from_u16(answer.status).map_err(|error| {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "failed to read a kept answer");
        Problem::new(ProblemKind::Internal)
    })?;
    let mut response = HttpResponse::build(status);
    response.content_type("application/json");
    if is_replayed {
        response.insert_header(("Idempotent-Replayed", "true"));
    }
    Ok(response.body(answer.body.clone()))
}
