//! Whatever comes: the documented 4xx, never a 5xx, never a restart.

use std::io::Write as _;

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::api::{Answer, answer};
use system_tests::{Shape, Stand};

use crate::{event, with};

on_both_shapes! {
    every_bad_body_gets_its_documented_problem_and_the_process_lives_on
    a_webhook_that_gets_garbage_says_so_and_lives_on
    wrong_keys_wrong_paths_and_wrong_parameters_get_their_problem
}

const JSON: &str = "application/json";

/// One bad request to `/v1/events`, and what is answered.
struct Case {
    name: &'static str,
    content_type: &'static str,
    encoding: Option<&'static str>,
    body: Vec<u8>,
    status: u16,
    problem: &'static str,
    pointer: Option<&'static str>,
}

fn case(name: &'static str, body: impl Into<Vec<u8>>, status: u16, problem: &'static str) -> Case {
    Case { name, content_type: JSON, encoding: None, body: body.into(), status, problem, pointer: None }
}

fn invalid(name: &'static str, more: Value, pointer: &'static str) -> Case {
    let body = with(event("s"), more).to_string();
    Case { pointer: Some(pointer), ..case(name, body, 422, "invalid-event") }
}

fn without(key: &'static str, pointer: &'static str) -> Case {
    let mut event = event("s");
    event.as_object_mut().unwrap().remove(key);
    Case { pointer: Some(pointer), ..case("a missing field", event.to_string(), 422, "invalid-event") }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(content).unwrap();
    packer.finish().unwrap()
}

fn unreadable() -> Vec<Case> {
    let good = event("s").to_string();
    let surrogate = good.replace("Добрый", "\\ud800");
    let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let nested_event = good.replace("\"site\"", &format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000)));
    vec![
        case("not JSON", "hello", 400, "invalid-json"),
        case("half of it", &good.as_bytes()[..40], 400, "invalid-json"),
        case("something behind it", format!("{good} x"), 400, "invalid-json"),
        case("not UTF-8", b"{\"a\":\"\xff\xfe\"}".to_vec(), 400, "invalid-json"),
        case("a lone surrogate", surrogate, 400, "invalid-json"),
        case("a NUL byte", b"\0".to_vec(), 400, "invalid-json"),
        Case { pointer: Some("/0"), ..case("10,000 levels deep", nested, 422, "invalid-event") },
        case("an event 10,000 levels deep", nested_event, 400, "invalid-json"),
        case("a number that is none", good.replace("\"site\"", "1e"), 400, "invalid-json"),
        case("nothing", "", 400, "empty-body"),
        case("only spaces", " \n\t ", 400, "empty-body"),
        case("an empty batch", "[]", 400, "empty-body"),
        Case {
            content_type: "text/plain",
            ..case("a wrong content type", good.clone(), 415, "unsupported-media-type")
        },
        Case {
            content_type: "application/json; charset=utf-16",
            ..case("a wrong charset", good.clone(), 415, "unsupported-media-type")
        },
        Case {
            encoding: Some("br"),
            ..case("an unknown packing", good.clone(), 415, "unsupported-encoding")
        },
        Case { encoding: Some("gzip"), ..case("packed, but not", good, 400, "decompression-failed") },
    ]
}

fn too_large() -> Vec<Case> {
    let bomb = gzip(&vec![b' '; 60 << 20]);
    assert!(bomb.len() < 100_000);
    let long = with(event("s"), json!({"assistant_response": "я".repeat(200_000)})).to_string();
    vec![
        case("50 MB", vec![b' '; 50 << 20], 413, "body-too-large"),
        Case { encoding: Some("gzip"), ..case("a gzip bomb", bomb, 413, "body-too-large") },
        case("an event of 400 kB", long, 413, "event-too-large"),
        case("more events than a batch has", format!("[{}1]", "1,".repeat(20_000)), 413, "batch-too-large"),
    ]
}

fn invalid_events() -> Vec<Case> {
    let long = "x".repeat(10_000);
    vec![
        Case { pointer: Some(""), ..case("not an object", "7", 422, "invalid-event") },
        without("timestamp", "/timestamp"),
        without("channel", "/channel"),
        without("session_id", "/session_id"),
        without("action", "/action"),
        invalid("a wrong type", json!({"session_id": 5}), "/session_id"),
        invalid("a wrong type inside", json!({"contact": {"phone": 5}}), "/contact/phone"),
        invalid("an unknown channel", json!({"channel": "pigeon"}), "/channel"),
        invalid("an unknown actor", json!({"actor": "ghost"}), "/actor"),
        invalid("a sentence as action", json!({"action": "do this now"}), "/action"),
        invalid("year 0", json!({"timestamp": "0000-01-01T00:00:00Z"}), "/timestamp"),
        invalid("year 9999", json!({"timestamp": "9999-12-31T23:59:59Z"}), "/timestamp"),
        invalid("no offset", json!({"timestamp": "2026-01-01T00:00:00"}), "/timestamp"),
        invalid("a date that is none", json!({"timestamp": "2026-02-30T00:00:00Z"}), "/timestamp"),
        invalid("an id of 10 kB", json!({"session_id": long}), "/session_id"),
        invalid("an event id of 10 kB", json!({"event_id": long}), "/event_id"),
        invalid("an empty session", json!({"session_id": ""}), "/session_id"),
        invalid("a NUL in a session", json!({"session_id": "a\u{0}b"}), "/session_id"),
        invalid("a NUL in a text", json!({"user_text": "a\u{0}b"}), "/user_text"),
        invalid("confidence beyond 1", json!({"confidence": 1.5}), "/confidence"),
        invalid("a lead that is none", json!({"crm_lead_id": "BX-"}), "/crm_lead_id"),
        invalid(
            "a consent for nothing",
            json!({"consent": {"purpose": "fun", "granted": true}}),
            "/consent/purpose",
        ),
        invalid("a time before time", json!({"response_time_ms": -1}), "/response_time_ms"),
    ]
}

async fn send(stand: &Stand, case: &Case) -> Answer {
    let request = stand.api.request(Method::POST, "/v1/events").bearer_auth(&stand.keys.ingest);
    let request = request.header("content-type", case.content_type).body(case.body.clone());
    let request = match case.encoding {
        Some(encoding) => request.header("content-encoding", encoding),
        None => request,
    };
    answer(request).await.unwrap_or_else(|cause| panic!("{}: {cause:#}", case.name))
}

async fn every_bad_body_gets_its_documented_problem_and_the_process_lives_on(shape: Shape) {
    let mut stand = Stand::new(shape).await.unwrap();
    let pids = stand.letopis.pids();
    let cases = unreadable().into_iter().chain(too_large()).chain(invalid_events());
    let mut failures = Vec::new();
    for case in cases {
        let answer = send(&stand, &case).await;
        let expected = format!("/problems/{}", case.problem);
        let errors = answer.body["errors"].as_array().cloned().unwrap_or_default();
        let points = |pointer: &str| errors.iter().any(|error| error["pointer"] == pointer);
        let fits = answer.status == case.status
            && answer.body["type"] == expected
            && answer.content_type.starts_with("application/problem+json")
            && answer.body["request_id"].is_string()
            && case.pointer.is_none_or(points);
        if !fits {
            failures.push(format!(
                "{}: expected {} {expected} {:?}, got {answer:?}",
                case.name, case.status, case.pointer
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    stand.accept(&event("after")).await.unwrap();
    let books = stand.settled().await.unwrap();
    assert_eq!(books["accepted"], 1);
    assert!(stand.letopis.is_running() && stand.letopis.pids() == pids);
}

async fn a_webhook_that_gets_garbage_says_so_and_lives_on(shape: Shape) {
    let mut stand = Stand::new(shape).await.unwrap();
    for case in unreadable().iter().filter(|case| case.content_type == JSON && case.name != "an empty batch")
    {
        let request = stand.api.request(Method::POST, &stand.keys.telegram.path).body(case.body.clone());
        let request = request.header("X-Telegram-Bot-Api-Secret-Token", &stand.keys.telegram.secret);
        let request = match case.encoding {
            Some(encoding) => request.header("content-encoding", encoding),
            None => request,
        };
        let answer = answer(request.header("content-type", case.content_type)).await.unwrap();
        // A webhook takes a body whole: there is no element of a batch to point at.
        let expected = if case.status == 422 { 400 } else { case.status };
        assert_eq!(answer.status, expected, "{}: {answer:?}", case.name);
    }
    assert!(stand.letopis.is_running());
}

async fn wrong_keys_wrong_paths_and_wrong_parameters_get_their_problem(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let read = &stand.keys.read;
    let bare = answer(stand.api.request(Method::POST, "/v1/events").json(&event("s"))).await.unwrap();
    assert_eq!((bare.status, &bare.body["type"]), (401, &json!("/problems/unauthorized")));
    for key in ["x", "letopis_ingest_0123456789abcdef_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "ключ"]
    {
        let wrong = stand.api.send(key, &event("s")).await.unwrap();
        assert_eq!((wrong.status, &wrong.body["type"]), (401, &json!("/problems/invalid-key")), "{key}");
    }
    for (path, status) in [
        ("/v1/nothing", 404),
        ("/v1/sessions/no-such-session", 404),
        ("/v1/leads/abc/events", 404),
        ("/v1/sessions?limit=-1", 400),
        ("/v1/sessions?limit=99999999999999999999", 400),
        ("/v1/sessions?channel=pigeon", 400),
        ("/v1/sessions?cursor=%00%ff", 400),
        ("/v1/overview?from=yesterday", 400),
        ("/v1/quarantine?class=bad", 400),
    ] {
        let found = stand.api.get(read, path).await.unwrap();
        let is_problem = found.content_type.starts_with("application/problem+json");
        assert!(found.status == status && is_problem, "{path}: {found:?}");
    }
    let put = answer(stand.api.request(Method::PUT, "/v1/events").bearer_auth(read)).await.unwrap();
    assert_eq!(put.status, 405);
}
