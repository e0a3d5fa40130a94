//! From headers to a principal, or to the right problem.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::cookie::Cookie;
use actix_web::test::TestRequest;
use domain::registry::Scope;
use http_kit::auth;
use http_kit::keyring::Keyring;
use http_kit::problem::ProblemKind;
use ports::clock::SystemClock;

use crate::keyring::{new_key, registry_with};

fn with_header(value: &str) -> HttpRequest {
    TestRequest::default().insert_header(("Authorization", value)).to_http_request()
}

#[tokio::test]
async fn only_a_key_of_a_fitting_scope_opens() {
    let (ingest, read, admin) = (new_key(Scope::Ingest), new_key(Scope::Read), new_key(Scope::Admin));
    let keyring = Keyring::new(registry_with(&[&ingest, &read, &admin]), Arc::new(SystemClock));
    let try_key = async |text: &str, wanted| {
        let answer = auth::require(&with_header(&format!("Bearer {text}")), &keyring, wanted).await;
        answer.map(|principal| principal.scope).map_err(|problem| problem.kind())
    };
    assert_eq!(try_key(ingest.text.expose(), Scope::Ingest).await, Ok(Scope::Ingest));
    assert_eq!(try_key(admin.text.expose(), Scope::Read).await, Ok(Scope::Admin));
    assert_eq!(try_key(read.text.expose(), Scope::Admin).await, Err(ProblemKind::Forbidden));
    assert_eq!(try_key(read.text.expose(), Scope::Ingest).await, Err(ProblemKind::Forbidden));
    assert_eq!(try_key("letopis_read", Scope::Read).await, Err(ProblemKind::InvalidKey));
    assert_eq!(try_key(new_key(Scope::Read).text.expose(), Scope::Read).await, Err(ProblemKind::InvalidKey));
}

#[tokio::test]
async fn the_scheme_is_bearer_in_any_case_and_nothing_else() {
    let key = new_key(Scope::Read);
    let keyring = Keyring::new(registry_with(&[&key]), Arc::new(SystemClock));
    let text = key.text.expose();
    for value in [format!("bearer {text}"), format!("BEARER  {text}")] {
        assert!(auth::require(&with_header(&value), &keyring, Scope::Read).await.is_ok(), "scheme");
    }
    for value in [format!("Basic {text}"), text.to_owned(), String::new()] {
        let problem = auth::require(&with_header(&value), &keyring, Scope::Read).await.unwrap_err();
        assert_eq!(problem.kind(), ProblemKind::Unauthorized);
    }
}

#[tokio::test]
async fn a_cookie_counts_only_where_it_is_asked_for() {
    let key = new_key(Scope::Read);
    let keyring = Keyring::new(registry_with(&[&key]), Arc::new(SystemClock));
    let cookie = Cookie::new(auth::COOKIE, key.text.expose().to_owned());
    let req = TestRequest::default().cookie(cookie).to_http_request();
    assert!(auth::require_or_cookie(&req, &keyring, Scope::Read).await.is_ok());
    let refused = auth::require(&req, &keyring, Scope::Read).await.unwrap_err();
    assert_eq!(refused.kind(), ProblemKind::Unauthorized);
}
