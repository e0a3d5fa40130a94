//! The page as a browser gets it.

use actix_web::test::TestRequest;

use crate::ask::{ask, world};

#[tokio::test]
async fn the_page_comes_without_a_key_and_with_a_policy_that_lets_nothing_else_in() {
    let world = world().await;
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/assets/app.js", "text/javascript; charset=utf-8"),
        ("/assets/app.css", "text/css; charset=utf-8"),
        ("/assets/favicon.svg", "image/svg+xml"),
    ] {
        let answer = ask(&world, TestRequest::get().uri(path)).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, content_type), "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'; base-uri 'none'") && !policy.contains("unsafe"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
}

#[tokio::test]
async fn a_file_the_browser_has_is_not_sent_again() {
    let world = world().await;
    let first = ask(&world, TestRequest::get().uri("/assets/app.js")).await;
    let tag = first.header("etag").to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}")] {
        let again = TestRequest::get().uri("/assets/app.js").insert_header(("If-None-Match", known.clone()));
        assert_eq!(ask(&world, again).await.status, 304, "{known}");
    }
}

#[tokio::test]
async fn only_files_of_the_page_are_served() {
    let world = world().await;
    for path in ["/assets/index.html", "/assets/..%2Fsrc%2Flib.rs", "/assets/Cargo.toml"] {
        let answer = ask(&world, TestRequest::get().uri(path)).await;
        assert_eq!((answer.status, answer.problem()), (404, "not-found"), "{path}");
    }
    let refused = ask(&world, TestRequest::post().uri("/")).await;
    assert_eq!((refused.status, refused.header("allow")), (405, "GET"));
}
