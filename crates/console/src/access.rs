//! Who asks, and whose data they get.
//!
//! A tenant's key reads that tenant, whatever the address says. An operator's key, which belongs to no tenant, names
//! one with `?tenant=`. What is another tenant's is answered 404, as if it did not exist.

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, HeaderName, ORIGIN};
use domain::audit::Who;
use domain::id::{KeyId, TenantId};
use domain::registry::Scope;
use http_kit::auth;
use http_kit::keyring::Principal;
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
    /// Who answers for what they read.
    pub(crate) who: Who,
    /// Whether they read without a key, as visitors of the demo do.
    pub(crate) is_open: bool,
}

/// Demands somebody who may read: by key, by the page's cookie, or as a visitor of the demo.
pub(crate) async fn reader(req: &HttpRequest, console: &Console) -> Result<Reader, Problem> {
    let visitor = open_reader(req, console);
    match auth::require_or_cookie(req, &console.keyring, Scope::Read).await {
        Ok(principal) => Ok(Reader::from(principal)),
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

/// Demands somebody who may read, for a request that shows what was said: says which tenant it is about, and who it is that
/// answers for it.
pub(crate) async fn reading_texts(
    req: &HttpRequest,
    console: &Console,
    parameters: &Parameters,
) -> Result<(TenantId, Who), Problem> {
    let reader = reader(req, console).await?;
    let who = reader.who.clone();
    Ok((reader.tenant(console, parameters)?, who))
}

/// Demands somebody who may change things, and says which tenant this request is about.
///
/// A browser sends the cookie whoever made it ask, so a cookie counts only when the page itself is asking.
pub(crate) async fn changing(
    req: &HttpRequest,
    console: &Console,
    parameters: &Parameters,
) -> Result<TenantId, Problem> {
    Reader::from(principal(req, console, Scope::Admin).await?).tenant(console, parameters)
}

/// Somebody who answers for what they do: with a key, for it is written down whose.
pub(crate) struct Opener {
    pub(crate) tenant: TenantId,
    pub(crate) key: KeyId,
}

/// Demands somebody with a key that reads, and says which tenant this request is about. A visitor without one is nobody
/// who could answer for it; a cookie counts only when the page itself is asking, for opening leaves a trace.
pub(crate) async fn opening(
    req: &HttpRequest,
    console: &Console,
    parameters: &Parameters,
) -> Result<Opener, Problem> {
    let principal = principal(req, console, Scope::Read).await?;
    let key = principal.key.clone();
    Ok(Opener { tenant: Reader::from(principal).tenant(console, parameters)?, key })
}

/// Demands somebody who may change things and answers for it: with a key, for it is written down whose.
pub(crate) async fn administrator(req: &HttpRequest, console: &Console) -> Result<Opener, Problem> {
    let parameters = Parameters::read(req, &[])?;
    let principal = principal(req, console, Scope::Admin).await?;
    let key = principal.key.clone();
    Ok(Opener { tenant: Reader::from(principal).tenant(console, &parameters)?, key })
}

/// Demands an administrator; the tenant the request is about, or `None` for an operator who asks about all.
pub(crate) async fn administering(
    req: &HttpRequest,
    console: &Console,
    parameters: &Parameters,
) -> Result<Option<TenantId>, Problem> {
    let principal = principal(req, console, Scope::Admin).await?;
    if principal.tenant.is_none() && parameters.tenant()?.is_none() {
        return Ok(None);
    }
    Reader::from(principal).tenant(console, parameters).map(Some)
}

/// By key, or by the cookie when the page itself is asking.
async fn principal(req: &HttpRequest, console: &Console, wanted: Scope) -> Result<Principal, Problem> {
    if is_same_origin(req) == Some(true) {
        auth::require_or_cookie(req, &console.keyring, wanted).await
    } else {
        auth::require(req, &console.keyring, wanted).await
    }
}

impl From<Principal> for Reader {
    fn from(principal: Principal) -> Self {
        let Principal { key, tenant, scope, source: _ } = principal;
        Self { tenant, scope, who: Who::Key(key.to_string()), is_open: false }
    }
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
    let visitor = Reader { tenant: Some(tenant), scope: Scope::Read, who: Who::Visitor, is_open: true };
    local::is_local(req.head()).then_some(visitor)
}
