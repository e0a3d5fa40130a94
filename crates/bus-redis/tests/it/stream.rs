//! What lies in Redis.

use std::time::Duration;

use contract_tests::fixtures::{LONG, message, message_of, subscription};
use futures_util::future::join_all;
use ports::bus::{EventBus, Group, Message, Partition, Settlement, Topic};

use crate::engine::Engine;
use crate::world;

#[tokio::test]
async fn nothing_is_trimmed_that_the_slowest_group_has_not_settled() {
    let engine = Engine::started(&[]).await;
    let bus = engine.open_bus();
    for group in [Group::Ledger, Group::Analytics] {
        bus.ensure_group(Topic::Events, group).await.unwrap();
    }
    let sent = (0..10).map(|n| message(&format!("{n}"))).collect();
    bus.publish(Topic::Events, sent).await.unwrap();
    let length = || match engine.tell(&["XLEN", "letopis:{p0}:events"]).unwrap() {
        redis::Value::Int(length) => length,
        other => panic!("{other:?}"),
    };
    let settle = async |group, messages| {
        let sub = subscription(Topic::Events, group, "first", LONG);
        let held = bus.claim(&sub, messages, Duration::ZERO).await.unwrap();
        let done = held.into_iter().map(|delivery| Settlement { tag: delivery.tag, outputs: Vec::new() });
        bus.settle(&sub, done.collect()).await.unwrap();
    };
    settle(Group::Ledger, 10).await;
    assert_eq!(length(), 10);
    settle(Group::Analytics, 4).await;
    assert_eq!(length(), 6);
    settle(Group::Analytics, 6).await;
    assert_eq!(length(), 0);
}

#[tokio::test]
async fn requests_that_come_together_are_all_counted() {
    let place = world::redis().await;
    let bus = place.open_bus();
    let requests = join_all((0..400).map(async |n: u16| {
        let partition = Partition::from_index(n % 2);
        let tenant = if n < 100 { "salon" } else { "clinic" };
        bus.publish(Topic::Raw, vec![Message { partition, ..message_of(tenant, "a") }]).await
    }));
    assert!(requests.await.into_iter().all(|published| published.is_ok()));
    let accepted: Vec<_> = bus.accepted(Topic::Raw).await.unwrap().into_values().collect();
    assert_eq!(accepted, [300, 100]);
}

#[tokio::test]
async fn a_request_given_up_does_not_hold_up_the_others() {
    let place = world::redis().await;
    let bus = place.open_bus();
    for _round in 0..20 {
        let given_up = bus.publish(Topic::Raw, vec![message("a")]);
        drop(tokio::time::timeout(Duration::from_micros(50), given_up).await);
        bus.publish(Topic::Raw, vec![message("b")]).await.unwrap();
    }
    let accepted: u64 = bus.accepted(Topic::Raw).await.unwrap().into_values().sum();
    assert!((20..=40).contains(&accepted), "{accepted}");
}

#[tokio::test]
async fn consumers_that_hold_something_or_were_just_here_are_not_forgotten() {
    let place = world::redis().await;
    let bus = place.open_bus();
    bus.ensure_group(Topic::Raw, Group::Normalizer).await.unwrap();
    bus.publish(Topic::Raw, vec![message("a")]).await.unwrap();
    for name in ["holds", "holds-nothing"] {
        bus.claim(&subscription(Topic::Raw, Group::Normalizer, name, LONG), 1, Duration::ZERO).await.unwrap();
    }
    assert_eq!(bus.tidy().await.unwrap(), 0);
}
