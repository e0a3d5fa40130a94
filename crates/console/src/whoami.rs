//! `GET /v1/whoami`: what the page must know before it asks for anything else.

use actix_web::{HttpRequest, HttpResponse, web};
use http_kit::endpoint::Endpoint;
use http_kit::problem::Problem;
use serde::Serialize;

use crate::parameters::Parameters;
use crate::{Console, access, answer};

pub(crate) const WHOAMI: Endpoint = Endpoint { service: "console", pattern: "/v1/whoami", methods: &["GET"] };

#[derive(Serialize)]
struct Whoami {
    /// The one tenant this key reads; `null` when it reads all of `tenants`.
    tenant: Option<String>,
    scope: &'static str,
    /// Whether no key was needed.
    open: bool,
    tenants: Vec<TenantName>,
}

#[derive(Serialize)]
struct TenantName {
    id: String,
    name: String,
}

pub(crate) async fn whoami(req: HttpRequest, console: web::Data<Console>) -> Result<HttpResponse, Problem> {
    let _only_to_check = Parameters::read(&req, &[])?;
    let reader = access::reader(&req, &console).await?;
    let mut tenants = console.keyring.tenants();
    tenants.retain(|tenant| reader.tenant.as_ref().is_none_or(|own| tenant.id == *own));
    let name = |tenant: domain::registry::Tenant| TenantName { id: tenant.id.to_string(), name: tenant.name };
    answer::json(
        &req,
        &Whoami {
            tenant: reader.tenant.map(|tenant| tenant.to_string()),
            scope: reader.scope.as_str(),
            open: reader.is_open,
            tenants: tenants.into_iter().map(name).collect(),
        },
    )
}
