//! `GET /v1/leads/{id}/events`: everything that named one lead, whichever conversation it was in.

use actix_web::{HttpRequest, HttpResponse, web};
use domain::audit::About;
use domain::id::LeadId;
use http_kit::endpoint::Endpoint;
use http_kit::problem::{Problem, ProblemKind};
use serde::Serialize;

use crate::parameters::Parameters;
use crate::scribe::Scribe;
use crate::timeline::{self, Thread, Timeline};
use crate::{Console, access, answer, cursor};

pub(crate) const EVENTS: Endpoint =
    Endpoint { service: "console", pattern: "/v1/leads/{id}/events", methods: &["GET"] };

#[derive(Serialize)]
struct LeadEvents {
    lead: String,
    #[serde(flatten)]
    timeline: Timeline,
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
    let lead: LeadId = id.parse().map_err(|_not_a_lead| Problem::new(ProblemKind::NotFound))?;
    let timeline = timeline::read(&console, &tenant, Thread::Lead(lead), after, limit).await?;
    if timeline.events.is_empty() && after.is_none() {
        return Err(Problem::new(ProblemKind::NotFound));
    }
    let page = LeadEvents { lead: lead.to_string(), timeline };
    answer::written(&req, &page, scribe.read((&tenant, &who), About::Lead(lead))).await
}
