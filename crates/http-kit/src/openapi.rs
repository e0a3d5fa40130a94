//! The OpenAPI document of all services, served as it was built in.

use actix_web::http::header::{CACHE_CONTROL, ContentType};
use actix_web::{HttpResponse, web};

use crate::endpoint::Endpoint;

/// The document.
pub const DOCUMENT: &str = include_str!("../../../proto-schemas/openapi/letopis.json");

/// Where it is served.
pub const ENDPOINT: Endpoint = Endpoint { service: "http-kit", pattern: "/openapi.json", methods: &["GET"] };

/// Serves the document at `GET /openapi.json`.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(ENDPOINT.resource().route(web::get().to(document)));
}

async fn document() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .body(DOCUMENT)
}
