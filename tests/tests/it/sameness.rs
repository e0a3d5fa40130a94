//! The same thing sent again.

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::api::{Answer, answer};
use system_tests::{Shape, Stand};

use crate::{event, with};

on_both_shapes! {
    a_request_repeated_with_its_idempotency_key_gets_the_first_answer_also_after_a_crash
    an_idempotency_key_with_another_body_is_a_conflict
    an_event_sent_again_is_one_event_with_or_without_an_id
    a_second_content_under_one_id_waits_in_quarantine_and_never_covers_the_first
}

async fn send_with_key(stand: &Stand, key: &str, body: &Value) -> Answer {
    let request = stand.api.request(Method::POST, "/v1/events").bearer_auth(&stand.keys.ingest);
    answer(request.header("Idempotency-Key", key).json(body)).await.unwrap()
}

async fn a_request_repeated_with_its_idempotency_key_gets_the_first_answer_also_after_a_crash(shape: Shape) {
    let mut stand = Stand::new(shape).await.unwrap();
    let first = send_with_key(&stand, "order-1", &event("s")).await;
    let second = send_with_key(&stand, "order-1", &event("s")).await;
    assert_eq!((first.status, &first.body), (second.status, &second.body));
    stand.letopis.kill().await.unwrap();
    stand.restart().await.unwrap();
    assert_eq!(send_with_key(&stand, "order-1", &event("s")).await.body, first.body);
    let books = stand.settled().await.unwrap();
    assert_eq!((&books["accepted"], &books["stored"]), (&json!(1), &json!(1)));
}

async fn an_idempotency_key_with_another_body_is_a_conflict(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    assert_eq!(send_with_key(&stand, "order-1", &event("one")).await.status, 202);
    let second = send_with_key(&stand, "order-1", &event("two")).await;
    assert_eq!((second.status, &second.body["type"]), (409, &json!("/problems/idempotency-conflict")));
    stand.settled().await.unwrap();
    assert!(stand.api.session(&stand.keys.read, "two").await.unwrap().is_none());
}

async fn an_event_sent_again_is_one_event_with_or_without_an_id(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let named = with(event("s"), json!({"event_id": "0190b3a4-7c1e-7a3b-9d57-5f3c2b1a0e4d"}));
    let unnamed = with(event("s"), json!({"action": "fallback"}));
    let mut ids = Vec::new();
    for event in [&named, &unnamed, &named, &unnamed, &named] {
        ids.push(stand.accept(event).await.unwrap()["event_id"].clone());
    }
    assert_eq!((&ids[0], &ids[1]), (&ids[2], &ids[3]));
    let books = stand.settled().await.unwrap();
    assert_eq!((&books["stored"], &books["duplicate"]), (&json!(2), &json!(3)));
    let session = stand.api.session(&stand.keys.read, "s").await.unwrap().unwrap();
    assert_eq!(session["events"].as_array().unwrap().len(), 2);
}

async fn a_second_content_under_one_id_waits_in_quarantine_and_never_covers_the_first(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let id = json!({"event_id": "0190b3a4-7c1e-7a3b-9d57-5f3c2b1a0e4d"});
    stand.accept(&with(event("s"), id.clone())).await.unwrap();
    stand.settled().await.unwrap();
    stand.accept(&with(with(event("s"), id), json!({"assistant_response": "Другое"}))).await.unwrap();
    let books = stand.settled().await.unwrap();
    assert_eq!((&books["stored"], &books["quarantined"]), (&json!(1), &json!(1)));
    let session = stand.api.session(&stand.keys.read, "s").await.unwrap().unwrap();
    assert_eq!(session["events"].as_array().unwrap().len(), 1);
    let shown = session.to_string();
    assert!(shown.contains("Добрый день!") && !shown.contains("Другое"), "{shown}");
    let quarantine = stand.api.get(&stand.keys.read, "/v1/quarantine").await.unwrap();
    assert_eq!(quarantine.body["entries"][0]["class"], "conflict");
}
