//! One request, however often it is sent.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::salon::{Answer, Salon, event};

async fn post(salon: &Salon, key: &str, body: String) -> Answer {
    let json = ("content-type", "application/json");
    salon
        .send(salon.request().insert_header(json).insert_header(("idempotency-key", key)).set_payload(body))
        .await
}

#[tokio::test]
async fn the_first_answer_is_given_again() {
    let salon = Salon::open();
    let body = json!([event("s-1"), {"broken": true}]).to_string();
    let first = post(&salon, "one", body.clone()).await;
    let again = post(&salon, "one", body).await;
    assert_eq!((first.status, again.status), (207, 207));
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(first.body, again.body);
    assert_eq!(salon.messages().len(), 1);
    assert!(salon.metrics().contains("letopis_ingest_replayed_total 1"));
}

#[tokio::test]
async fn another_body_under_the_same_key_is_a_conflict() {
    let salon = Salon::open();
    post(&salon, "one", event("s-1").to_string()).await;
    let answer = post(&salon, "one", event("s-2").to_string()).await;
    assert_eq!((answer.status, answer.slug()), (409, "idempotency-conflict"));
    assert_eq!(post(&salon, "two", event("s-2").to_string()).await.status, 202);
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let salon = Salon::open();
    assert_eq!(post(&salon, "one", "{}".into()).await.status, 422);
    assert_eq!(post(&salon, "one", event("s-1").to_string()).await.status, 202);
}

#[tokio::test]
async fn a_key_that_is_empty_long_or_not_printable_is_refused() {
    let salon = Salon::open();
    for key in ["", &"k".repeat(256), "ключ"] {
        let answer = post(&salon, key, event("s-1").to_string()).await;
        assert_eq!((answer.status, answer.slug()), (400, "idempotency-key-invalid"), "{key}");
    }
    assert_eq!(post(&salon, &"k".repeat(255), event("s-1").to_string()).await.status, 202);
}

#[tokio::test]
async fn an_answer_that_cannot_be_kept_is_given_all_the_same() {
    let salon = Salon::open();
    salon.idempotency.cannot_finish.store(true, Ordering::Relaxed);
    assert_eq!(post(&salon, "one", event("s-1").to_string()).await.status, 202);
    salon.idempotency.cannot_finish.store(false, Ordering::Relaxed);
    let again = post(&salon, "one", event("s-1").to_string()).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (202, None));
}

#[tokio::test]
async fn a_key_that_cannot_be_opened_takes_nothing() {
    let salon = Salon::open();
    salon.idempotency.is_down.store(true, Ordering::Relaxed);
    let answer = post(&salon, "one", event("s-1").to_string()).await;
    assert_eq!((answer.status, answer.slug()), (503, "bus-unavailable"));
    assert!(salon.messages().is_empty());
}
