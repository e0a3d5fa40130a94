//! What is refused is known by source, where there is one.

use std::sync::{Arc, Mutex};

use actix_web::test::TestRequest;
use async_trait::async_trait;
use domain::id::TenantId;
use domain::source_state::{Period, SourceState};
use domain::timestamp::Timestamp;
use ports::ledger::LedgerError;
use ports::sources::{RefusalCount, SourceWatch};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::salon::{Salon, event};

#[derive(Default)]
struct Told(Mutex<Vec<RefusalCount>>);

#[async_trait]
impl SourceWatch for Told {
    async fn states(&self, _: Option<&TenantId>, _: Timestamp) -> Result<Vec<SourceState>, LedgerError> {
        unreachable!("the door only tells")
    }
    async fn add_refusals(&self, refusals: &[RefusalCount]) -> Result<(), LedgerError> {
        self.0.lock().unwrap().extend_from_slice(refusals);
        Ok(())
    }
    async fn forget_periods(&self, _: Period) -> Result<u64, LedgerError> {
        unreachable!("the door only tells")
    }
}

/// What the door tells of its refusals: source, reason, times.
async fn told(salon: &Salon) -> Vec<(String, &'static str, u64)> {
    let (told, over) = (Arc::new(Told::default()), CancellationToken::new());
    over.cancel();
    salon.refusals.clone().tell(told.clone(), over).await;
    let rows = told.0.lock().unwrap();
    rows.iter().map(|row| (row.source.to_string(), row.reason.as_str(), row.times)).collect()
}

#[tokio::test]
async fn what_is_refused_is_counted_by_source_and_reason() {
    let salon = Salon::limited(1, 3);
    let hook = |path: &str| TestRequest::post().uri(path).set_payload("{}");
    let token = "x-telegram-bot-api-secret-token";
    assert_eq!(salon.send(hook("/v1/hooks/tg")).await.status, 401);
    for _ in 0..2 {
        assert_eq!(salon.send(hook("/v1/hooks/tg").insert_header((token, "wrong"))).await.status, 401);
    }
    assert_eq!(salon.send(TestRequest::get().uri("/v1/hooks/tg")).await.status, 405);
    assert_eq!(salon.post("{").await.status, 400);
    // A batch is taken in part: what is not counts by itself.
    assert_eq!(salon.post(json!([event("s-1"), {}]).to_string()).await.status, 207);
    assert_eq!(salon.post(event("s-2").to_string()).await.status, 429);
    let expected = [
        ("bot", "unreadable", 1),
        ("bot", "invalid", 1),
        ("bot", "too_fast", 1),
        ("tg", "no_proof", 1),
        ("tg", "wrong_proof", 2),
        ("tg", "unreadable", 1),
    ];
    assert_eq!(
        told(&salon).await,
        expected.map(|(source, reason, times)| (source.to_owned(), reason, times))
    );
    assert_eq!(told(&salon).await, [], "it is told once");
}

#[tokio::test]
async fn names_out_of_requests_are_not_counted() {
    let salon = Salon::open();
    for path in ["/v1/hooks/nobody", "/v1/hooks/%D1%8F"] {
        assert_eq!(salon.send(TestRequest::post().uri(path).set_payload("{}")).await.status, 404);
    }
    let named = TestRequest::post().uri("/v1/events").insert_header(("letopis-source", "nobody"));
    assert_eq!(salon.send(named.set_payload("{}")).await.status, 401);
    let unknown = TestRequest::post().uri("/v1/events").insert_header(("authorization", "Bearer x"));
    assert_eq!(salon.send(unknown.set_payload("{}")).await.status, 401);
    assert_eq!(told(&salon).await, []);
}

#[tokio::test]
async fn what_is_our_own_fault_is_no_refusal() {
    let salon = Salon::open();
    *salon.bus.mood.lock().unwrap() = crate::fakes::Mood::Down;
    assert_eq!(salon.post(event("s-1").to_string()).await.status, 503);
    assert_eq!(told(&salon).await, []);
}
