//! Requests signed as Standard Webhooks instead of carrying a key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use system_tests::api::{Answer, answer};
use system_tests::{Shape, Stand};

use crate::{event, now};

on_both_shapes! {
    a_signed_request_is_taken_and_repeating_it_changes_nothing
    an_old_signature_and_one_over_other_bytes_are_refused
}

fn sign(secret: &str, id: &str, timestamp: i64, body: &str) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

async fn send(stand: &Stand, id: &str, timestamp: i64, signed: &Value, sent: &Value) -> Answer {
    let signature = sign(&stand.keys.signing, id, timestamp, &signed.to_string());
    let request = stand.api.request(Method::POST, "/v1/events").header("Letopis-Source", "salon-bot");
    let request = request.header("webhook-id", id).header("webhook-timestamp", timestamp.to_string());
    let request = request.header("webhook-signature", signature).header("content-type", "application/json");
    answer(request.body(sent.to_string())).await.unwrap()
}

fn seconds() -> i64 {
    now().unix_micros() / 1_000_000
}

async fn a_signed_request_is_taken_and_repeating_it_changes_nothing(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let (at, body) = (seconds(), event("signed"));
    let first = send(&stand, "msg_1", at, &body, &body).await;
    assert_eq!(first.status, 202, "{first:?}");
    let repeated = send(&stand, "msg_1", at, &body, &body).await;
    assert_eq!((repeated.status, repeated.body), (202, first.body));
    let books = stand.settled().await.unwrap();
    assert_eq!(books["accepted"], 1);
}

async fn an_old_signature_and_one_over_other_bytes_are_refused(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let body = event("signed");
    for at in [seconds() - 3600, seconds() + 3600] {
        let replayed = send(&stand, "msg_1", at, &body, &body).await;
        assert_eq!((replayed.status, &replayed.body["type"]), (401, &json!("/problems/signature-expired")));
    }
    let altered = send(&stand, "msg_1", seconds(), &body, &event("other")).await;
    assert_eq!((altered.status, &altered.body["type"]), (401, &json!("/problems/signature-invalid")));
    assert!(stand.api.all(&stand.keys.read, "/v1/sessions", "sessions").await.unwrap().is_empty());
}
