//! `POST /v1/subjects/lookup`, `GET /v1/subjects/{id}` and what lies under it.
//!
//! The id of a subject is any of its identities as they are stored: it stays good when subjects are joined or split, and
//! the answer names the best one.

use actix_web::{HttpRequest, HttpResponse, web};
use domain::audit::About;
use domain::id::TenantId;
use http_kit::endpoint::Endpoint;
use http_kit::problem::{Problem, ProblemKind};
use serde::{Deserialize, Serialize};

use crate::parameters::Parameters;
use crate::person::{self, Person};
use crate::scribe::Scribe;
use crate::subject_view::{ConsentPage, SubjectView};
use crate::timeline::{self, Thread};
use crate::{Console, access, answer, cursor, failure};

pub(crate) const LOOKUP: Endpoint =
    Endpoint { service: "console", pattern: "/v1/subjects/lookup", methods: &["POST"] };
pub(crate) const SHOW: Endpoint =
    Endpoint { service: "console", pattern: "/v1/subjects/{id}", methods: &["GET"] };
pub(crate) const EVENTS: Endpoint =
    Endpoint { service: "console", pattern: "/v1/subjects/{id}/events", methods: &["GET"] };
pub(crate) const CONSENTS: Endpoint =
    Endpoint { service: "console", pattern: "/v1/subjects/{id}/consents", methods: &["GET"] };

/// What somebody typed: in a body, because it is a phone number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lookup {
    typed: String,
}

#[derive(Serialize)]
struct Found {
    id: String,
    /// Other clients that the same words may mean.
    others: Vec<String>,
}

pub(crate) async fn lookup(
    req: HttpRequest,
    console: web::Data<Console>,
    asked: web::Json<Lookup>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let tenant = access::reading(&req, &console, &parameters).await?;
    let keys = console.vault.tenant(&tenant);
    let circles = person::typed(&*console.subjects, &keys, &tenant, &asked.typed).await;
    let circles = circles.map_err(failure::of_ledger)?;
    let mut ids = circles.iter().map(|circle| person::id_of(circle).to_owned());
    let id = ids.next().ok_or(Problem::new(ProblemKind::NotFound))?;
    answer::json(&req, &Found { id, others: ids.collect() })
}

pub(crate) async fn show(
    req: HttpRequest,
    console: web::Data<Console>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let tenant = access::reading(&req, &console, &parameters).await?;
    let person = of_id(&console, &tenant, &id).await?;
    answer::json(&req, &SubjectView::from(&person))
}

pub(crate) async fn events(
    req: HttpRequest,
    console: web::Data<Console>,
    scribe: web::Data<Scribe>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &["cursor", "limit"])?;
    let (tenant, who) = access::reading_texts(&req, &console, &parameters).await?;
    let limit = parameters.limit(timeline::DEFAULT_LIMIT, timeline::MAX_LIMIT)?;
    let after = parameters.cursor(cursor::to_event)?;
    let person = of_id(&console, &tenant, &id).await?;
    let client = person.circle.identities.first().cloned();
    let client = client.ok_or_else(|| Problem::new(ProblemKind::NotFound))?;
    let history = person.history();
    let timeline = timeline::read(&console, &tenant, Thread::Client(&history), after, limit).await?;
    answer::written(&req, &timeline, scribe.read((&tenant, &who), About::Client(client))).await
}

pub(crate) async fn consents(
    req: HttpRequest,
    console: web::Data<Console>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let tenant = access::reading(&req, &console, &parameters).await?;
    let person = of_id(&console, &tenant, &id).await?;
    let records = person.consents(&*console.subjects, &tenant).await.map_err(failure::of_ledger)?;
    answer::json(&req, &ConsentPage::new(&person, &records))
}

/// The client of this id.
pub(crate) async fn of_id(console: &Console, tenant: &TenantId, id: &str) -> Result<Person, Problem> {
    let keys = console.vault.tenant(tenant);
    let person = person::of_id(&*console.subjects, &keys, tenant, id).await.map_err(failure::of_ledger)?;
    person.ok_or_else(|| Problem::new(ProblemKind::NotFound))
}
