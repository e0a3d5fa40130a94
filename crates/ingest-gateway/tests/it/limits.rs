//! Too fast.

use actix_web::test::TestRequest;
use domain::registry::SourceKind;
use serde_json::json;

use crate::salon::{Salon, TELEGRAM_SECRET, event};

#[tokio::test]
async fn a_source_that_sends_too_fast_is_told_how_long_to_wait_and_named_in_the_metric() {
    let salon = Salon::limited(1, 2);
    assert_eq!(salon.post(event("s-1").to_string()).await.status, 202);
    assert_eq!(salon.post(event("s-2").to_string()).await.status, 202);
    let answer = salon.post(event("s-3").to_string()).await;
    assert_eq!((answer.status, answer.slug()), (429, "rate-limited"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(salon.metrics().contains(r#"letopis_ingest_limited_total{source="bot"} 1"#));
    assert_eq!(salon.messages().len(), 2);
}

#[tokio::test]
async fn every_event_of_a_batch_counts_and_a_batch_above_the_burst_is_possible() {
    let salon = Salon::limited(1, 10);
    let batch = json!(vec![event("s-1"); 20]).to_string();
    assert_eq!(salon.post(batch.clone()).await.status, 202);
    let answer = salon.post(batch).await;
    assert_eq!(answer.status, 429);
}

#[tokio::test]
async fn hooks_are_limited_too() {
    let salon = Salon::limited(1, 1);
    let deliver = || {
        TestRequest::post()
            .uri("/v1/hooks/tg")
            .insert_header(("x-telegram-bot-api-secret-token", TELEGRAM_SECRET))
            .set_payload("{\"update_id\":1}")
    };
    assert_eq!(salon.send(deliver()).await.status, 200);
    assert_eq!(salon.send(deliver()).await.status, 429);
    assert!(salon.metrics().contains(r#"letopis_ingest_limited_total{source="tg"} 1"#));
}

#[tokio::test]
async fn a_stranger_who_asks_for_vks_confirmation_uses_up_nothing_of_the_sources() {
    let salon = Salon::limited(1, 1);
    salon.registry.change(|content| content.sources[1].kind = SourceKind::Vk);
    let deliver = |body: serde_json::Value| {
        salon.send(TestRequest::post().uri("/v1/hooks/tg?confirm=ab12").set_payload(body.to_string()))
    };
    for _ in 0..5 {
        assert_eq!(deliver(json!({"type": "confirmation", "group_id": 7})).await.status, 200);
    }
    let news = json!({"type": "group_join", "group_id": 7, "object": {}, "secret": TELEGRAM_SECRET});
    assert_eq!(deliver(news.clone()).await.status, 200);
    assert_eq!(deliver(news).await.status, 429);
}
