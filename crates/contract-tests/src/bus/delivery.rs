//! Publishing, claiming, expiring.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use domain::timestamp::Timestamp;
use ports::bus::{Delivery, Group, Message, Origin, Partition, Subscription, Topic, company};
use ports::clock::{Clock, SystemClock};
use tokio::time::{Instant, sleep_until};

use super::{
    Port, claim, claim_some, drain, ensure, expire, normalizer, release, second, settle, sorted, texts,
};
use crate::eventually;
use crate::fixtures::{LONG, SHORT, message, message_of, subscription};

pub async fn a_message_is_delivered_as_it_was_published(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    let sent = Message { partition: Partition::from_index(3), ..message_of("clinic", "\0 bytes \u{1f600}") };
    bus.publish(Topic::Raw, vec![sent.clone()]).await.unwrap();
    let deliveries = claim(bus, &normalizer(), 10).await;
    assert_eq!(deliveries.len(), 1);
    assert_eq!((deliveries[0].attempt, &deliveries[0].message), (1, &sent));
    let age = SystemClock.now().distance(deliveries[0].published_at);
    assert!(age < Duration::from_secs(60), "{age:?}");
}

pub async fn a_dead_letter_keeps_its_origin(bus: &Port) {
    ensure(bus, Topic::Quarantine, &[Group::Ledger]).await;
    let origin = Origin {
        topic: Topic::Events,
        group: Group::Analytics,
        attempts: 5,
        reason: "the handler failed".to_owned(),
    };
    let sent = Message { origin: Some(origin), ..message("dead") };
    bus.publish(Topic::Quarantine, vec![sent.clone()]).await.unwrap();
    let sub = subscription(Topic::Quarantine, Group::Ledger, "first", LONG);
    assert_eq!(claim(bus, &sub, 10).await[0].message, sent);
}

pub async fn an_empty_topic_gives_nothing(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    let begun = Instant::now();
    let wait = Duration::from_millis(30);
    assert_eq!(bus.claim(&normalizer(), 10, wait).await.unwrap(), []);
    assert!(begun.elapsed() >= wait);
}

pub async fn a_waiting_claim_wakes_up_when_a_message_is_published(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    let sub = normalizer();
    let publishing = async {
        sleep_until(Instant::now() + Duration::from_millis(100)).await;
        bus.publish(Topic::Raw, vec![message("late")]).await.unwrap();
        Instant::now()
    };
    let claiming = async {
        let deliveries = bus.claim(&sub, 10, Duration::from_secs(20)).await.unwrap();
        (deliveries, Instant::now())
    };
    let (published, (deliveries, claimed)) = tokio::join!(publishing, claiming);
    assert_eq!(texts(&deliveries), ["late"]);
    assert!(claimed - published < Duration::from_secs(5));
}

pub async fn a_claim_takes_at_most_what_it_asks_for(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    let texts_sent: Vec<_> = (0..10).map(|n| message(&format!("{n}"))).collect();
    bus.publish(Topic::Raw, texts_sent).await.unwrap();
    assert_eq!(claim(bus, &normalizer(), 0).await, []);
    let first = claim(bus, &normalizer(), 4).await;
    let rest = claim(bus, &second(&normalizer()), 100).await;
    assert_eq!((first.len(), rest.len()), (4, 6));
}

pub async fn large_messages_come_in_several_claims_none_lost_and_none_twice(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    for n in 0..12 {
        bus.publish(Topic::Raw, vec![large(n, 1)]).await.unwrap();
    }
    // The second time they are not new.
    for round in ["new", "released"] {
        let mut claims: Vec<Vec<Delivery>> = Vec::new();
        loop {
            let deliveries = claim(bus, &normalizer(), 100).await;
            if deliveries.is_empty() {
                break;
            }
            claims.push(deliveries);
        }
        assert!(claims.len() > 1, "{round}: all in one claim");
        let held = claims.concat();
        let mut firsts: Vec<_> = held.iter().map(|delivery| delivery.message.payload[0]).collect();
        firsts.sort_unstable();
        assert_eq!(firsts, (0..12).collect::<Vec<u8>>(), "{round}");
        assert!(held.iter().all(|delivery| delivery.message.payload.len() == MEBIBYTE), "{round}");
        release(bus, &normalizer(), &held).await;
    }
    assert_eq!(drain(bus, &normalizer()).await.len(), 12);
}

pub async fn a_message_larger_than_a_claim_comes_all_the_same(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    let sent = [message("before"), large(1, 12), message("after")];
    bus.publish(Topic::Raw, sent.to_vec()).await.unwrap();
    let received = drain(bus, &normalizer()).await.into_iter().map(|delivery| delivery.message);
    assert!(received.eq(sent), "something is lost or changed");
}

pub async fn topics_are_apart(bus: &Port) {
    for topic in Topic::ALL {
        ensure(bus, topic, &[Group::Ledger]).await;
        bus.publish(topic, vec![message(topic.as_str())]).await.unwrap();
    }
    for topic in Topic::ALL {
        let deliveries = claim(bus, &subscription(topic, Group::Ledger, "first", LONG), 10).await;
        assert_eq!(texts(&deliveries), [topic.as_str()]);
    }
}

pub async fn messages_of_a_partition_come_in_order(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    for n in 0_u16..30 {
        let partition = Partition::from_index(n % 3);
        bus.publish(Topic::Raw, vec![Message { partition, ..message(&format!("{n:02}")) }]).await.unwrap();
    }
    let deliveries = drain(bus, &normalizer()).await;
    for partition in (0..3).map(Partition::from_index) {
        let of_partition: Vec<_> =
            deliveries.iter().filter(|delivery| delivery.message.partition == partition).cloned().collect();
        let order = texts(&of_partition);
        assert_eq!(order.len(), 10);
        assert!(order.is_sorted(), "{order:?}");
    }
}

pub async fn groups_do_not_see_each_other(bus: &Port) {
    ensure(bus, Topic::Events, &[Group::Ledger, Group::Analytics]).await;
    bus.publish(Topic::Events, vec![message("a"), message("b")]).await.unwrap();
    let ledger = subscription(Topic::Events, Group::Ledger, "ledger", LONG);
    let analytics = subscription(Topic::Events, Group::Analytics, "analytics", LONG);
    assert_eq!(texts(&drain(bus, &ledger).await), ["a", "b"]);
    bus.publish(Topic::Events, vec![message("c")]).await.unwrap();
    assert_eq!(texts(&drain(bus, &ledger).await), ["c"]);
    assert_eq!(texts(&drain(bus, &analytics).await), ["a", "b", "c"]);
}

pub async fn a_group_made_known_late_starts_at_the_oldest_message_kept(bus: &Port) {
    ensure(bus, Topic::Events, &[Group::Ledger]).await;
    bus.publish(Topic::Events, vec![message("a"), message("b"), message("c")]).await.unwrap();
    let ledger = subscription(Topic::Events, Group::Ledger, "ledger", LONG);
    // Held and not settled, so it must be kept, with everything after it.
    assert_eq!(texts(&claim(bus, &ledger, 2).await), ["a", "b"]);
    ensure(bus, Topic::Events, &[Group::Analytics]).await;
    let analytics = subscription(Topic::Events, Group::Analytics, "analytics", LONG);
    assert_eq!(texts(&drain(bus, &analytics).await), ["a", "b", "c"]);
}

pub async fn a_group_made_known_again_stays_where_it_is(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a"), message("b"), message("c")]).await.unwrap();
    let first = claim(bus, &normalizer(), 1).await;
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    settle(bus, &normalizer(), &first).await;
    assert_eq!(texts(&drain(bus, &normalizer()).await), ["b", "c"]);
}

pub async fn an_expired_claim_is_delivered_again_as_the_second_attempt(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a")]).await.unwrap();
    let sub = subscription(Topic::Raw, Group::Normalizer, "first", SHORT);
    let first = claim(bus, &sub, 10).await;
    let again = claim_some(bus, &second(&sub), 10).await;
    assert_eq!((texts(&again), again[0].attempt), (vec!["a".to_owned()], 2));
    assert_eq!(again[0].published_at, first[0].published_at);
    assert_ne!(again[0].tag, first[0].tag);
}

pub async fn expired_claims_come_before_new_messages(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("old")]).await.unwrap();
    let sub = subscription(Topic::Raw, Group::Normalizer, "first", SHORT);
    claim(bus, &sub, 1).await;
    bus.publish(Topic::Raw, vec![message("new")]).await.unwrap();
    expire(&sub).await;
    let next = claim(bus, &second(&sub), 1).await;
    assert_eq!((texts(&next), next[0].attempt), (vec!["old".to_owned()], 2));
}

pub async fn with_every_delivery_company_is_smaller_and_the_fourth_comes_alone(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    let sent: Vec<_> = (0..SENT).map(|n| spread(n, &format!("{n}"))).collect();
    bus.publish(Topic::Raw, sent).await.unwrap();
    let sub = subscription(Topic::Raw, Group::Normalizer, "first", SHORT);
    let mut largest: BTreeMap<u32, usize> = BTreeMap::new();
    let mut alone = BTreeSet::new();
    // Settled once it has come alone, or the claims of some would never be the oldest.
    while alone.len() < usize::from(SENT) {
        let deliveries = claim_some(bus, &sub, 1000).await;
        let oldest = deliveries.iter().map(|delivery| delivery.attempt).max().unwrap();
        assert!(deliveries.len() <= company(oldest), "{} on delivery {oldest}", deliveries.len());
        let size = largest.entry(oldest).or_default();
        *size = deliveries.len().max(*size);
        if oldest == 4 {
            alone.extend(texts(&deliveries));
            settle(bus, &sub, &deliveries).await;
        }
    }
    assert_eq!(largest[&1], usize::from(SENT), "the first delivery came in one claim");
    assert!((2..=256).contains(&largest[&2]), "{largest:?}");
    assert!((2..=16).contains(&largest[&3]), "{largest:?}");
}

pub async fn a_new_message_comes_beside_few_that_come_again_and_never_beside_one_alone(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("old")]).await.unwrap();
    let sub = subscription(Topic::Raw, Group::Normalizer, "first", SHORT);
    for attempt in 1..=3 {
        assert_eq!(claim_some(bus, &sub, 1).await[0].attempt, attempt);
    }
    bus.publish(Topic::Raw, (0..SENT).map(|n| spread(n, "new")).collect()).await.unwrap();
    expire(&sub).await;
    let lasting = Subscription { claim_ttl: LONG, ..second(&sub) };
    let fourth = claim(bus, &lasting, 1000).await;
    let rest = claim(bus, &lasting, 1000).await;
    if texts(&fourth) == ["old"] {
        assert_eq!(rest.len(), usize::from(SENT));
    } else {
        // Another partition had its turn first: what comes alone was left for the next claim.
        assert_eq!((fourth.len(), texts(&rest)), (usize::from(SENT), vec!["old".to_owned()]));
    }
}

pub async fn extending_keeps_a_claim_and_counts_no_attempt(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a"), message("b")]).await.unwrap();
    let ttl = Duration::from_millis(600);
    let sub = subscription(Topic::Raw, Group::Normalizer, "first", ttl);
    let held = claim(bus, &sub, 10).await;
    let claimed = Instant::now();
    sleep_until(claimed + ttl / 2).await;
    let extended = Instant::now();
    let tags: Vec<_> = held.iter().map(|delivery| delivery.tag.clone()).collect();
    bus.extend(&sub, &tags).await.unwrap();
    sleep_until(claimed + ttl + ttl / 8).await;
    let early = claim(bus, &second(&sub), 10).await;
    // On a machine so slow that the new TTL is over too, the answer says nothing.
    if extended.elapsed() < ttl {
        assert_eq!(early, []);
        let again = claim_some(bus, &second(&sub), 10).await;
        assert!(again.iter().all(|delivery| delivery.attempt == 2), "{again:?}");
    }
}

pub async fn what_is_not_extended_expires_beside_what_is(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    let sent: Vec<_> = ["a", "b", "c", "d", "e"].map(message).into();
    bus.publish(Topic::Raw, sent).await.unwrap();
    let sub = subscription(Topic::Raw, Group::Normalizer, "first", Duration::from_millis(300));
    let held = claim(bus, &sub, 10).await;
    let kept = [held[1].tag.clone(), held[3].tag.clone()];
    let other = second(&sub);
    let expired = eventually("three expired messages", || async {
        let before = Instant::now();
        bus.extend(&sub, &kept).await.unwrap();
        let deliveries = claim(bus, &other, 10).await;
        // The two may be lost only to a machine that slept over their TTL.
        let slow = before.elapsed() > Duration::from_millis(300);
        Some(deliveries).filter(|deliveries| slow || !deliveries.is_empty())
    })
    .await;
    if expired.len() < 5 {
        assert_eq!(sorted(texts(&expired)), ["a", "c", "e"]);
    }
}

pub async fn extending_what_is_settled_does_nothing(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a")]).await.unwrap();
    let held = claim(bus, &normalizer(), 10).await;
    settle(bus, &normalizer(), &held).await;
    bus.extend(&normalizer(), &[held[0].tag.clone()]).await.unwrap();
    assert_eq!(claim(bus, &normalizer(), 10).await, []);
    let backlog = bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap();
    assert_eq!((backlog.total(), backlog.oldest), (0, None::<Timestamp>));
}

/// More than may come together on the second delivery.
const SENT: u16 = 300;

/// A message of one of a few partitions.
fn spread(n: u16, text: &str) -> Message {
    Message { partition: Partition::from_index(n % 4), ..message(text) }
}

const MEBIBYTE: usize = 1024 * 1024;

/// A message of many bytes, all the same.
fn large(byte: u8, mebibytes: usize) -> Message {
    Message { payload: Bytes::from(vec![byte; mebibytes * MEBIBYTE]), ..message("") }
}
