//! Redis down, killed, and back without its data.

use std::collections::BTreeMap;
use std::time::Duration;

use bus_redis::RedisOptions;
use contract_tests::fixtures::{LONG, message, salon, subscription};
use ports::bus::{BusError, EventBus, Group, Subscription, Topic};

use crate::engine::{Engine, eventually, open};

fn normalizer() -> Subscription {
    subscription(Topic::Raw, Group::Normalizer, "first", LONG)
}

#[tokio::test]
async fn a_bus_opened_while_redis_is_down_works_once_it_is_up() {
    let mut engine = Engine::prepared(&[]);
    let bus = engine.open_bus();
    let refused = bus.publish(Topic::Raw, vec![message("a")]).await;
    assert!(matches!(refused, Err(BusError::Unavailable(_))), "{refused:?}");
    assert!(bus.probe().await.is_err());
    engine.start().await;
    eventually("the bus to be usable", async || bus.probe().await.ok()).await;
    bus.publish(Topic::Raw, vec![message("a")]).await.unwrap();
    assert_eq!(bus.accepted(Topic::Raw).await.unwrap(), BTreeMap::from([(salon(), 1)]));
}

#[tokio::test]
async fn what_was_answered_before_a_kill_is_there_after_it() {
    let mut engine = Engine::started(&[]).await;
    let bus = engine.open_bus();
    bus.ensure_group(Topic::Raw, Group::Normalizer).await.unwrap();
    for n in 0..50 {
        bus.publish(Topic::Raw, vec![message(&format!("{n}"))]).await.unwrap();
    }
    assert_eq!(bus.claim(&normalizer(), 20, Duration::ZERO).await.unwrap().len(), 20);
    engine.kill();
    assert!(bus.publish(Topic::Raw, vec![message("lost")]).await.is_err());
    engine.start().await;
    eventually("the bus to be usable", async || bus.probe().await.ok()).await;
    let rest = bus.claim(&normalizer(), 100, Duration::ZERO).await.unwrap();
    assert_eq!(rest.len(), 30, "what was claimed before is claimed still");
    assert_eq!(bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap().total(), 50);
}

#[tokio::test]
async fn a_claim_that_waits_through_a_restart_fails_or_goes_on_and_the_next_one_works() {
    let mut engine = Engine::started(&[]).await;
    let bus = engine.open_bus();
    bus.ensure_group(Topic::Raw, Group::Normalizer).await.unwrap();
    let sub = normalizer();
    let consuming = async {
        eventually("a message after the restart", async || {
            let claimed = bus.claim(&sub, 10, Duration::from_secs(20)).await;
            claimed.ok().filter(|deliveries| !deliveries.is_empty())
        })
        .await
    };
    let restarting = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        engine.kill();
        engine.start().await;
        let sent = async || bus.publish(Topic::Raw, vec![message("after")]).await.ok();
        eventually("room for a message", sent).await;
    };
    let (deliveries, ()) = tokio::join!(consuming, restarting);
    assert_eq!(deliveries.len(), 1);
}

#[tokio::test]
async fn a_redis_that_hangs_is_unavailable_until_it_goes_on_and_nothing_answered_is_lost() {
    let engine = Engine::started(&[]).await;
    let bus = open(&RedisOptions { response_timeout: Duration::from_millis(300), ..engine.options() });
    bus.publish(Topic::Raw, vec![message("before")]).await.unwrap();
    engine.signal("STOP");
    let refused = bus.publish(Topic::Raw, vec![message("perhaps")]).await;
    assert!(matches!(refused, Err(BusError::Unavailable(_))), "{refused:?}");
    assert!(bus.claim(&normalizer(), 1, Duration::ZERO).await.is_err());
    engine.signal("CONT");
    eventually("the bus to be usable", async || bus.probe().await.ok()).await;
    bus.publish(Topic::Raw, vec![message("after")]).await.unwrap();
    let accepted = bus.accepted(Topic::Raw).await.unwrap()[&salon()];
    assert!((2..=3).contains(&accepted), "{accepted}");
}

#[tokio::test]
async fn groups_are_made_known_again_when_redis_has_lost_its_data() {
    let engine = Engine::started(&[]).await;
    let bus = engine.open_bus();
    bus.ensure_group(Topic::Raw, Group::Normalizer).await.unwrap();
    bus.publish(Topic::Raw, vec![message("gone")]).await.unwrap();
    engine.tell(&["FLUSHALL"]).unwrap();
    let refused = bus.claim(&normalizer(), 10, Duration::ZERO).await;
    assert!(matches!(refused, Err(BusError::Unavailable(_))), "{refused:?}");
    bus.publish(Topic::Raw, vec![message("new")]).await.unwrap();
    assert_eq!(bus.claim(&normalizer(), 10, Duration::ZERO).await.unwrap().len(), 1);
}

#[tokio::test]
async fn scripts_that_redis_has_forgotten_are_sent_again() {
    let engine = Engine::started(&[]).await;
    let bus = engine.open_bus();
    for text in ["a", "b"] {
        bus.publish(Topic::Raw, vec![message(text)]).await.unwrap();
        engine.tell(&["SCRIPT", "FLUSH"]).unwrap();
    }
    assert_eq!(bus.accepted(Topic::Raw).await.unwrap(), BTreeMap::from([(salon(), 2)]));
}
