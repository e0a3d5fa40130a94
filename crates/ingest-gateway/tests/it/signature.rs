//! Standard Webhooks: events signed instead of sent with a key.

use actix_web::test::TestRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::timestamp::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::fakes::NOW;
use crate::salon::{BOT_SECRET, Salon, event};

fn signature(id: &str, seconds: i64, body: &str) -> String {
    let secret = STANDARD.decode(BOT_SECRET.trim_start_matches("whsec_")).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// A request signed at some seconds from now.
fn signed(uri: &str, id: &str, offset: i64, body: &str) -> TestRequest {
    let seconds = Timestamp::parse(NOW).unwrap().unix_micros() / 1_000_000 + offset;
    TestRequest::post()
        .uri(uri)
        .insert_header(("content-type", "application/json"))
        .insert_header(("webhook-id", id))
        .insert_header(("webhook-timestamp", seconds.to_string()))
        .insert_header(("webhook-signature", signature(id, seconds, body)))
        .set_payload(body.to_owned())
}

fn to_events(id: &str, offset: i64, body: &str) -> TestRequest {
    signed("/v1/events", id, offset, body).insert_header(("letopis-source", "bot"))
}

#[tokio::test]
async fn signed_events_are_taken_at_both_doors() {
    let salon = Salon::open();
    let body = event("s-1").to_string();
    assert_eq!(salon.send(to_events("msg_1", 0, &body)).await.status, 202);
    assert_eq!(salon.send(signed("/v1/hooks/bot", "msg_2", 0, &body)).await.status, 202);
    assert_eq!(salon.deliveries()[1].1, body);
}

#[tokio::test]
async fn a_signature_that_is_old_wrong_or_missing_is_refused() {
    let salon = Salon::open();
    let body = event("s-1").to_string();
    let unsigned = TestRequest::post()
        .uri("/v1/events")
        .insert_header(("content-type", "application/json"))
        .insert_header(("letopis-source", "bot"))
        .set_payload(body.clone());
    let stranger = signed("/v1/events", "m", 0, &body).insert_header(("letopis-source", "nobody"));
    for (name, request, slug) in [
        ("old", to_events("m", -301, &body), "signature-expired"),
        ("from the future", to_events("m", 301, &body), "signature-expired"),
        ("another body", to_events("m", 0, &body).set_payload("{}"), "signature-invalid"),
        ("unknown source", stranger, "signature-invalid"),
        ("no source named", signed("/v1/events", "m", 0, &body), "signature-missing"),
        ("not signed", unsigned, "signature-missing"),
    ] {
        let answer = salon.send(request).await;
        assert_eq!((answer.status, answer.slug()), (401, slug), "{name}");
    }
    assert!(salon.messages().is_empty());
}

#[tokio::test]
async fn the_message_id_makes_a_repetition_harmless() {
    let salon = Salon::open();
    let body = event("s-1").to_string();
    let first = salon.send(to_events("msg_1", 0, &body)).await;
    let again = salon.send(to_events("msg_1", 60, &body)).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(first.body, again.body);
    assert_eq!(salon.messages().len(), 1);

    let other = salon.send(to_events("msg_1", 0, &event("s-2").to_string())).await;
    assert_eq!((other.status, other.slug()), (409, "idempotency-conflict"));
}

#[tokio::test]
async fn somebody_who_cannot_sign_does_not_use_up_what_the_source_may_send() {
    let salon = Salon::limited(1, 1);
    let body = event("s-1").to_string();
    for _ in 0..5 {
        let answer = salon.send(to_events("m", 0, &body).set_payload("{}")).await;
        assert_eq!(answer.slug(), "signature-invalid");
    }
    assert_eq!(salon.send(to_events("m", 0, &body)).await.status, 202);
}
