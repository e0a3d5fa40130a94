//! `GET /v1/reconcile`: the books, balanced or not; an imbalance is an answer, not a failure.

use actix_web::{HttpRequest, HttpResponse, web};
use http_kit::endpoint::Endpoint;
use http_kit::problem::Problem;
use serde::Serialize;

use crate::parameters::Parameters;
use crate::reconcile::{ReconcileError, TenantBooks};
use crate::{Console, access, answer, failure, reconcile};

pub(crate) const RECONCILE: Endpoint =
    Endpoint { service: "console", pattern: "/v1/reconcile", methods: &["GET"] };

#[derive(Serialize)]
struct Reconciled {
    balanced: bool,
    tenants: Vec<TenantBooks>,
}

pub(crate) async fn reconcile(
    req: HttpRequest,
    console: web::Data<Console>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let reader = access::reader(&req, &console).await?;
    // An operator sees all books at once, unless one tenant is asked for.
    let is_whole = reader.tenant.is_none() && parameters.tenant()?.is_none();
    let only = if is_whole { None } else { Some(reader.tenant(&console, &parameters)?) };
    let books = reconcile::reconcile(&*console.bus, &*console.ledger).await;
    let mut tenants = books.map_err(|error| match error {
        ReconcileError::Bus(cause) => failure::of_bus(cause),
        ReconcileError::Ledger(cause) => failure::of_ledger(cause),
    })?;
    tenants.retain(|books| only.as_ref().is_none_or(|only| books.tenant == *only));
    let balanced = tenants.iter().all(|books| books.balanced);
    answer::json(&req, &Reconciled { balanced, tenants })
}
