//! Traces at the door.

use std::io::Write as _;

use actix_web::test::TestRequest;
use channels::otlp::Form;
use domain::registry::SourceKind;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::fakes::Mood;
use crate::salon::{Answer, Salon, TELEGRAM_SECRET};

/// What an exporter sent: an agent, a query of a database, a turn, a failed turn.
const PROTOBUF: &[u8] = include_bytes!("../../../channels/tests/fixtures/otlp-protobuf/export.binpb");

/// A salon whose messenger is an assistant that sends traces.
fn salon() -> Salon {
    traced(Salon::open())
}

fn traced(salon: Salon) -> Salon {
    salon.registry.change(|content| content.sources[1].kind = SourceKind::Otlp);
    salon
}

fn bearer(secret: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {secret}"))
}

fn post(path: &str, form: Form, body: impl Into<actix_web::web::Bytes>) -> TestRequest {
    let media_type = ("content-type", form.media_type());
    TestRequest::post().uri(path).insert_header(media_type).set_payload(body)
}

fn span(id: &str, key: &str) -> Value {
    let attributes = json!([{ "key": key, "value": { "stringValue": "chat" } }]);
    json!({ "traceId": "5b8efff798038103d269b633813fc60c", "spanId": id, "attributes": attributes })
}

fn request(spans: &[Value]) -> String {
    json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": spans }] }] }).to_string()
}

/// Requests of some kilobytes, each in both forms, of which a multiple would have to be kept, and what is wrong with them: too
/// many that are no spans, and too many spans of a resource that says a lot.
pub(crate) fn too_much() -> Vec<(Form, Vec<u8>, &'static str)> {
    let field = |number: u8, inside: &[u8]| {
        // A varint of three bytes, however short it might be.
        let seven_bits = |shift: u32| u8::try_from(inside.len() >> shift & 0x7f).unwrap();
        let length = [0x80 | seven_bits(0), 0x80 | seven_bits(7), seven_bits(14)];
        [&[number << 3 | 2], &length[..], inside].concat()
    };
    let in_protobuf =
        |resource: &[u8], spans: &[u8]| field(1, &[field(1, &field(1, resource)), field(2, spans)].concat());
    let conversation = "a".repeat(3_000);
    let pair =
        |key: &str, value: &str| [field(1, key.as_bytes()), field(2, &field(1, value.as_bytes()))].concat();
    let ids = [field(1, &[7; 16]), field(2, &[7; 8]), field(9, &pair("gen_ai.x", ""))].concat();
    let resource =
        json!({ "attributes": [{ "key": "session.id", "value": { "stringValue": conversation } }] });
    let spans = vec![span("eee19b7ec3c1b174", "gen_ai.system"); 100];
    let wordy = json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": spans }] }] });
    let broken = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": vec![0; 10_001] }] }] });
    vec![
        (Form::Protobuf, in_protobuf(b"", &b"\x12\x01\x05".repeat(10_001)), "batch-too-large"),
        (Form::Json, broken.to_string().into_bytes(), "body-too-large"),
        (
            Form::Protobuf,
            in_protobuf(&pair("session.id", &conversation), &field(2, &ids).repeat(100)),
            "body-too-large",
        ),
        (Form::Json, wordy.to_string().into_bytes(), "body-too-large"),
    ]
}

#[track_caller]
fn assert_in_form(answer: &Answer, status: u16, media_type: &str) {
    assert_eq!((answer.status, answer.header("content-type")), (status, Some(media_type)), "{answer:?}");
}

#[tokio::test]
async fn spans_of_assistants_are_taken_each_by_itself_and_others_are_counted() {
    let salon = salon();
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(PROTOBUF).unwrap();
    let to_source = post("/v1/hooks/tg/v1/traces", Form::Protobuf, packed.finish().unwrap())
        .insert_header(bearer(TELEGRAM_SECRET))
        .insert_header(("content-encoding", "gzip"));
    let answer = salon.send(to_source).await;
    assert_in_form(&answer, 200, "application/x-protobuf");
    assert_eq!(answer.bytes, 0, "all is well: nothing is to be said");
    let deliveries = salon.deliveries();
    assert_eq!(deliveries.len(), 3);
    for (delivery, body) in &deliveries {
        assert_eq!((delivery.kind, delivery.source.as_str()), (SourceKind::Otlp, "tg"));
        assert!(channels::parse(delivery.kind, body.as_bytes(), delivery.received_at).is_ok());
        assert!(!body.contains("db.system"), "what others say is let fall");
    }
    let metrics = salon.metrics();
    for line in [
        r#"letopis_ingest_spans_total{outcome="taken",source="tg"} 3"#,
        r#"letopis_ingest_spans_total{outcome="other",source="tg"} 1"#,
        r#"letopis_ingest_spans_total{outcome="refused",source="tg"} 0"#,
    ] {
        assert!(metrics.contains(line), "{line}");
    }
}

#[tokio::test]
async fn a_key_will_do_and_so_will_the_address_of_the_source_without_more() {
    let salon = salon();
    let body = request(&[span("eee19b7ec3c1b174", "gen_ai.operation.name")]);
    let by_key = post("/v1/traces", Form::Json, body.clone()).insert_header(bearer(&salon.ingest));
    let in_address = post(&format!("/v1/hooks/tg?key={TELEGRAM_SECRET}"), Form::Json, body);
    for request in [by_key, in_address] {
        let answer = salon.send(request).await;
        assert_in_form(&answer, 200, "application/json");
        assert_eq!(answer.body, json!({}));
    }
    let deliveries = salon.deliveries();
    assert_eq!(deliveries[0].1, deliveries[1].1, "what is kept depends on the span alone");
    let sources: Vec<_> = deliveries.iter().map(|(delivery, _)| delivery.source.as_str()).collect();
    assert_eq!(sources, ["bot", "tg"]);
}

#[tokio::test]
async fn what_is_wrong_with_single_spans_is_told_and_the_rest_is_taken() {
    let salon = salon();
    let nameless = span("0000000000000000", "gen_ai.operation.name");
    let spans = [nameless, span("eee19b7ec3c1b174", "gen_ai.system"), span("eee19b7ec3c1b175", "http.route")];
    let answer = salon
        .send(post("/v1/traces", Form::Json, request(&spans)).insert_header(bearer(&salon.ingest)))
        .await;
    assert_in_form(&answer, 200, "application/json");
    assert_eq!(answer.body["partialSuccess"]["rejectedSpans"], "1");
    assert_eq!(salon.messages().len(), 1);
    assert!(salon.metrics().contains(r#"letopis_ingest_rejected_total{reason="invalid-event"} 1"#));
}

#[tokio::test]
async fn a_request_without_spans_is_no_mistake() {
    let salon = salon();
    for (form, body) in [(Form::Json, "{}"), (Form::Protobuf, "")] {
        let answer = salon.send(post("/v1/traces", form, body).insert_header(bearer(&salon.ingest))).await;
        assert_in_form(&answer, 200, form.media_type());
    }
    assert!(salon.messages().is_empty());
}

#[tokio::test]
async fn problems_are_told_in_the_form_of_the_request() {
    let salon = salon();
    let key = salon.ingest.clone();
    for (path, proof, body, status) in [
        ("/v1/traces", key.as_str(), &b"\x0a\x05a"[..], 400),
        ("/v1/traces", "letopis_ingest_wrong", PROTOBUF, 401),
        ("/v1/traces", salon.read.as_str(), PROTOBUF, 403),
        ("/v1/hooks/tg/v1/traces", "wrong", PROTOBUF, 401),
        ("/v1/hooks/bot/v1/traces", "wrong", PROTOBUF, 404),
        ("/v1/hooks/nobody/v1/traces", "wrong", PROTOBUF, 404),
        ("/v1/traces", key.as_str(), &[0; 64 * 1024 + 1], 413),
    ] {
        let answer = salon.send(post(path, Form::Protobuf, body).insert_header(bearer(proof))).await;
        assert_in_form(&answer, status, "application/x-protobuf");
        assert!(answer.bytes > 2, "a google.rpc.Status with a message");
        if [401, 403].contains(&status) {
            continue;
        }
        let answer = salon.send(post(path, Form::Json, body).insert_header(bearer(proof))).await;
        assert_in_form(&answer, status, "application/json");
        assert!(answer.body["message"].is_string(), "{}", answer.body);
    }
    let strange = TestRequest::post().uri("/v1/traces").insert_header(bearer(&key));
    let answer =
        salon.send(strange.insert_header(("content-type", "application/grpc")).set_payload("{}")).await;
    assert_eq!((answer.status, answer.slug()), (415, "unsupported-media-type"));
    let get = salon.send(TestRequest::get().uri("/v1/traces")).await;
    assert_eq!((get.status, get.slug()), (405, "method-not-allowed"));
    assert!(salon.messages().is_empty());
}

#[tokio::test]
async fn a_request_that_would_become_too_much_is_refused_whole_and_small_at_that() {
    let salon = salon();
    for (form, body, _) in too_much() {
        let answer = salon.send(post("/v1/traces", form, body).insert_header(bearer(&salon.ingest))).await;
        assert_in_form(&answer, 413, form.media_type());
    }
    let metrics = salon.metrics();
    for (problem, times) in [("batch-too-large", 1), ("body-too-large", 3)] {
        let line = format!(r#"letopis_ingest_rejected_total{{reason="{problem}"}} {times}"#);
        assert!(metrics.contains(&line), "{line}");
    }
    assert!(salon.messages().is_empty());
}

#[tokio::test]
async fn exporters_are_told_when_to_come_again() {
    let send = async |salon: &Salon| {
        salon.send(post("/v1/traces", Form::Protobuf, PROTOBUF).insert_header(bearer(&salon.ingest))).await
    };
    let fast = traced(Salon::limited(1, 3));
    assert_eq!(send(&fast).await.status, 200);
    let full = salon();
    *full.bus.mood.lock().unwrap() = Mood::Full;
    for (salon, status) in [(&fast, 429), (&full, 503)] {
        let answer = send(salon).await;
        assert_in_form(&answer, status, "application/x-protobuf");
        assert!(answer.header("retry-after").is_some_and(|wait| wait.parse::<u64>().unwrap() > 0));
    }
}
