//! `POST /login` and `POST /logout`: the page's key goes into a cookie that no script can read.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};
use domain::registry::Scope;
use http_kit::auth::COOKIE;
use http_kit::endpoint::Endpoint;
use http_kit::keyring::AuthError;
use http_kit::problem::{Problem, ProblemKind};

use crate::{Console, access};

pub(crate) const LOGIN: Endpoint = Endpoint { service: "console", pattern: "/login", methods: &["POST"] };
pub(crate) const LOGOUT: Endpoint = Endpoint { service: "console", pattern: "/logout", methods: &["POST"] };

/// An owner looks in from a phone every day; a key that must not last is revoked.
const LASTS: Duration = Duration::days(30);
/// A form with a key in it is shorter.
const MAX_FORM_BYTES: usize = 4096;

/// Checks the key of the form and keeps it in a cookie. Always leads back to the page, which says what went wrong.
pub(crate) async fn login(
    req: HttpRequest,
    console: web::Data<Console>,
    form: web::Bytes,
) -> Result<HttpResponse, Problem> {
    refuse_foreign(&req)?;
    let Some(key) = key_of(&form) else { return Ok(back_to("/?login=failed").finish()) };
    let outcome = match console.keyring.authenticate(&key).await {
        Ok(principal) if principal.scope.allows(Scope::Read) => Ok(()),
        Err(AuthError::Unavailable) => Err("/?login=unavailable"),
        // A key that only sends opens nothing here.
        Ok(_) | Err(_) => Err("/?login=failed"),
    };
    Ok(match outcome {
        Ok(()) => back_to("/").cookie(cookie(&req, key, LASTS)).finish(),
        Err(place) => back_to(place).finish(),
    })
}

/// Takes the cookie back.
pub(crate) async fn logout(req: HttpRequest) -> Result<HttpResponse, Problem> {
    refuse_foreign(&req)?;
    Ok(back_to("/").cookie(cookie(&req, String::new(), Duration::ZERO)).finish())
}

/// Another site must not sign a visitor in, to a tenant of its own, or out.
fn refuse_foreign(req: &HttpRequest) -> Result<(), Problem> {
    if access::is_same_origin(req) == Some(false) {
        return Err(Problem::new(ProblemKind::Forbidden).detail("this form is sent from its own page only"));
    }
    Ok(())
}

fn key_of(form: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(form).ok().filter(|text| text.len() <= MAX_FORM_BYTES)?;
    let fields = web::Query::<Vec<(String, String)>>::from_query(text).ok()?.into_inner();
    fields.into_iter().find(|(name, _)| name == "key").map(|(_, key)| key.trim().to_owned())
}

fn cookie(req: &HttpRequest, key: String, lasts: Duration) -> Cookie<'static> {
    // Behind a proxy that ends TLS the connection here is plain, and the proxy says what the browser's was.
    let is_secure = req.connection_info().scheme() == "https";
    Cookie::build(COOKIE, key)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(is_secure)
        .max_age(lasts)
        .finish()
}

fn back_to(place: &'static str) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::SeeOther();
    response.insert_header((LOCATION, place)).insert_header((CACHE_CONTROL, "no-store"));
    response
}
