//! Redis at its memory limit, and set up so that it loses things.

use std::num::NonZeroU16;
use std::time::Duration;

use bus_redis::{RedisBus, RedisOptions, Unsafe};
use bytes::Bytes;
use contract_tests::fixtures::{LONG, message, subscription};
use ports::bus::{BusError, Delivery, EventBus, Group, Message, Partition, Settlement, Topic};

use crate::engine::Engine;
use crate::world;

#[tokio::test]
async fn at_the_memory_limit_publishing_is_refused_and_draining_goes_on() {
    let engine = Engine::started(&["--maxmemory", "16mb", "--maxmemory-policy", "noeviction"]).await;
    let bus = engine.open_bus();
    bus.ensure_group(Topic::Raw, Group::Normalizer).await.unwrap();
    bus.ensure_group(Topic::Events, Group::Ledger).await.unwrap();
    let payload = Bytes::from(vec![7; 256 * 1024]);
    let mut published = 0;
    let refusal = loop {
        assert!(published < 200, "more fits into the limit than it is");
        match bus.publish(Topic::Raw, vec![Message { payload: payload.clone(), ..message("") }]).await {
            Ok(()) => published += 1,
            Err(refusal) => break refusal,
        }
    };
    assert!(matches!(refusal, BusError::Full), "{refusal:?}");
    // Made known, extended, given back and forwarded all the same.
    bus.ensure_group(Topic::Quarantine, Group::Ledger).await.unwrap();
    let sub = subscription(Topic::Raw, Group::Normalizer, "first", LONG);
    let mut settled = 0;
    let held = bus.claim(&sub, 1, Duration::ZERO).await.unwrap();
    let tags = [held[0].tag.clone()];
    bus.extend(&sub, &tags).await.unwrap();
    bus.release(&sub, &tags).await.unwrap();
    while settled < published {
        let held = bus.claim(&sub, 100, Duration::ZERO).await.unwrap();
        assert!(!held.is_empty());
        settled += held.len();
        bus.settle(&sub, held.iter().map(forwarding).collect()).await.unwrap();
    }
    let events = bus.backlog(Topic::Events, Group::Ledger).await.unwrap();
    assert_eq!(events.total(), u64::try_from(published).unwrap());
    bus.publish(Topic::Raw, vec![message("room again")]).await.unwrap();
}

fn forwarding(delivery: &Delivery) -> Settlement {
    Settlement { tag: delivery.tag.clone(), outputs: vec![(Topic::Events, message("event"))] }
}

#[tokio::test]
async fn a_redis_that_may_lose_things_is_found_out() {
    let lazy = ["--appendfsync", "everysec", "--maxmemory-policy", "allkeys-lru"];
    let engine = Engine::started(&lazy).await;
    let found = engine.open_bus().check().await.unwrap();
    let expected = [Unsafe::LazyLog("everysec".to_owned()), Unsafe::Evicts("allkeys-lru".to_owned())];
    assert_eq!(found, expected);
    let engine = Engine::started(&["--appendonly", "no"]).await;
    assert_eq!(engine.open_bus().check().await.unwrap(), [Unsafe::NoLog]);
}

#[tokio::test]
async fn a_redis_that_does_not_say_is_found_out() {
    let engine = Engine::started(&["--rename-command", "CONFIG", ""]).await;
    assert_eq!(engine.open_bus().check().await.unwrap(), [Unsafe::CannotBeChecked]);
}

#[tokio::test]
async fn a_safe_redis_passes_and_remembers_how_many_partitions_there_were() {
    let engine = Engine::started(&[]).await;
    let with = |partitions| RedisBus::new(&engine.options(), NonZeroU16::new(partitions).unwrap()).unwrap();
    assert_eq!(with(2).check().await.unwrap(), []);
    assert_eq!(with(4).check().await.unwrap(), []);
    assert_eq!(with(2).check().await.unwrap(), [Unsafe::FewerPartitions { configured: 2, used: 4 }]);
}

#[tokio::test]
async fn a_message_for_a_partition_there_is_not_is_refused() {
    let place = world::redis().await;
    let bus = place.open_bus();
    let lost = Message { partition: Partition::from_index(4), ..message("a") };
    let refused = bus.publish(Topic::Raw, vec![message("b"), lost]).await;
    assert!(matches!(refused, Err(BusError::Unavailable(_))), "{refused:?}");
    assert!(bus.accepted(Topic::Raw).await.unwrap().is_empty(), "nothing of it was published");
}

#[test]
fn options_that_cannot_work_are_refused() {
    let node = |address: &str| RedisOptions { nodes: vec![address.to_owned()], ..RedisOptions::default() };
    let file = || Some("/nowhere/password".into());
    for options in [
        RedisOptions { nodes: Vec::new(), ..RedisOptions::default() },
        node("http://127.0.0.1"),
        RedisOptions { key_prefix: "a{b}".to_owned(), ..RedisOptions::default() },
        RedisOptions { mode: bus_redis::Mode::Sentinel, ..RedisOptions::default() },
        RedisOptions { password_file: file(), ..RedisOptions::default() },
        RedisOptions { password_file: file(), password: Some("a".to_owned()), ..RedisOptions::default() },
        RedisOptions { tls_ca_file: file(), ..RedisOptions::default() },
    ] {
        assert!(RedisBus::new(&options, NonZeroU16::MIN).is_err(), "{options:?}");
    }
}
