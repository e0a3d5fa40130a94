//! The admin endpoints: `/livez`, `/readyz`, `/metrics`. Never for the public: whoever mounts them says
//! who may see them.

use actix_web::guard::GuardContext;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpResponse, web};
use prometheus::{Encoder as _, Registry, TextEncoder};

use crate::readiness::Readiness;

/// What the admin endpoints show.
#[derive(Clone)]
pub struct Admin {
    /// Whether requests should be sent here.
    pub readiness: Readiness,
    /// The process's metrics.
    pub metrics: Registry,
}

impl Admin {
    /// Mounts the endpoints. In a process with one port, `guard` decides who sees them; others get 404.
    pub fn mount(self, service: &mut web::ServiceConfig, guard: fn(&GuardContext<'_>) -> bool) {
        let guarded = |path: &str| web::resource(path).guard(actix_web::guard::fn_guard(guard));
        service
            .app_data(web::Data::new(self))
            .service(guarded("/livez").get(livez))
            .service(guarded("/readyz").get(readyz))
            .service(guarded("/metrics").get(metrics));
    }
}

/// Lets in everybody: for a port of its own.
#[must_use]
pub fn for_everybody(_context: &GuardContext<'_>) -> bool {
    true
}

async fn livez() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("alive\n")
}

async fn readyz(admin: web::Data<Admin>) -> HttpResponse {
    let report = admin.readiness.report();
    let mut response = if report.ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(report)
}

async fn metrics(admin: web::Data<Admin>) -> HttpResponse {
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    match encoder.encode(&admin.metrics.gather(), &mut text) {
        Ok(()) => {
            HttpResponse::Ok().insert_header((CONTENT_TYPE, encoder.format_type().to_owned())).body(text)
        }
        Err(cause) => {
            tracing::error!(error = &cause as &dyn std::error::Error, "failed to render metrics");
            HttpResponse::InternalServerError().finish()
        }
    }
}
