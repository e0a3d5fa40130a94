//! Limits and keys that end.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;
use system_tests::api::eventually;
use system_tests::{Options, Stand};

use crate::event;

#[tokio::test]
async fn a_source_that_sends_too_much_is_told_when_to_come_again_and_the_metric_says_which() {
    let options =
        Options::default().with("LETOPIS__INGEST__RATE_PER_SECOND", 1).with("LETOPIS__INGEST__BURST", 3);
    let stand = Stand::with(options).await.unwrap();
    let mut refused = None;
    for number in 0..6 {
        let answer = stand.api.send(&stand.keys.ingest, &event(&format!("s-{number}"))).await.unwrap();
        if answer.status != 202 {
            refused = Some(answer);
        }
    }
    let refused = refused.unwrap();
    assert_eq!((refused.status, &refused.body["type"]), (429, &json!("/problems/rate-limited")));
    assert!(refused.retry_after.unwrap().parse::<u64>().unwrap() >= 1);
    let metrics = stand.api.metrics().await.unwrap();
    let names_it =
        |line: &str| line.contains("limited") && line.contains("salon-bot") && !line.ends_with(" 0");
    assert!(metrics.lines().any(names_it), "{metrics}");
}

#[tokio::test]
async fn a_full_bus_refuses_with_503_and_loses_nothing_it_took() {
    let stand = Stand::with(Options::default().with("LETOPIS__BUS__MAX_MESSAGES", 300)).await.unwrap();
    let batch = |from: u32, events: u32| {
        (from..from + events).map(|n| system_tests::events::numbered(0, n, 10)).collect()
    };
    // More than the bus may hold: refused whatever has been settled meanwhile.
    let too_many = stand.api.send(&stand.keys.ingest, &batch(10_000, 400)).await.unwrap();
    assert_eq!((too_many.status, too_many.retry_after.is_some()), (503, true), "{too_many:?}");
    let mut accepted = 0;
    let mut refusals = 0;
    for number in 0..20 {
        let answer = stand.api.send(&stand.keys.ingest, &batch(number * 200, 200)).await.unwrap();
        match answer.status {
            202 => accepted += 200,
            503 => {
                assert!(answer.retry_after.is_some(), "{answer:?}");
                refusals += 1;
            }
            _ => panic!("{answer:?}"),
        }
    }
    let books = stand.settled().await.unwrap();
    assert_eq!(books["stored"], accepted, "{refusals} refusals");
    assert!(accepted > 0, "a bus with room takes events");
}

#[tokio::test]
async fn a_revoked_key_is_refused_within_two_seconds() {
    let stand = Stand::new().await.unwrap();
    stand.accept(&event("s")).await.unwrap();
    stand.cli.json(&["key", "revoke", &stand.keys.ingest_id]).await.unwrap();
    let refused = eventually(Duration::from_secs(2), || async {
        let answer = stand.api.send(&stand.keys.ingest, &event("s")).await?;
        ensure!(answer.status == 401, "still {answer:?}");
        Ok(answer)
    });
    assert_eq!(refused.await.unwrap().body["type"], "/problems/revoked-key");
}

#[tokio::test]
async fn a_key_opens_its_own_scope_only() {
    let stand = Stand::new().await.unwrap();
    for key in [&stand.keys.read, &stand.keys.admin] {
        assert_eq!(stand.api.send(key, &event("s")).await.unwrap().status, 403);
    }
    for path in ["/v1/sessions", "/v1/overview", "/v1/quarantine", "/v1/reconcile"] {
        assert_eq!(stand.api.get(&stand.keys.ingest, path).await.unwrap().status, 403, "{path}");
        assert_eq!(stand.api.get(&stand.keys.admin, path).await.unwrap().status, 200, "{path}");
        assert_eq!(stand.api.get("letopis_read_abc_def", path).await.unwrap().status, 401, "{path}");
    }
}
