//! Kills and stops.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use system_tests::faults::{self, Plan};
use system_tests::{Letopis, Options, Shape, Stand, events};
use tokio::task::JoinSet;

on_both_shapes! {
    no_acknowledged_event_is_lost_and_none_is_extra_when_all_is_killed_under_load
    a_graceful_stop_under_load_ends_well_and_loses_nothing
}

async fn no_acknowledged_event_is_lost_and_none_is_extra_when_all_is_killed_under_load(shape: Shape) {
    let mut stand = Stand::with(Options::of(shape).replicated(2)).await.unwrap();
    let plan = Plan { events: 10_000, sessions: 200, kills: 3, connections: 32, seed: 7 };
    let outcome = faults::run(&mut stand, plan).await.unwrap();
    assert!(outcome.is_good(), "{outcome:?}");
    assert!(outcome.settling < Duration::from_secs(30), "{outcome:?}");
    let reconciled = stand.cli.run(&["reconcile", "--wait", "30s", "--json"]).await.unwrap();
    assert!(reconciled.status.success(), "{reconciled:?}");
}

async fn a_graceful_stop_under_load_ends_well_and_loses_nothing(shape: Shape) {
    let mut stand = Stand::with(Options::of(shape).replicated(2)).await.unwrap();
    let next = Arc::new(AtomicU32::new(0));
    let mut senders = JoinSet::new();
    for _ in 0..16 {
        let (api, key, next) = (stand.api.clone(), stand.keys.ingest.clone(), next.clone());
        senders.spawn(async move {
            let mut acknowledged = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                match api.send(&key, &events::numbered(0, number, 20)).await {
                    Ok(answer) if answer.status == 202 => acknowledged.push(events::id(0, number)),
                    Ok(answer) => assert_eq!(answer.status, 503),
                    Err(_stopped) => return acknowledged,
                }
            }
        });
    }
    while next.load(Ordering::Relaxed) < 1000 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stand.letopis.stop().await.unwrap();
    let acknowledged: HashSet<String> = senders.join_all().await.into_iter().flatten().collect();
    assert!(acknowledged.len() > 500, "{}", acknowledged.len());

    stand.restart().await.unwrap();
    stand.settled().await.unwrap();
    let mut found = HashSet::new();
    for session in stand.api.all(&stand.keys.read, "/v1/sessions", "sessions").await.unwrap() {
        let path = format!("/v1/sessions/{}", session["id"].as_str().unwrap());
        for event in stand.api.all(&stand.keys.read, &path, "events").await.unwrap() {
            found.insert(event["id"].as_str().unwrap().to_owned());
        }
    }
    let sent: HashSet<String> =
        (0..next.load(Ordering::Relaxed)).map(|number| events::id(0, number)).collect();
    assert_eq!(acknowledged.difference(&found).count(), 0);
    assert_eq!(found.difference(&sent).count(), 0);
}

/// Of the one box only: a cluster is made of processes that share their stores.
#[tokio::test]
async fn a_second_server_on_the_same_folder_is_refused() {
    let stand = Stand::new(Shape::OneBox).await.unwrap();
    let second = Letopis::start(stand.recipes().unwrap(), stand.logs()).await;
    let cause = format!("{:#}", second.err().unwrap());
    assert!(cause.contains("ended before it was ready"), "{cause}");
}
