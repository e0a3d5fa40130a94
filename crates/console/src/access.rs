//! Who asks, and whose data they get.
//!
//! A tenant's key reads that tenant, whatever the address says. An operator's key, which belongs to no tenant, names
//! one with `?tenant=`. What is another tenant's is answered 404, as if it did not exist.

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, HeaderName, ORIGIN};
use domain::id::TenantId;
use domain::registry::Scope;
use http_kit::auth;
use http_kit::local;
use http_kit::problem::{Problem, ProblemKind};

use crate::Console;
use crate::parameters::Parameters;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Somebody who may read.
pub(crate) struct Reader {
    /// The tenant they read; `None` is every tenant.
    pub(crate) tenant: Option<TenantId>,
    pub(crate) scope: Scope,
    /// Whether they read without a key, as visitors of the demo do.
    pub(crate) is_open: bool,
}

/// Demands somebody who may read: by key, by the page's cookie, or as a visitor of the demo.
pub(crate) async fn reader(req: &HttpRequest, console: &Console) -> Result<Reader, Problem> {
    let visitor = open_reader(req, console);
    match auth::require_or_cookie(req, &console.keyring, Scope::Read).await {
        Ok(principal) => Ok(Reader { tenant: principal.tenant, scope: principal.scope, is_open: false }),
        // Cookies know no ports: one left behind by another program on this machine must not lock a visitor out.
        Err(problem) => match visitor {
            Some(visitor) if !req.headers().contains_key(AUTHORIZATION) => Ok(visitor),
            _ => Err(problem),
        },
    }
}

/// Demands somebody who may read, and says which tenant this request is about.
pub(crate) async fn reading(
    req: &HttpRequest,
    console: &Console,
    parameters: &Parameters,
) -> Result<TenantId, Problem> {
    let reader = reader(req, console).await?;
    reader.tenant(console, parameters)
}

/// Demands somebody who may change things, and says which tenant this request is about.
///
/// A browser sends the cookie whoever made it ask, so a cookie counts only when the page itself is asking.
pub(crate) async fn changing(
    req: &HttpRequest,
    console: &Console,
    parameters: &Parameters,
) -> Result<TenantId, Problem> {
    let principal = if is_same_origin(req) == Some(true) {
        auth::require_or_cookie(req, &console.keyring, Scope::Admin).await?
    } else {
        auth::require(req, &console.keyring, Scope::Admin).await?
    };
    Reader { tenant: principal.tenant, scope: principal.scope, is_open: false }.tenant(console, parameters)
}

impl Reader {
    /// The tenant the request is about.
    pub(crate) fn tenant(self, console: &Console, parameters: &Parameters) -> Result<TenantId, Problem> {
        let asked = parameters.tenant()?;
        match (self.tenant, asked) {
            (Some(own), None) => Ok(own),
            (Some(own), Some(asked)) if own == asked => Ok(own),
            (None, Some(asked)) if console.keyring.tenant(&asked).is_some() => Ok(asked),
            (_, Some(_other)) => Err(Problem::new(ProblemKind::NotFound)),
            (None, None) => Err(Problem::new(ProblemKind::InvalidParameter)
                .error("?tenant", "the id of a tenant: this key reads more than one")),
        }
    }
}

/// Whether the page itself is asking; `None` when the request does not say, as programs do not.
pub(crate) fn is_same_origin(req: &HttpRequest) -> Option<bool> {
    let header = |name| req.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = header(SEC_FETCH_SITE) {
        return Some(site == "same-origin");
    }
    // Browsers say where they fetch from only over HTTPS and on this machine; elsewhere the origin has to do.
    let origin = header(ORIGIN)?;
    let host = origin.split_once("://").map(|(_scheme, host)| host);
    Some(host == Some(req.connection_info().host()))
}

/// The visitor of a demo, who is on this very machine.
fn open_reader(req: &HttpRequest, console: &Console) -> Option<Reader> {
    let tenant = console.open_tenant.clone()?;
    local::is_local(req.head()).then_some(Reader { tenant: Some(tenant), scope: Scope::Read, is_open: true })
}
