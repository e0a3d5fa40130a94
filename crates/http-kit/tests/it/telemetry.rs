//! The middleware: ids, metrics, and problems for every failure.

use actix_web::test::{TestRequest, call_service, init_service, read_body_json, try_call_service};
use actix_web::{App, HttpResponse, web};
use http_kit::endpoint::{self, Endpoint};
use http_kit::problem::{Problem, ProblemKind};
use http_kit::telemetry::{RequestMetrics, Telemetry};
use http_kit::{explain, extract, openapi};
use prometheus::{Registry, TextEncoder};
use serde_json::Value;

const ECHO: Endpoint = Endpoint { service: "echo", pattern: "/echo/{what}", methods: &["GET", "POST"] };

async fn echo(what: web::Path<u8>) -> Result<HttpResponse, Problem> {
    match what.into_inner() {
        0 => Ok(HttpResponse::Ok().body("zero")),
        1 => Err(Problem::new(ProblemKind::BusFull)),
        2 => Ok(HttpResponse::InternalServerError().finish()),
        _ => Ok(HttpResponse::ImATeapot().body("written out by the handler")),
    }
}

async fn take(body: web::Json<Vec<u8>>) -> HttpResponse {
    HttpResponse::Ok().body(body.len().to_string())
}

/// Sends requests through the whole middleware; gives the answers and the metrics after them.
async fn answers(requests: Vec<TestRequest>) -> (Vec<(u16, Option<String>, Value)>, String) {
    let registry = Registry::new();
    let metrics = RequestMetrics::register(&registry).unwrap();
    let app = App::new()
        .wrap(Telemetry::new(metrics))
        .configure(extract::configure)
        .configure(openapi::routes)
        .configure(explain::routes)
        .service(ECHO.resource().route(web::get().to(echo)).route(web::post().to(take)))
        .default_service(web::to(endpoint::not_found));
    let app = init_service(app).await;
    let mut answers = Vec::new();
    for request in requests {
        let res = call_service(&app, request.to_request()).await;
        let status = res.status().as_u16();
        let id = res.headers().get("x-request-id").map(|id| id.to_str().unwrap().to_owned());
        let is_problem =
            res.headers().get("content-type").is_some_and(|value| value == "application/problem+json");
        let body = if is_problem { read_body_json(res).await } else { Value::Null };
        answers.push((status, id, body));
    }
    (answers, TextEncoder::new().encode_to_string(&registry.gather()).unwrap())
}

#[tokio::test]
async fn every_failure_is_a_problem_that_names_its_request() {
    let json = ("content-type", "application/json");
    let (answers, _) = answers(vec![
        TestRequest::get().uri("/echo/1"),
        TestRequest::get().uri("/echo/2"),
        TestRequest::get().uri("/echo/not-a-number"),
        TestRequest::get().uri("/nowhere"),
        TestRequest::delete().uri("/echo/1"),
        TestRequest::post().uri("/echo/1").insert_header(json).set_payload("[1"),
        TestRequest::post().uri("/echo/1").insert_header(json).set_payload("[\"x\"]"),
        TestRequest::post().uri("/echo/1").set_payload("[]"),
        TestRequest::post().uri("/echo/1").insert_header(json).set_payload("1".repeat(100_000)),
    ])
    .await;
    let kinds: Vec<_> = answers
        .iter()
        .map(|(status, id, body)| {
            assert_eq!(body["status"], *status);
            assert_eq!(body["request_id"].as_str(), id.as_deref());
            body["type"].as_str().unwrap().trim_start_matches("/problems/").to_owned()
        })
        .collect();
    let expected = [
        "bus-full",
        "internal",
        "not-found",
        "not-found",
        "method-not-allowed",
        "invalid-json",
        "invalid-parameter",
        "unsupported-media-type",
        "body-too-large",
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn a_given_request_id_is_taken_only_if_it_is_a_uuid() {
    let given = "0190b3a4-7c1e-7a3b-9d57-5f3c2b1a0e4d";
    let get = |id: &str| TestRequest::get().uri("/echo/0").insert_header(("x-request-id", id));
    let (answers, _) = answers(vec![get(given), get("+79131234567")]).await;
    assert_eq!(answers[0].1.as_deref(), Some(given));
    assert_eq!(answers[1].1.as_ref().unwrap().len(), given.len());
}

#[tokio::test]
async fn metrics_show_patterns_and_never_the_path_asked_for() {
    let (_, metrics) = answers(vec![
        TestRequest::get().uri("/echo/0?phone=79131234567"),
        TestRequest::get().uri("/echo/1"),
        TestRequest::get().uri("/79131234567"),
        TestRequest::default().method("BREW".parse().unwrap()).uri("/echo/0"),
    ])
    .await;
    for line in [
        r#"letopis_http_requests_total{method="GET",route="/echo/{what}",service="echo",status="200"} 1"#,
        r#"letopis_http_requests_total{method="GET",route="/echo/{what}",service="echo",status="503"} 1"#,
        r#"letopis_http_requests_total{method="GET",route="unmatched",service="none",status="404"} 1"#,
        r#"letopis_http_requests_total{method="other",route="/echo/{what}",service="echo",status="405"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    assert!(!metrics.contains("79131234567"));
}

#[tokio::test]
async fn what_a_handler_wrote_out_stays_and_documents_are_served() {
    let get = |uri: &str| TestRequest::get().uri(uri);
    let (answers, _) = answers(vec![
        get("/echo/3"),
        get("/openapi.json"),
        get("/problems/bus-full"),
        get("/problems/no-such"),
    ])
    .await;
    let statuses: Vec<_> = answers.iter().map(|(status, ..)| *status).collect();
    assert_eq!(statuses, [418, 200, 200, 404]);
    assert_eq!(answers[0].2, Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_ends_is_given_up_and_counted() {
    let registry = Registry::new();
    let metrics = RequestMetrics::register(&registry).unwrap();
    let endless = || async { std::future::pending::<HttpResponse>().await };
    let app = App::new().wrap(Telemetry::new(metrics)).route("/", web::post().to(endless));
    let app = init_service(app).await;
    let given_up = try_call_service(&app, TestRequest::post().uri("/").to_request()).await;
    assert_eq!(given_up.unwrap_err().as_response_error().status_code().as_u16(), 408);
    let counted = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    assert!(counted.contains("route=\"unfinished\"") && counted.contains("status=\"408\""), "{counted}");
}
