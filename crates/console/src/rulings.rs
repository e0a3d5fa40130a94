//! `POST /v1/subjects/{id}/joins` and `POST /v1/subjects/{id}/splits`: a person says who is who.
//!
//! The answer comes when the events that say so are durable; the subject is another one as soon as they are recorded.

use actix_web::{HttpRequest, HttpResponse, web};
use domain::id::TenantId;
use domain::subject::{Identity, IdentityKind};
use http_kit::endpoint::Endpoint;
use http_kit::problem::{Problem, ProblemKind};
use serde::{Deserialize, Serialize};

use crate::parameters::Parameters;
use crate::person::Person;
use crate::ruling::{Ruler, RulingError};
use crate::{Console, access, failure, subjects};

pub(crate) const JOINS: Endpoint =
    Endpoint { service: "console", pattern: "/v1/subjects/{id}/joins", methods: &["POST"] };
pub(crate) const SPLITS: Endpoint =
    Endpoint { service: "console", pattern: "/v1/subjects/{id}/splits", methods: &["POST"] };

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
    answer(ruler(&console, &tenant).join(&person, &[identity], &asked.reason).await)
}

pub(crate) async fn split(
    req: HttpRequest,
    console: web::Data<Console>,
    id: web::Path<String>,
    asked: web::Json<Asked>,
) -> Result<HttpResponse, Problem> {
    let (tenant, person, identity) = about(&req, &console, &id, &asked.identity).await?;
    answer(ruler(&console, &tenant).split(&person, &identity, &asked.reason).await)
}

fn ruler<'a>(console: &'a Console, tenant: &'a TenantId) -> Ruler<'a> {
    Ruler { bus: &*console.bus, vault: &console.vault, tenant, now: console.clock.now() }
}

fn answer(ruled: Result<Vec<String>, RulingError>) -> Result<HttpResponse, Problem> {
    match ruled {
        Ok(events) => Ok(HttpResponse::Accepted().json(Ruled { events })),
        Err(RulingError::Bus(cause)) => Err(failure::of_bus(cause)),
        Err(error) => Err(Problem::new(ProblemKind::Conflict).detail(error.to_string())),
    }
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
    let person = subjects::of_id(console, &tenant, id).await?;
    Ok((tenant, person, identity))
}
