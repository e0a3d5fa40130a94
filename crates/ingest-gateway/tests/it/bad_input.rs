//! Whatever is sent: a documented 4xx problem with a pointer where there is a spot, and nothing published.

use std::io::Write;

use actix_web::test::TestRequest;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::salon::{Answer, Salon, event};

fn with(key: &str, value: Value) -> Vec<u8> {
    let mut event = event("s-1");
    event[key] = value;
    event.to_string().into_bytes()
}

fn without(key: &str) -> Vec<u8> {
    let mut event = event("s-1");
    event.as_object_mut().unwrap().remove(key);
    event.to_string().into_bytes()
}

fn raw(key_and_value: &[u8]) -> Vec<u8> {
    let mut text =
        br#"{"timestamp":"2026-01-01T12:00:00Z","channel":"site","session_id":"s","action":"message","#
            .to_vec();
    text.extend_from_slice(key_and_value);
    text.push(b'}');
    text
}

fn gzip_of(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A body of `application/json` and what is answered: status, problem, and the first pointer where there is one.
struct Bad {
    name: &'static str,
    body: Vec<u8>,
    status: u16,
    slug: &'static str,
    pointer: Option<&'static str>,
}

const fn bad(name: &'static str, body: Vec<u8>, status: u16, slug: &'static str) -> Bad {
    Bad { name, body, status, slug, pointer: None }
}

const fn not_json(name: &'static str, body: Vec<u8>) -> Bad {
    bad(name, body, 400, "invalid-json")
}

const fn invalid(name: &'static str, body: Vec<u8>, pointer: &'static str) -> Bad {
    Bad { name, body, status: 422, slug: "invalid-event", pointer: Some(pointer) }
}

/// What cannot even be read as an event.
fn unreadable() -> Vec<Bad> {
    let deep = [b"[".repeat(10_000), b"]".repeat(10_000)].concat();
    let deep_key = raw(&[b"\"deep\":".to_vec(), deep.clone()].concat());
    vec![
        bad("nothing", Vec::new(), 400, "empty-body"),
        bad("white space", b" \r\n\t".to_vec(), 400, "empty-body"),
        bad("empty batch", b"[]".to_vec(), 400, "empty-body"),
        not_json("a word", b"hello".to_vec()),
        not_json("XML", b"<event/>".to_vec()),
        not_json("form", b"timestamp=1&channel=site".to_vec()),
        not_json("cut off", b"{\"timestamp\":".to_vec()),
        not_json("two objects", b"{}{}".to_vec()),
        not_json("trailing comma", b"{\"a\":1,}".to_vec()),
        not_json("a comment", b"{} // done".to_vec()),
        not_json("byte order mark", [b"\xef\xbb\xbf".to_vec(), event("s").to_string().into_bytes()].concat()),
        not_json("UTF-16", event("s").to_string().encode_utf16().flat_map(u16::to_le_bytes).collect()),
        not_json("windows-1251", raw(b"\"user_text\":\"\xcf\xf0\xe8\xe2\xe5\xf2\"")),
        not_json("NUL byte in a text", raw(b"\"user_text\":\"a\x00b\"")),
        not_json("NUL bytes alone", vec![0; 100]),
        not_json("lone leading surrogate", raw(br#""user_text":"\ud83d""#)),
        not_json("lone trailing surrogate", raw(br#""user_text":"\udc00""#)),
        not_json("number beyond any", raw(br#""confidence":1e999"#)),
        not_json("NaN", raw(br#""confidence":NaN"#)),
        not_json("10,000 levels in a value", deep_key),
        invalid("10,000 levels in an array", deep, "/0"),
        bad("event above its limit", with("x", json!("y".repeat(33_000))), 413, "event-too-large"),
        bad("21 events", json!(vec![event("s"); 21]).to_string().into_bytes(), 413, "batch-too-large"),
        bad(
            "a million commas",
            b"[1".iter().chain(b",1".repeat(30_000).iter()).copied().collect(),
            413,
            "batch-too-large",
        ),
        bad("body above its limit", vec![b' '; 64 * 1024 + 1], 413, "body-too-large"),
    ]
}

/// JSON that is no event.
fn unacceptable() -> Vec<Bad> {
    vec![
        invalid("true", b"true".to_vec(), ""),
        invalid("null", b"null".to_vec(), ""),
        invalid("a number", b"12".to_vec(), ""),
        invalid("a text", b"\"hello\"".to_vec(), ""),
        invalid("an array in an array", b"[[]]".to_vec(), "/0"),
        invalid("no timestamp", without("timestamp"), "/timestamp"),
        invalid("no channel", without("channel"), "/channel"),
        invalid("no session", without("session_id"), "/session_id"),
        invalid("no action", without("action"), "/action"),
        invalid("year 0", with("timestamp", json!("0000-01-01T00:00:00Z")), "/timestamp"),
        invalid("year 9999", with("timestamp", json!("9999-12-31T23:59:59Z")), "/timestamp"),
        invalid("year 10000", with("timestamp", json!("10000-01-01T00:00:00Z")), "/timestamp"),
        invalid("no offset", with("timestamp", json!("2026-01-01T12:00:00")), "/timestamp"),
        invalid("30 February", with("timestamp", json!("2026-02-30T12:00:00Z")), "/timestamp"),
        invalid("number as timestamp", with("timestamp", json!(1_700_000_000)), "/timestamp"),
        invalid("foreign channel", with("channel", json!("pigeon")), "/channel"),
        invalid("id of 10 kB", with("session_id", json!("x".repeat(10_000))), "/session_id"),
        invalid("empty id", with("session_id", json!("")), "/session_id"),
        invalid("id with a line break", with("session_id", json!("a\nb")), "/session_id"),
        invalid("id that is an object", with("session_id", json!({"$gt": ""})), "/session_id"),
        invalid("escaped NUL in a text", with("user_text", json!("a\u{0}b")), "/user_text"),
        invalid("no UUID", with("event_id", json!("1")), "/event_id"),
        invalid("confidence above 1", with("confidence", json!(1.01)), "/confidence"),
        invalid("huge whole number", with("response_time_ms", json!(u64::MAX)), "/response_time_ms"),
        invalid("negative time", with("response_time_ms", json!(-1)), "/response_time_ms"),
        invalid("unknown key in a contact", with("contact", json!({"skype": "a"})), "/contact/skype"),
        invalid("phone that is a number", with("contact", json!({"phone": 7})), "/contact/phone"),
        invalid("lead that is no lead", with("crm_lead_id", json!("'; DROP TABLE")), "/crm_lead_id"),
    ]
}

fn check(name: &str, answer: &Answer, status: u16, slug: &str, pointer: Option<&str>) {
    assert_eq!((answer.status, answer.slug()), (status, slug), "{name}: {answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{name}");
    assert_eq!(answer.body["request_id"].as_str(), answer.header("x-request-id"), "{name}");
    if pointer.is_some() {
        assert_eq!(answer.body["errors"][0]["pointer"].as_str(), pointer, "{name}: {}", answer.body);
    }
    assert!(http_kit::explain::section(slug).is_some(), "{slug} is explained in docs/problems.md");
}

#[tokio::test]
async fn every_bad_body_gets_its_problem() {
    let salon = Salon::open();
    for bad in unreadable().into_iter().chain(unacceptable()) {
        let answer = salon.post(bad.body).await;
        check(bad.name, &answer, bad.status, bad.slug, bad.pointer);
    }
    assert!(salon.messages().is_empty());
}

#[tokio::test]
async fn of_a_key_given_twice_the_last_counts() {
    let salon = Salon::open();
    assert_eq!(salon.post(raw(br#""channel":"telegram""#)).await.status, 202);
    check("twice", &salon.post(raw(br#""channel":"pigeon""#)).await, 422, "invalid-event", Some("/channel"));
}

#[tokio::test]
async fn every_bad_header_gets_its_problem() {
    let salon = Salon::open();
    let body = event("s-1").to_string();
    let key = |text: &str| ("authorization", format!("Bearer {text}"));
    let json = ("content-type", "application/json");
    let post = || TestRequest::post().uri("/v1/events").insert_header(json).set_payload(body.clone());
    let typed = |text: &str| salon.request().insert_header(("content-type", text)).set_payload(body.clone());
    let encoded = |text: &str| {
        salon.request().insert_header(json).insert_header(("content-encoding", text)).set_payload("x")
    };
    let mut wrong = salon.ingest.clone();
    wrong.replace_range(wrong.len() - 5.., "aaaaa");
    let cases: Vec<(&str, TestRequest, u16, &str)> = vec![
        ("no key", post(), 401, "unauthorized"),
        ("another scheme", post().insert_header(("authorization", "Basic YTpi")), 401, "unauthorized"),
        ("no key of ours", post().insert_header(key("sk-123")), 401, "invalid-key"),
        ("wrong secret", post().insert_header(key(&wrong)), 401, "invalid-key"),
        ("bytes in a key", post().insert_header(("authorization", &b"Bearer \xff"[..])), 401, "invalid-key"),
        ("revoked key", post().insert_header(key(&salon.revoked)), 401, "revoked-key"),
        ("read key", post().insert_header(key(&salon.read)), 403, "forbidden"),
        ("no content type", salon.request().set_payload(body.clone()), 415, "unsupported-media-type"),
        ("form", typed("application/x-www-form-urlencoded"), 415, "unsupported-media-type"),
        ("text", typed("text/plain"), 415, "unsupported-media-type"),
        ("cp1251", typed("application/json; charset=windows-1251"), 415, "unsupported-media-type"),
        ("brotli", encoded("br"), 415, "unsupported-encoding"),
        ("twice packed", encoded("gzip, gzip"), 415, "unsupported-encoding"),
        ("not gzip", encoded("gzip"), 400, "decompression-failed"),
        ("PUT", TestRequest::put().uri("/v1/events"), 405, "method-not-allowed"),
        ("GET", TestRequest::get().uri("/v1/hooks/tg"), 405, "method-not-allowed"),
        ("elsewhere", TestRequest::post().uri("/v1/event"), 404, "not-found"),
    ];
    for (name, request, status, slug) in cases {
        let answer = salon.send(request).await;
        check(name, &answer, status, slug, None);
        assert_eq!(answer.header("allow").is_some(), status == 405, "{name}");
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401, "{name}");
    }
    assert!(salon.messages().is_empty());
}

#[tokio::test]
async fn a_gzip_bomb_is_refused_at_the_limit() {
    let salon = Salon::open();
    let bomb = gzip_of(&vec![b' '; 50 * 1024 * 1024]);
    assert!(bomb.len() < 64 * 1024, "small enough to be let in");
    let request = salon
        .request()
        .insert_header(("content-type", "application/json"))
        .insert_header(("content-encoding", "gzip"))
        .set_payload(bomb);
    let answer = salon.send(request).await;
    check("bomb", &answer, 413, "body-too-large", None);
}

#[tokio::test]
async fn an_answer_never_repeats_a_value_that_was_sent() {
    let salon = Salon::open();
    let marker = "79131234567";
    let mut bad = event("s-1");
    for key in
        ["timestamp", "channel", "event_id", "crm_lead_id", "action", "confidence", "actor", "scenario"]
    {
        bad[key] = marker.into();
    }
    for body in
        [bad.to_string(), format!("{marker}:"), format!(r#"{{"phone": {marker}x}}"#), format!("[{bad}]")]
    {
        let answer = salon.post(body).await;
        assert!(answer.status < 500 && !answer.body.to_string().contains(marker), "{answer:?}");
    }
    assert!(!salon.metrics().contains(marker));
}

#[tokio::test]
async fn all_that_is_wrong_with_an_event_is_said_at_once() {
    let salon = Salon::open();
    let answer = salon.post(r#"{"timestamp":"soon","channel":"pigeon","confidence":"high"}"#).await;
    insta::assert_json_snapshot!(answer.stable());
}
