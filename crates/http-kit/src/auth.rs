//! Who asks, and may they: from the request's headers to a [`Principal`], or the problem to answer with.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use domain::registry::Scope;

use crate::keyring::{AuthError, Keyring, Principal};
use crate::problem::{Problem, ProblemKind};

/// The cookie in which the page keeps its key.
pub const COOKIE: &str = "letopis_key";

/// How long to wait when keys cannot be checked: the keyring asks the registry every second.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Demands `Authorization: Bearer <key>` whose key opens `wanted`.
pub async fn require(req: &HttpRequest, keyring: &Keyring, wanted: Scope) -> Result<Principal, Problem> {
    let presented = bearer(req)?.ok_or_else(missing)?;
    check(keyring, &presented, wanted).await
}

/// The same for a header's value that came another way than over HTTP.
pub async fn require_in(header: &[u8], keyring: &Keyring, wanted: Scope) -> Result<Principal, Problem> {
    let text = std::str::from_utf8(header).map_err(|_not_text| Problem::new(ProblemKind::InvalidKey))?;
    check(keyring, &key_in(text)?, wanted).await
}

/// As [`require`], and takes the page's cookie when there is no such header.
///
/// Only for requests that change nothing: a browser sends cookies whoever made it ask.
pub async fn require_or_cookie(
    req: &HttpRequest,
    keyring: &Keyring,
    wanted: Scope,
) -> Result<Principal, Problem> {
    let presented = match bearer(req)? {
        Some(key) => key,
        None => req.cookie(COOKIE).map(|cookie| cookie.value().to_owned()).ok_or_else(missing)?,
    };
    check(keyring, &presented, wanted).await
}

/// Whether the request carries a key at all, in a header or in the cookie.
#[must_use]
pub fn presents_key(req: &HttpRequest) -> bool {
    req.headers().contains_key(AUTHORIZATION) || req.cookie(COOKIE).is_some()
}

async fn check(keyring: &Keyring, presented: &str, wanted: Scope) -> Result<Principal, Problem> {
    let principal = keyring.authenticate(presented).await.map_err(|error| match error {
        AuthError::Malformed | AuthError::Unknown => Problem::new(ProblemKind::InvalidKey),
        AuthError::Revoked => Problem::new(ProblemKind::RevokedKey),
        AuthError::Unavailable => Problem::new(ProblemKind::StoreUnavailable).retry_after(RETRY_AFTER),
    })?;
    if principal.scope.allows(wanted) {
        return Ok(principal);
    }
    let has = principal.scope;
    Err(Problem::new(ProblemKind::Forbidden)
        .detail(format!("this needs the scope {wanted}, the key has {has}")))
}

fn missing() -> Problem {
    Problem::new(ProblemKind::Unauthorized).detail("send the header Authorization: Bearer letopis_…")
}

fn bearer(req: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(value) = req.headers().get(AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().map_err(|_not_ascii| Problem::new(ProblemKind::InvalidKey))?;
    key_in(text).map(Some)
}

fn key_in(header: &str) -> Result<String, Problem> {
    match header.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Ok(key.trim().to_owned()),
        _ => Err(missing()),
    }
}
