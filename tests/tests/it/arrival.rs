//! What is sent is accepted, and is there.

use std::io::Write as _;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::api::{answer, eventually};
use system_tests::{Shape, Stand};

use crate::{event, with};

on_both_shapes! {
    an_accepted_event_is_in_the_timeline_within_a_second
    the_customers_own_example_is_accepted_unchanged_and_found_by_session_and_lead
    an_array_and_packed_lines_are_taken_whole
    of_a_mixed_batch_the_good_are_stored_and_each_bad_one_has_its_verdict
    a_batch_without_a_good_event_is_refused_as_a_whole
}

async fn an_accepted_event_is_in_the_timeline_within_a_second(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    // The first event of a process also opens connections and prepares statements.
    stand.accept(&event("warm-up")).await.unwrap();
    stand.settled().await.unwrap();
    let sent = Instant::now();
    let answer = stand.accept(&event("s-1")).await.unwrap();
    let session = eventually(Duration::from_secs(5), || async {
        stand.api.session(&stand.keys.read, "s-1").await?.ok_or_else(|| anyhow::anyhow!("not there"))
    });
    let session = session.await.unwrap();
    assert!(sent.elapsed() < Duration::from_secs(1), "{:?}", sent.elapsed());
    assert_eq!(session["events"][0]["id"], answer["event_id"]);
    assert_eq!(session["session"]["channel"], "site");
    assert!(session.to_string().contains("Добрый день!"), "{session}");
}

async fn the_customers_own_example_is_accepted_unchanged_and_found_by_session_and_lead(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let example = json!({
        "timestamp": "2025-01-01T12:34:56+03:00", "channel": "telegram", "session_id": "sess_abc123",
        "user_hash": "sha256:xxxxx", "intent": "appointment_booking", "action": "create_lead",
        "crm_lead_id": "BX-5678", "assistant_response": "Мы записали вас на 10:00", "confidence": 0.92,
        "raw_input_hash": "sha256:yyyyy",
    });
    let answer = stand.accept(&example).await.unwrap();
    stand.settled().await.unwrap();
    let session = stand.api.session(&stand.keys.read, "sess_abc123").await.unwrap().unwrap();
    assert_eq!(session["session"]["outcome"], "lead");
    for lead in ["BX-5678", "5678"] {
        let found = stand.api.get(&stand.keys.read, &format!("/v1/leads/{lead}/events")).await.unwrap();
        assert_eq!(found.status, 200, "{found:?}");
        let event = &found.body["events"][0];
        assert_eq!(event["id"], answer["event_id"]);
        assert!(event.to_string().contains("Мы записали вас на 10:00"), "{event}");
        assert_eq!(event["confidence"], 0.92);
    }
}

async fn an_array_and_packed_lines_are_taken_whole(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let array: Value =
        (0..50).map(|number| with(event("array"), json!({"confidence": 0.5, "n": number}))).collect();
    let sent = stand.api.send(&stand.keys.ingest, &array).await.unwrap();
    assert_eq!((sent.status, &sent.body["accepted"]), (202, &json!(50)));

    let lines: String = (0..50).map(|n| format!("{}\n", with(event("lines"), json!({"n": n})))).collect();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(lines.as_bytes()).unwrap();
    let request = stand.api.request(Method::POST, "/v1/events").bearer_auth(&stand.keys.ingest);
    let request = request.header("content-type", "application/x-ndjson").header("content-encoding", "gzip");
    let sent = answer(request.body(packer.finish().unwrap())).await.unwrap();
    assert_eq!((sent.status, &sent.body["accepted"]), (202, &json!(50)));

    let books = stand.settled().await.unwrap();
    assert_eq!((&books["accepted"], &books["stored"]), (&json!(100), &json!(100)));
    for session in ["array", "lines"] {
        let found = stand.api.session(&stand.keys.read, session).await.unwrap().unwrap();
        assert_eq!(found["session"]["events"], 50);
    }
}

async fn of_a_mixed_batch_the_good_are_stored_and_each_bad_one_has_its_verdict(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let batch =
        json!([event("good"), {"channel": "site"}, 7, with(event("good"), json!({"action": "book"}))]);
    let sent = stand.api.send(&stand.keys.ingest, &batch).await.unwrap();
    assert_eq!((sent.status, &sent.body["accepted"]), (207, &json!(2)));
    let verdicts: Vec<_> =
        (0..4).map(|index| sent.body["results"][index]["status"].as_u64().unwrap()).collect();
    assert_eq!(verdicts, [202, 422, 422, 202]);
    let pointers: Vec<_> =
        sent.body["results"][1]["errors"].as_array().unwrap().iter().map(|e| &e["pointer"]).collect();
    assert!(pointers.contains(&&json!("/timestamp")), "{pointers:?}");
    stand.settled().await.unwrap();
    let found = stand.api.session(&stand.keys.read, "good").await.unwrap().unwrap();
    assert_eq!(found["events"].as_array().unwrap().len(), 2);
}

async fn a_batch_without_a_good_event_is_refused_as_a_whole(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let sent = stand.api.send(&stand.keys.ingest, &json!([{}, {"channel": "pigeon"}])).await.unwrap();
    assert_eq!((sent.status, &sent.body["type"]), (422, &json!("/problems/invalid-event")));
    assert!(sent.content_type.starts_with("application/problem+json"));
}
