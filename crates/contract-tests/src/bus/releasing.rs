//! Giving deliveries back.

use std::time::Duration;

use ports::bus::{Group, Subscription, Topic};

use super::{Port, claim, claim_some, ensure, normalizer, release, second, settle, sorted, texts};
use crate::fixtures::{LONG, SHORT, message, subscription};

pub async fn a_released_delivery_comes_back_at_once_with_the_same_attempt(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a"), message("b")]).await.unwrap();
    let held = claim(bus, &normalizer(), 10).await;
    release(bus, &normalizer(), &held).await;
    assert_eq!(bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap().total(), 2);
    let again = claim(bus, &second(&normalizer()), 10).await;
    assert_eq!(sorted(texts(&again)), ["a", "b"]);
    assert!(again.iter().all(|delivery| delivery.attempt == 1), "{again:?}");
    settle(bus, &second(&normalizer()), &again).await;
    assert_eq!(bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap().total(), 0);
}

pub async fn a_waiting_claim_is_handed_what_is_released(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a")]).await.unwrap();
    let held = claim(bus, &normalizer(), 10).await;
    let (sub, other) = (normalizer(), second(&normalizer()));
    let (waited, ()) =
        tokio::join!(bus.claim(&other, 10, Duration::from_secs(20)), release(bus, &sub, &held));
    assert_eq!(texts(&waited.unwrap()), ["a"]);
}

pub async fn what_is_not_released_stays_claimed_beside_what_is(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    let sent: Vec<_> = ["a", "b", "c", "d", "e"].map(message).into();
    bus.publish(Topic::Raw, sent).await.unwrap();
    let held = claim(bus, &normalizer(), 10).await;
    release(bus, &normalizer(), &[held[3].clone(), held[1].clone()]).await;
    let other = second(&normalizer());
    let again = claim(bus, &other, 10).await;
    assert_eq!(sorted(texts(&again)), ["b", "d"]);
    settle(bus, &other, &again).await;
    settle(bus, &normalizer(), &[held[0].clone(), held[2].clone(), held[4].clone()]).await;
    assert_eq!(bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap().total(), 0);
}

pub async fn releasing_after_the_claim_was_lost_does_nothing(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a")]).await.unwrap();
    let slow = subscription(Topic::Raw, Group::Normalizer, "first", SHORT);
    let fast = lasting(&slow);
    let lost = claim(bus, &slow, 10).await;
    let taken_over = claim_some(bus, &fast, 10).await;
    release(bus, &slow, &lost).await;
    assert_eq!(claim(bus, &slow, 10).await, []);
    release(bus, &fast, &taken_over).await;
    assert_eq!(claim(bus, &fast, 10).await[0].attempt, 2);
}

pub async fn releasing_twice_takes_one_attempt_back(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a")]).await.unwrap();
    let short = subscription(Topic::Raw, Group::Normalizer, "first", SHORT);
    let long = lasting(&short);
    claim(bus, &short, 10).await;
    let held = claim_some(bus, &long, 10).await;
    assert_eq!(held[0].attempt, 2);
    release(bus, &long, &[held[0].clone(), held[0].clone()]).await;
    release(bus, &long, &held).await;
    assert_eq!(claim(bus, &long, 10).await[0].attempt, 2);
}

pub async fn releasing_what_is_settled_does_nothing(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a"), message("b")]).await.unwrap();
    let held = claim(bus, &normalizer(), 10).await;
    settle(bus, &normalizer(), &held[..1]).await;
    release(bus, &normalizer(), &held).await;
    assert_eq!(texts(&claim(bus, &normalizer(), 10).await), ["b"]);
    assert_eq!(bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap().total(), 1);
}

pub async fn many_releases_never_exhaust_a_message(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a"), message("b")]).await.unwrap();
    for _round in 0..20 {
        let held = claim(bus, &normalizer(), 10).await;
        assert_eq!(sorted(texts(&held)), ["a", "b"], "they stay in company");
        assert!(held.iter().all(|delivery| delivery.attempt == 1), "{held:?}");
        release(bus, &normalizer(), &held).await;
    }
}

pub async fn a_released_fourth_delivery_comes_alone_again(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a"), message("b")]).await.unwrap();
    let short = subscription(Topic::Raw, Group::Normalizer, "first", SHORT);
    let long = lasting(&short);
    for _delivery in 1..=3 {
        assert_eq!(claim_some(bus, &short, 10).await.len(), 2);
    }
    let fourth = claim_some(bus, &long, 10).await;
    assert_eq!((fourth.len(), fourth[0].attempt), (1, 4));
    release(bus, &long, &fourth).await;
    let again = claim(bus, &long, 10).await;
    assert_eq!((again.len(), again[0].attempt), (1, 4));
}

/// Another consumer, whose claims last.
fn lasting(sub: &Subscription) -> Subscription {
    Subscription { claim_ttl: LONG, ..second(sub) }
}
