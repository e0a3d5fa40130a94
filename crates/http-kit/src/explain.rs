//! What a problem means and what to do about it: `docs/problems.md`, served under the path in a problem's `type`.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};

use crate::endpoint::Endpoint;
use crate::problem::{Problem, ProblemKind};

const DOCUMENT: &str = include_str!("../../../docs/problems.md");

/// Where the explanations are served.
pub const ENDPOINT: Endpoint =
    Endpoint { service: "http-kit", pattern: "/problems/{slug}", methods: &["GET"] };

/// Serves the explanations at `GET /problems/{slug}`.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(ENDPOINT.resource().route(web::get().to(explain)));
}

/// The section of a problem: its heading and everything until the next.
#[must_use]
pub fn section(slug: &str) -> Option<&'static str> {
    DOCUMENT.split("\n## ").skip(1).find(|section| section.lines().next() == Some(slug))
}

async fn explain(slug: web::Path<String>) -> Result<HttpResponse, Problem> {
    let section = section(&slug).ok_or(Problem::new(ProblemKind::NotFound))?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .body(section))
}
