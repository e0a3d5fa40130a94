//! Limits and keys that end.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;
use system_tests::api::eventually;
use system_tests::{Options, Shape, Stand};

use crate::event;

on_both_shapes! {
    a_source_that_sends_too_much_is_told_when_to_come_again_and_the_metric_says_which
    a_full_bus_refuses_with_503_and_loses_nothing_it_took
    a_revoked_key_is_refused_within_two_seconds
    a_key_opens_its_own_scope_only
}

async fn a_source_that_sends_too_much_is_told_when_to_come_again_and_the_metric_says_which(shape: Shape) {
    let options =
        Options::of(shape).with("LETOPIS__INGEST__RATE_PER_SECOND", 1).with("LETOPIS__INGEST__BURST", 3);
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

async fn a_full_bus_refuses_with_503_and_loses_nothing_it_took(shape: Shape) {
    // Two hundred events are four messages. What a request brings goes to one partition of eight, which holds five.
    let (bound, messages) = match shape {
        Shape::OneBox => ("LETOPIS__BUS__MAX_MESSAGES", 24),
        Shape::Cluster => ("LETOPIS__REDIS__MAX_MESSAGES", 40),
    };
    let options = Options::of(shape).with(bound, messages).with("LETOPIS__INGEST__MAX_BATCH_EVENTS", 2_000);
    let stand = Stand::with(options).await.unwrap();
    let batch = |run: u32, from: u32, events: u32, sessions: u32| {
        (from..from + events).map(|n| system_tests::events::numbered(run, n, sessions)).collect()
    };
    // One conversation in more messages than the bus may hold: refused whatever has been settled meanwhile, and whole.
    let too_many = stand.api.send(&stand.keys.ingest, &batch(1, 0, 1_800, 1)).await.unwrap();
    assert_eq!((too_many.status, too_many.retry_after.is_some()), (503, true));
    for number in 0..9 {
        let taken = eventually(Duration::from_secs(20), || async {
            let answer = stand.api.send(&stand.keys.ingest, &batch(0, number * 200, 200, 10)).await?;
            let is_refusal = answer.status == 503 && answer.retry_after.is_some();
            assert!(answer.status == 202 || is_refusal, "{answer:?}");
            ensure!(answer.status == 202, "still {answer:?}");
            Ok(())
        });
        taken.await.unwrap();
    }
    let books = stand.settled().await.unwrap();
    assert_eq!((&books["stored"], &books["quarantined"]), (&json!(1_800), &json!(0)), "{books}");
}

async fn a_revoked_key_is_refused_within_two_seconds(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    stand.accept(&event("s")).await.unwrap();
    stand.cli.json(&["key", "revoke", &stand.keys.ingest_id]).await.unwrap();
    let refused = eventually(Duration::from_secs(2), || async {
        let answer = stand.api.send(&stand.keys.ingest, &event("s")).await?;
        ensure!(answer.status == 401, "still {answer:?}");
        Ok(answer)
    });
    assert_eq!(refused.await.unwrap().body["type"], "/problems/revoked-key");
}

async fn a_key_opens_its_own_scope_only(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    for key in [&stand.keys.read, &stand.keys.admin] {
        assert_eq!(stand.api.send(key, &event("s")).await.unwrap().status, 403);
    }
    for path in ["/v1/sessions", "/v1/overview", "/v1/quarantine", "/v1/reconcile"] {
        assert_eq!(stand.api.get(&stand.keys.ingest, path).await.unwrap().status, 403, "{path}");
        assert_eq!(stand.api.get(&stand.keys.admin, path).await.unwrap().status, 200, "{path}");
        assert_eq!(stand.api.get("letopis_read_abc_def", path).await.unwrap().status, 401, "{path}");
    }
}
