//! Many at once, and one after the other on the same store.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use ports::bus::{Group, Message, Partition, Settlement, Topic};

use super::{Port, claim, claim_some, drain, ensure, normalizer, release, second, settle, texts};
use crate::World;
use crate::fixtures::{LONG, SHORT, message, salon, subscription};

pub async fn of_many_at_once_each_message_is_settled_exactly_once(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    ensure(bus, Topic::Events, &[Group::Ledger]).await;
    let publishers = join_all((0..8_u16).map(async |publisher| {
        for n in 0..25 {
            let partition = Partition::from_index(publisher % 3);
            let sent =
                (0..2).map(|half| Message { partition, ..message(&format!("{publisher}-{n}-{half}")) });
            bus.publish(Topic::Raw, sent.collect()).await.unwrap();
        }
    }));
    let consumers = join_all((0..4).map(async |consumer| {
        let sub = subscription(Topic::Raw, Group::Normalizer, &format!("consumer-{consumer}"), LONG);
        let mut idle = 0;
        while idle < 3 || bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap().total() > 0 {
            let deliveries = bus.claim(&sub, 7, Duration::from_millis(20)).await.unwrap();
            idle = if deliveries.is_empty() { idle + 1 } else { 0 };
            let forwarded = deliveries.into_iter().map(|delivery| Settlement {
                tag: delivery.tag,
                outputs: vec![(Topic::Events, delivery.message)],
            });
            bus.settle(&sub, forwarded.collect()).await.unwrap();
        }
    }));
    tokio::join!(publishers, consumers);
    let events = texts(&drain(bus, &subscription(Topic::Events, Group::Ledger, "last", LONG)).await);
    assert_eq!((events.len(), events.iter().collect::<BTreeSet<_>>().len()), (400, 400));
    for topic in [Topic::Raw, Topic::Events] {
        assert_eq!(bus.accepted(topic).await.unwrap(), BTreeMap::from([(salon(), 400)]));
    }
}

pub async fn two_consumers_never_hold_one_message(world: &dyn World<Port>) {
    let handles = [world.open().await, world.open().await];
    ensure(&*handles[0], Topic::Raw, &[Group::Normalizer]).await;
    let sent = (0..60).map(|n| message(&format!("{n}"))).collect();
    handles[0].publish(Topic::Raw, sent).await.unwrap();
    let claims = join_all((0..12).map(async |n| {
        let sub = subscription(Topic::Raw, Group::Normalizer, &format!("consumer-{n}"), LONG);
        claim(&*handles[n % 2], &sub, 5).await
    }));
    let held: Vec<_> = claims.await.into_iter().flat_map(|deliveries| texts(&deliveries)).collect();
    assert_eq!(held.len(), 60);
    assert_eq!(held.into_iter().collect::<BTreeSet<_>>().len(), 60);
}

pub async fn what_was_published_survives_reopening(world: &dyn World<Port>) {
    let bus = world.open().await;
    ensure(&*bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a"), message("b")]).await.unwrap();
    drop(bus);
    let bus = world.open().await;
    assert_eq!(bus.accepted(Topic::Raw).await.unwrap(), BTreeMap::from([(salon(), 2)]));
    assert_eq!(texts(&claim(&*bus, &normalizer(), 10).await), ["a", "b"]);
}

pub async fn what_was_settled_survives_reopening(world: &dyn World<Port>) {
    let bus = world.open().await;
    ensure(&*bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a"), message("b")]).await.unwrap();
    let held = claim(&*bus, &normalizer(), 1).await;
    let outputs = vec![(Topic::Events, message("forwarded"))];
    bus.settle(&normalizer(), vec![Settlement { tag: held[0].tag.clone(), outputs }]).await.unwrap();
    drop(bus);
    let bus = world.open().await;
    ensure(&*bus, Topic::Raw, &[Group::Normalizer]).await;
    ensure(&*bus, Topic::Events, &[Group::Ledger]).await;
    assert_eq!(texts(&drain(&*bus, &normalizer()).await), ["b"]);
    let events = subscription(Topic::Events, Group::Ledger, "first", LONG);
    assert_eq!(texts(&drain(&*bus, &events).await), ["forwarded"]);
    // Numbers of messages long gone are not given out again.
    bus.publish(Topic::Raw, vec![message("c")]).await.unwrap();
    assert_eq!(texts(&drain(&*bus, &normalizer()).await), ["c"]);
}

pub async fn attempts_survive_reopening(world: &dyn World<Port>) {
    let sub = subscription(Topic::Raw, Group::Normalizer, "first", SHORT);
    let bus = world.open().await;
    ensure(&*bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a")]).await.unwrap();
    assert_eq!(claim(&*bus, &sub, 1).await[0].attempt, 1);
    drop(bus);
    for attempt in 2..5 {
        let bus = world.open().await;
        assert_eq!(claim_some(&*bus, &second(&sub), 10).await[0].attempt, attempt);
    }
}

pub async fn what_was_released_survives_reopening(world: &dyn World<Port>) {
    let bus = world.open().await;
    ensure(&*bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a")]).await.unwrap();
    let held = claim(&*bus, &normalizer(), 1).await;
    release(&*bus, &normalizer(), &held).await;
    drop(bus);
    let bus = world.open().await;
    let again = claim(&*bus, &second(&normalizer()), 10).await;
    assert_eq!((texts(&again), again[0].attempt), (vec!["a".to_owned()], 1));
}

pub async fn a_claim_survives_reopening(world: &dyn World<Port>) {
    let bus = world.open().await;
    ensure(&*bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a")]).await.unwrap();
    let held = claim(&*bus, &normalizer(), 1).await;
    drop(bus);
    let bus = world.open().await;
    assert_eq!(claim(&*bus, &second(&normalizer()), 1).await, []);
    settle(&*bus, &normalizer(), &held).await;
    assert_eq!(bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap().total(), 0);
}
