//! What is taken, and what is answered for it.

use std::io::Write;

use domain::registry::SourceKind;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::salon::{Salon, event, small, tenant};

/// The customer's own example, unchanged.
const EXAMPLE: &str = r#"{"timestamp":"2025-01-01T12:34:56+03:00","channel":"telegram","session_id":"sess_abc123","user_hash":"sha256:xxxxx","intent":"appointment_booking","action":"create_lead","crm_lead_id":"BX-5678","assistant_response":"Мы записали вас на 10:00","confidence":0.92,"raw_input_hash":"sha256:yyyyy"}"#;

#[tokio::test]
async fn the_customers_example_is_taken_unchanged() {
    let salon = Salon::open();
    let answer = salon.post(EXAMPLE).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.body["received_at"], "2026-01-01T12:00:00Z");
    assert_eq!(answer.body["event_id"].as_str().unwrap().len(), 36);
    assert!(answer.header("x-request-id").is_some());

    let deliveries = salon.deliveries();
    let [(delivery, body)] = deliveries.as_slice() else { panic!("one message") };
    assert_eq!(body, EXAMPLE);
    assert_eq!(delivery.tenant, tenant());
    assert_eq!(delivery.source.as_str(), "bot");
    assert_eq!(delivery.kind, SourceKind::Events);
    assert_eq!(delivery.received_at.to_string(), "2026-01-01T12:00:00Z");
    assert_eq!(delivery.payload_digest, salon.vault.tenant(&tenant()).payload_digest(EXAMPLE.as_bytes()));
}

#[tokio::test]
async fn nothing_said_is_readable_on_the_bus() {
    let salon = Salon::open();
    salon.post(EXAMPLE).await;
    let payload = salon.messages().remove(0).payload;
    for word in ["записали", "sess_abc123", "BX-5678", "appointment_booking"] {
        assert!(!payload.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
    }
}

#[tokio::test]
async fn the_id_is_the_senders_or_follows_from_the_content() {
    let salon = Salon::open();
    let mut with_id = event("s-1");
    with_id["event_id"] = "0190b3a4-7c1e-7a3b-9d57-5f3c2b1a0e4d".into();
    let given = salon.post(with_id.to_string()).await.body;
    assert_eq!(given["event_id"], "0190b3a4-7c1e-7a3b-9d57-5f3c2b1a0e4d");

    let first = salon.post(event("s-1").to_string()).await.body;
    let resent = salon.post(format!(" {:#} ", event("s-1"))).await.body;
    let other = salon.post(event("s-2").to_string()).await.body;
    assert_eq!(first["event_id"], resent["event_id"], "white space is not content");
    assert_ne!(first["event_id"], other["event_id"]);
}

#[tokio::test]
async fn a_batch_is_taken_whole_and_answered_in_order() {
    let salon = Salon::open();
    let batch = json!([event("s-1"), event("s-2"), event("s-3")]);
    let answer = salon.post(batch.to_string()).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.body["accepted"], 3);
    let indexes: Vec<_> =
        answer.body["results"].as_array().unwrap().iter().map(|result| result["index"].clone()).collect();
    assert_eq!(indexes, [0, 1, 2]);

    let receipts: std::collections::BTreeSet<_> =
        salon.deliveries().iter().map(|(delivery, _)| delivery.receipt).collect();
    assert_eq!(receipts.len(), 3, "every event has a receipt of its own");
}

#[tokio::test]
async fn what_one_request_brings_is_one_message_in_its_order_that_says_how_many_receipts_it_carries() {
    let salon = Salon::open();
    let sent: Vec<_> = ["s-1", "s-2", "s-1"].map(event).to_vec();
    salon.post(json!(sent).to_string()).await;
    salon.post(event("s-1").to_string()).await;
    let receipts: Vec<_> = salon.messages().iter().map(|message| message.receipts.get()).collect();
    assert_eq!(receipts, [3, 1]);
    let found: Vec<_> = salon.deliveries().into_iter().map(|(_, body)| body).take(3).collect();
    assert!(found.iter().eq(sent.iter().map(Value::to_string).collect::<Vec<_>>().iter()), "{found:?}");
}

#[tokio::test]
async fn rounds_go_to_the_partitions_in_turn_whatever_they_hold() {
    let salon = Salon::open();
    let partitions = small().partitions.get();
    for _ in 0..2 * partitions {
        salon.post(event("s-1").to_string()).await;
    }
    let used: Vec<_> = salon.messages().iter().map(|message| message.partition.index()).collect();
    assert_eq!(used, (0..partitions).chain(0..partitions).collect::<Vec<_>>());
}

#[tokio::test]
async fn requests_that_come_while_a_round_is_on_its_way_share_the_next_and_hear_each_its_own() {
    let salon = Salon::open();
    let held = salon.bus.hold();
    let posts = join_all((0..10).map(|_| salon.post(event("s-1").to_string())));
    let answers = async {
        let (answers, ()) = tokio::join!(posts, async {
            salon.bus.until_asked().await;
            drop(held);
        });
        answers
    };
    assert!(answers.await.iter().all(|answer| answer.status == 202));
    let receipts: Vec<_> = salon.messages().iter().map(|message| message.receipts.get()).collect();
    assert_eq!(receipts.iter().sum::<u32>(), 10);
    assert!(receipts.len() <= 4, "{receipts:?}");
}

#[tokio::test]
async fn lines_are_taken_like_a_batch() {
    let salon = Salon::open();
    let body = format!("{}\r\n\n{}\n", event("s-1"), event("s-2"));
    let answer = salon.post_as("application/x-ndjson", body).await;
    assert_eq!((answer.status, &answer.body["accepted"]), (202, &json!(2)));
    let sent = event("s-1").to_string();
    assert!(salon.deliveries().iter().any(|(_, body)| *body == sent));

    let single = salon.post_as("application/x-ndjson", event("s-1").to_string()).await;
    assert_eq!(single.body["results"].as_array().unwrap().len(), 1, "a line is a batch of one");
}

#[tokio::test]
async fn the_good_ones_of_a_batch_are_taken_and_the_others_named() {
    let salon = Salon::open();
    let body = format!("{}\n{{\"timestamp\":\"yesterday\"\n{{\"channel\":\"pigeon\"}}\n", event("s-1"));
    let answer = salon.post_as("application/x-ndjson", body).await;
    assert_eq!(answer.status, 207);
    assert_eq!(salon.messages().len(), 1);
    let metrics = salon.metrics();
    for line in [
        r#"letopis_ingest_accepted_total{kind="events"} 1"#,
        r#"letopis_ingest_rejected_total{reason="invalid-event"} 1"#,
        r#"letopis_ingest_rejected_total{reason="invalid-json"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    let mut body = answer.stable();
    body["results"][0]["event_id"] = Value::Null;
    insta::assert_json_snapshot!(body);
}

#[tokio::test]
async fn a_batch_without_a_good_event_is_refused_whole() {
    let salon = Salon::open();
    let too_large = json!({"user_text": "а".repeat(16 * 1024)});
    let batch = json!([{"timestamp": 1}, true, too_large]);
    let answer = salon.post(batch.to_string()).await;
    assert_eq!(answer.status, 422);
    assert!(salon.messages().is_empty());
    insta::assert_json_snapshot!(answer.stable());
}

#[tokio::test]
async fn a_packed_body_is_unpacked() {
    let salon = Salon::open();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(event("s-1").to_string().as_bytes()).unwrap();
    let request = salon
        .request()
        .insert_header(("content-type", "application/json; charset=utf-8"))
        .insert_header(("content-encoding", "gzip"))
        .set_payload(encoder.finish().unwrap());
    assert_eq!(salon.send(request).await.status, 202);
    let sent = event("s-1").to_string();
    assert!(salon.deliveries().iter().any(|(_, body)| *body == sent));
}
