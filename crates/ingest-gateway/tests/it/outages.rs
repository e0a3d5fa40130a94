//! When the world behind the door is not well.

use std::sync::atomic::Ordering;

use actix_web::test::TestRequest;

use crate::fakes::Mood;
use crate::salon::{Salon, TELEGRAM_SECRET, event};

#[tokio::test]
async fn a_bus_that_is_down_or_full_is_never_answered_with_2xx() {
    let salon = Salon::open();
    for (mood, slug) in [(Mood::Down, "bus-unavailable"), (Mood::Full, "bus-full")] {
        *salon.bus.mood.lock().unwrap() = mood;
        let hook = TestRequest::post()
            .uri("/v1/hooks/tg")
            .insert_header(("x-telegram-bot-api-secret-token", TELEGRAM_SECRET))
            .set_payload("{}");
        for answer in [salon.post(event("s-1").to_string()).await, salon.send(hook).await] {
            assert_eq!((answer.status, answer.slug()), (503, slug));
            assert_eq!(answer.header("retry-after"), Some("2"));
            assert!(!answer.body.to_string().contains("fire"), "the cause is for the log");
        }
    }
    *salon.bus.mood.lock().unwrap() = Mood::Well;
    assert_eq!(salon.post(event("s-1").to_string()).await.status, 202);
}

#[tokio::test]
async fn a_failed_attempt_does_not_use_up_its_idempotency_key() {
    let salon = Salon::open();
    let post = || {
        let request = salon.request().insert_header(("content-type", "application/json"));
        request.insert_header(("idempotency-key", "one")).set_payload(event("s-1").to_string())
    };
    *salon.bus.mood.lock().unwrap() = Mood::Down;
    assert_eq!(salon.send(post()).await.status, 503);
    *salon.bus.mood.lock().unwrap() = Mood::Well;
    assert_eq!(salon.send(post()).await.status, 202);
}

#[tokio::test]
async fn ingestion_goes_on_while_the_registry_is_down() {
    let salon = Salon::open();
    assert_eq!(salon.post(event("s-1").to_string()).await.status, 202);
    salon.registry.is_down.store(true, Ordering::Relaxed);
    assert_eq!(salon.post(event("s-2").to_string()).await.status, 202);
}

#[tokio::test]
async fn before_the_registry_was_ever_read_everybody_is_asked_to_come_again() {
    let salon = Salon::open();
    salon.registry.is_down.store(true, Ordering::Relaxed);
    let hook = TestRequest::post().uri("/v1/hooks/tg").set_payload("{}");
    for answer in [salon.post(event("s-1").to_string()).await, salon.send(hook).await] {
        assert_eq!((answer.status, answer.slug()), (503, "store-unavailable"));
        assert!(answer.header("retry-after").is_some());
    }
}
