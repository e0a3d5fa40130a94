//! `POST /v1/subjects/{id}/joins` and `POST /v1/subjects/{id}/splits`: a person says who is who.
//!
//! What was said becomes ordinary events, which go the way of all events and so are kept, shown and proven like them.
//! The answer comes when they are durable; the subject is another one as soon as they are recorded.

use actix_web::{HttpRequest, HttpResponse, web};
use domain::channel::Channel;
use domain::id::{ReceiptId, SourceId, TenantId};
use domain::registry::SourceKind;
use domain::subject::{Identity, IdentityKind};
use event_schema::codec::RawDelivery;
use http_kit::endpoint::Endpoint;
use http_kit::problem::{Problem, ProblemKind};
use ports::bus::{Message, Partition, Topic};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::parameters::Parameters;
use crate::person::{self, Person};
use crate::{Console, access, failure};

pub(crate) const JOINS: Endpoint =
    Endpoint { service: "console", pattern: "/v1/subjects/{id}/joins", methods: &["POST"] };
pub(crate) const SPLITS: Endpoint =
    Endpoint { service: "console", pattern: "/v1/subjects/{id}/splits", methods: &["POST"] };

/// Where rulings come from, in the ledger.
const SOURCE: &str = "letopis-console";

/// Whom it is about, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    identity: Named,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    kind: String,
    id: String,
}

#[derive(Serialize)]
struct Ruled {
    /// The events that say so.
    events: Vec<String>,
}

pub(crate) async fn join(
    req: HttpRequest,
    console: web::Data<Console>,
    id: web::Path<String>,
    asked: web::Json<Asked>,
) -> Result<HttpResponse, Problem> {
    let (tenant, person, identity) = about(&req, &console, &id, &asked.identity).await?;
    if person.circle.has(&identity) {
        return Err(Problem::new(ProblemKind::Conflict).detail("they are one client already"));
    }
    let pair = person.circle.identities.iter().find_map(|own| in_one_event(own, &identity));
    let pair = pair.ok_or_else(|| {
        Problem::new(ProblemKind::Conflict).detail(
            "an event cannot name both: join over an account, an address, a lead or a booking of one of them",
        )
    })?;
    rule(&console, &tenant, &person, "subject_join", vec![pair], &asked.reason).await
}

pub(crate) async fn split(
    req: HttpRequest,
    console: web::Data<Console>,
    id: web::Path<String>,
    asked: web::Json<Asked>,
) -> Result<HttpResponse, Problem> {
    let (tenant, person, identity) = about(&req, &console, &id, &asked.identity).await?;
    // Every join of this identity, or it would still hang together with the rest over another.
    let joins = person.circle.links.iter().filter(|link| link.holds());
    let pairs: Vec<_> =
        joins.filter_map(|link| in_one_event(&identity, link.pair.other(&identity)?)).collect();
    if pairs.is_empty() {
        return Err(Problem::new(ProblemKind::Conflict).detail("nothing joins this identity to the client"));
    }
    rule(&console, &tenant, &person, "subject_split", pairs, &asked.reason).await
}

async fn about(
    req: &HttpRequest,
    console: &Console,
    id: &str,
    named: &Named,
) -> Result<(TenantId, Person, Identity), Problem> {
    let parameters = Parameters::read(req, &[])?;
    let tenant = access::changing(req, console, &parameters).await?;
    let invalid = |pointer: &str, expected: &str| {
        Problem::new(ProblemKind::InvalidParameter).error(pointer.to_owned(), expected.to_owned())
    };
    let kinds = "one of phone, email, messenger, sender_hash, lead, appointment";
    let kind = IdentityKind::parse(&named.kind).ok_or_else(|| invalid("/identity/kind", kinds))?;
    let identity = Identity::all_stored_as(&named.id).into_iter().find(|identity| identity.kind == kind);
    let identity = identity.ok_or_else(|| invalid("/identity/id", "an id as `identities` shows it"))?;
    let person = person::of_id(console, &tenant, id).await?;
    Ok((tenant, person, identity))
}

/// What an event says that names these two and nobody else; `None` where one event cannot.
fn in_one_event(one: &Identity, other: &Identity) -> Option<Value> {
    let mut event = json!({});
    for identity in [one, other] {
        let place = match identity.kind {
            IdentityKind::Phone => "/contact/phone",
            IdentityKind::Email => "/contact/email",
            IdentityKind::Messenger if event.pointer("/contact/messenger_id").is_none() => {
                "/contact/messenger_id"
            }
            IdentityKind::Messenger => "/contact/other_messenger_id",
            IdentityKind::SenderHash => "/user_hash",
            IdentityKind::Lead => "/crm_lead_id",
            IdentityKind::Appointment => "/appointment/id",
        };
        if event.pointer(place).is_some() {
            return None;
        }
        let (parent, key) = place.rsplit_once('/')?;
        let parent = parent.trim_start_matches('/');
        let object = if parent.is_empty() { &mut event } else { &mut event[parent] };
        object[key] = Value::from(identity.as_str());
    }
    Some(event)
}

/// Publishes an event for each pair. Where that fails some may be out already: asking again rules the same once more,
/// which changes nothing.
async fn rule(
    console: &Console,
    tenant: &TenantId,
    person: &Person,
    action: &str,
    pairs: Vec<Value>,
    reason: &str,
) -> Result<HttpResponse, Problem> {
    let now = console.clock.now();
    let latest = person.latest_session();
    let mut events = Vec::with_capacity(pairs.len());
    let mut messages = Vec::with_capacity(pairs.len());
    for mut event in pairs {
        let id = Uuid::new_v4();
        // It stands in the client's history, after what was there.
        let alone = format!("ruling-{id}");
        event["event_id"] = Value::from(id.to_string());
        event["timestamp"] = Value::from(now.to_string());
        event["channel"] = Value::from(latest.map_or(Channel::Other, |rollup| rollup.opened.value).as_str());
        event["session_id"] = Value::from(latest.map_or(alone.as_str(), |rollup| rollup.session.as_str()));
        event["actor"] = Value::from("staff");
        event["action"] = Value::from(action);
        event["attributes"] = json!({ "reason": reason });
        let body = serde_json::to_vec(&event).map_err(|cause| failure::internal(&cause))?;
        let keys = console.vault.tenant(tenant);
        let receipt = ReceiptId::generate();
        let delivery = RawDelivery {
            receipt,
            tenant: tenant.clone(),
            source: SourceId::parse(SOURCE).expect("a source's id of our own"),
            kind: SourceKind::Events,
            received_at: now,
            payload_digest: keys.payload_digest(&body),
            sealed_body: keys.seal_body(receipt, &body),
            refusal: None,
            mapping: None,
        };
        events.push(id.to_string());
        messages.push(Message::new(tenant.clone(), Partition::FIRST, delivery.encode()));
    }
    console.bus.publish(Topic::Raw, messages).await.map_err(failure::of_bus)?;
    tracing::info!(action, events = events.len(), "somebody ruled who is who");
    Ok(HttpResponse::Accepted().json(Ruled { events }))
}
