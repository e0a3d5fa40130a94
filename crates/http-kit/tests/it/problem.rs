//! How problems look on the wire.

use std::time::Duration;

use actix_web::ResponseError;
use actix_web::body::to_bytes;
use http_kit::problem::{Problem, ProblemKind, describe_json_error};
use serde_json::{Value, json};

#[tokio::test]
async fn a_problem_has_the_members_of_rfc_9457() {
    let problem = Problem::new(ProblemKind::InvalidEvent).detail("1 of 1").error("/timestamp", "a time");
    let response = problem.error_response();
    assert_eq!(response.status(), 422);
    assert_eq!(response.headers().get("content-type").unwrap(), "application/problem+json");
    let body: Value = serde_json::from_slice(&to_bytes(response.into_body()).await.unwrap()).unwrap();
    let expected = json!({
        "type": "/problems/invalid-event",
        "title": "the event is not valid",
        "status": 422,
        "detail": "1 of 1",
        "errors": [{"pointer": "/timestamp", "expected": "a time"}],
    });
    assert_eq!(body, expected);
}

#[test]
fn retry_after_is_whole_seconds_rounded_up() {
    for (millis, expected) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (59_500, "60")] {
        let problem = Problem::new(ProblemKind::RateLimited).retry_after(Duration::from_millis(millis));
        assert_eq!(problem.error_response().headers().get("retry-after").unwrap(), expected);
    }
}

#[test]
fn every_401_says_how_to_do_better() {
    for kind in ProblemKind::ALL {
        let response = Problem::new(kind).error_response();
        assert_eq!(response.headers().contains_key("www-authenticate"), kind.status() == 401, "{kind:?}");
    }
}

#[test]
fn a_description_of_broken_json_quotes_nothing_of_it() {
    let broken = [r#"{"phone":"#, r#"{"a": Anna}"#, r#"{"a":"\ud800"}"#, &"[".repeat(1000)];
    let described: Vec<_> = broken
        .iter()
        .map(|text| describe_json_error(&serde_json::from_str::<Value>(text).unwrap_err()))
        .collect();
    let expected = [
        "it ends too early at line 1 column 9",
        "syntax error at line 1 column 7",
        "syntax error at line 1 column 13",
        "it is nested too deeply at line 1 column 128",
    ];
    assert_eq!(described, expected);
    let wrong_type = serde_json::from_str::<u8>("\"79131234567\"").unwrap_err();
    assert!(!describe_json_error(&wrong_type).contains("7913"));
}
