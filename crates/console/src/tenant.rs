//! `GET /v1/tenant` and `POST /v1/tenant/trade`: the business itself, and what its texts may not leave with.

use actix_web::{HttpRequest, HttpResponse, web};
use domain::id::TenantId;
use domain::registry::{Tenant, Trade};
use http_kit::endpoint::Endpoint;
use http_kit::problem::{Problem, ProblemKind};
use ports::registry::RegistryError;
use serde::{Deserialize, Serialize};

use crate::parameters::Parameters;
use crate::{Console, access, answer, failure};

pub(crate) const SHOW: Endpoint = Endpoint { service: "console", pattern: "/v1/tenant", methods: &["GET"] };
pub(crate) const TRADE: Endpoint =
    Endpoint { service: "console", pattern: "/v1/tenant/trade", methods: &["POST"] };

/// A business as shown.
#[derive(Serialize)]
struct TenantView {
    id: String,
    name: String,
    trade: &'static str,
    created_at: String,
}

/// What it is to be from now on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    trade: String,
}

pub(crate) async fn show(req: HttpRequest, console: web::Data<Console>) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let tenant = access::reading(&req, &console, &parameters).await?;
    answer::json(&req, &TenantView::from(find(&console, &tenant)?))
}

pub(crate) async fn set_trade(
    req: HttpRequest,
    console: web::Data<Console>,
    asked: web::Json<Asked>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let tenant = access::changing(&req, &console, &parameters).await?;
    let trade = Trade::parse(&asked.trade).ok_or_else(|| {
        let words = Trade::ALL.map(Trade::as_str).join(", ");
        Problem::new(ProblemKind::InvalidParameter).error("/trade", format!("one of {words}"))
    })?;
    console.registry.set_trade(&tenant, trade).await.map_err(|error| match error {
        RegistryError::NotFound => Problem::new(ProblemKind::NotFound),
        error => failure::of_registry(&error),
    })?;
    // What is asked next is to be answered by the new trade.
    console.keyring.refresh().await;
    tracing::info!(tenant.id = tenant.as_str(), trade = trade.as_str(), "gave a tenant another trade");
    Ok(HttpResponse::Ok().json(TenantView::from(find(&console, &tenant)?)))
}

fn find(console: &Console, tenant: &TenantId) -> Result<Tenant, Problem> {
    console.keyring.tenant(tenant).ok_or_else(|| Problem::new(ProblemKind::NotFound))
}

impl From<Tenant> for TenantView {
    fn from(tenant: Tenant) -> Self {
        let Tenant { id, name, trade, created_at, revoked_at: _ } = tenant;
        Self { id: id.to_string(), name, trade: trade.as_str(), created_at: created_at.to_string() }
    }
}
