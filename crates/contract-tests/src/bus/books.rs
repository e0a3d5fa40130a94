//! Counting, and the bound.

use std::collections::BTreeMap;

use ports::bus::{BusError, Group, Settlement, Topic};

use super::{BOUND, Port, claim, drain, ensure, normalizer, settle};
use crate::eventually;
use crate::fixtures::{LONG, message, message_of, salon, subscription, tenant};

pub async fn accepted_counts_each_tenant_and_topic(bus: &Port) {
    let mixed = vec![message_of("salon", "1"), message_of("clinic", "2"), message_of("salon", "3")];
    bus.publish(Topic::Raw, mixed).await.unwrap();
    bus.publish(Topic::Raw, vec![message_of("clinic", "4")]).await.unwrap();
    bus.publish(Topic::Events, vec![message_of("coach", "5")]).await.unwrap();
    let raw = BTreeMap::from([(tenant("salon"), 2), (tenant("clinic"), 2)]);
    assert_eq!(bus.accepted(Topic::Raw).await.unwrap(), raw);
    assert_eq!(bus.accepted(Topic::Events).await.unwrap(), BTreeMap::from([(tenant("coach"), 1)]));
    assert_eq!(bus.accepted(Topic::Dead).await.unwrap(), BTreeMap::new());
}

pub async fn accepted_still_counts_what_is_settled_and_gone(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    for _round in 0..3 {
        bus.publish(Topic::Raw, vec![message("a"), message("b")]).await.unwrap();
        assert_eq!(drain(bus, &normalizer()).await.len(), 2);
    }
    assert_eq!(bus.accepted(Topic::Raw).await.unwrap(), BTreeMap::from([(salon(), 6)]));
}

pub async fn forwarding_counts_as_accepted(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a")]).await.unwrap();
    let held = claim(bus, &normalizer(), 1).await;
    let outputs = vec![
        (Topic::Events, message("1")),
        (Topic::Events, message("2")),
        (Topic::Quarantine, message_of("clinic", "3")),
    ];
    bus.settle(&normalizer(), vec![Settlement { tag: held[0].tag.clone(), outputs }]).await.unwrap();
    assert_eq!(bus.accepted(Topic::Events).await.unwrap(), BTreeMap::from([(salon(), 2)]));
    assert_eq!(bus.accepted(Topic::Quarantine).await.unwrap(), BTreeMap::from([(tenant("clinic"), 1)]));
    assert_eq!(bus.accepted(Topic::Raw).await.unwrap(), BTreeMap::from([(salon(), 1)]));
}

pub async fn the_backlog_counts_what_is_claimed_and_what_is_not(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    assert_eq!(bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap().total(), 0);
    let mixed = vec![message_of("salon", "1"), message_of("clinic", "2"), message_of("salon", "3")];
    bus.publish(Topic::Raw, mixed).await.unwrap();
    let all = BTreeMap::from([(tenant("salon"), 2), (tenant("clinic"), 1)]);
    assert_eq!(bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap().receipts, all);
    let held = claim(bus, &normalizer(), 2).await;
    assert_eq!(bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap().receipts, all);
    settle(bus, &normalizer(), &held).await;
    let left = bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap();
    assert_eq!(left.receipts.get(&tenant("salon")), Some(&1));
    assert_eq!(left.total(), 1);
}

pub async fn the_books_count_receipts_and_not_messages(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    ensure(bus, Topic::Events, &[Group::Ledger]).await;
    let packed =
        vec![message("1").with_receipts(3), message_of("clinic", "2"), message("3").with_receipts(2)];
    bus.publish(Topic::Raw, packed.clone()).await.unwrap();
    let all = BTreeMap::from([(salon(), 5), (tenant("clinic"), 1)]);
    assert_eq!(bus.accepted(Topic::Raw).await.unwrap(), all);
    assert_eq!(bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap().receipts, all);

    let held = claim(bus, &normalizer(), 10).await;
    assert!(held.iter().map(|delivery| &delivery.message).eq(&packed));
    let outputs = vec![(Topic::Events, message("a").with_receipts(2)), (Topic::Events, message("b"))];
    bus.settle(&normalizer(), vec![Settlement { tag: held[0].tag.clone(), outputs }]).await.unwrap();
    let left = BTreeMap::from([(salon(), 2), (tenant("clinic"), 1)]);
    assert_eq!(bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap().receipts, left);
    assert_eq!(bus.accepted(Topic::Events).await.unwrap(), BTreeMap::from([(salon(), 3)]));
    assert_eq!(bus.accepted(Topic::Raw).await.unwrap(), all);

    settle(bus, &normalizer(), &held[1..]).await;
    assert_eq!(bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap().total(), 0);
    bus.publish(Topic::Events, vec![message("c").with_receipts(4)]).await.unwrap();
    ensure(bus, Topic::Events, &[Group::Analytics]).await;
    assert_eq!(bus.backlog(Topic::Events, Group::Analytics).await.unwrap().total(), 7);
}

pub async fn the_backlog_of_one_group_is_not_that_of_another(bus: &Port) {
    ensure(bus, Topic::Events, &[Group::Ledger, Group::Analytics]).await;
    bus.publish(Topic::Events, vec![message("a"), message("b")]).await.unwrap();
    drain(bus, &subscription(Topic::Events, Group::Ledger, "first", LONG)).await;
    assert_eq!(bus.backlog(Topic::Events, Group::Ledger).await.unwrap().total(), 0);
    assert_eq!(bus.backlog(Topic::Events, Group::Analytics).await.unwrap().total(), 2);
}

pub async fn the_backlog_names_the_oldest_message(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    for text in ["a", "b", "c"] {
        bus.publish(Topic::Raw, vec![message(text)]).await.unwrap();
    }
    let oldest = async || bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap().oldest;
    let held = claim(bus, &normalizer(), 2).await;
    assert_eq!(oldest().await, Some(held[0].published_at));
    settle(bus, &normalizer(), &held[..1]).await;
    assert_eq!(oldest().await, Some(held[1].published_at));
    settle(bus, &normalizer(), &held[1..]).await;
    let last = claim(bus, &normalizer(), 2).await;
    assert_eq!(oldest().await, Some(last[0].published_at));
    settle(bus, &normalizer(), &last).await;
    assert_eq!(oldest().await, None);
}

pub async fn the_backlog_of_a_group_made_known_late_counts_what_is_kept(bus: &Port) {
    ensure(bus, Topic::Events, &[Group::Ledger]).await;
    bus.publish(Topic::Events, vec![message("a"), message("b"), message("c")]).await.unwrap();
    let ledger = subscription(Topic::Events, Group::Ledger, "ledger", LONG);
    let held = claim(bus, &ledger, 1).await;
    settle(bus, &ledger, &held).await;
    ensure(bus, Topic::Events, &[Group::Analytics]).await;
    let counted = bus.backlog(Topic::Events, Group::Analytics).await.unwrap().total();
    let analytics = subscription(Topic::Events, Group::Analytics, "analytics", LONG);
    let delivered = drain(bus, &analytics).await.len();
    assert_eq!(counted, u64::try_from(delivered).unwrap());
    assert!((2..=3).contains(&delivered), "{delivered}");
    assert_eq!(bus.backlog(Topic::Events, Group::Analytics).await.unwrap().total(), 0);
}

pub async fn publishing_and_settling_nothing_is_harmless(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, Vec::new()).await.unwrap();
    bus.settle(&normalizer(), Vec::new()).await.unwrap();
    bus.extend(&normalizer(), &[]).await.unwrap();
    bus.release(&normalizer(), &[]).await.unwrap();
    assert_eq!(claim(bus, &normalizer(), 10).await, []);
    assert_eq!(bus.accepted(Topic::Raw).await.unwrap(), BTreeMap::new());
}

pub async fn a_bus_that_works_passes_its_probe(bus: &Port) {
    bus.probe().await.unwrap();
    bus.probe().await.unwrap();
}

pub async fn a_full_bus_refuses_publishing_and_still_forwards(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    ensure(bus, Topic::Events, &[Group::Ledger]).await;
    let mut published = 0;
    let refusal = loop {
        assert!(published < 1_000 * u64::from(BOUND), "the bus grows without bound");
        match bus.publish(Topic::Raw, vec![message("a")]).await {
            Ok(()) => published += 1,
            Err(refusal) => break refusal,
        }
    };
    assert!(matches!(refusal, BusError::Full), "{refusal:?}");
    assert!(published >= u64::from(BOUND), "{published}");
    assert_eq!(bus.accepted(Topic::Raw).await.unwrap(), BTreeMap::from([(salon(), published)]));

    let held = claim(bus, &normalizer(), 3).await;
    let outputs = || (0..5).map(|n| (Topic::Events, message(&format!("{n}")))).collect();
    let forwarded = held.iter().map(|delivery| Settlement { tag: delivery.tag.clone(), outputs: outputs() });
    bus.settle(&normalizer(), forwarded.collect()).await.unwrap();

    drain(bus, &normalizer()).await;
    assert_eq!(drain(bus, &subscription(Topic::Events, Group::Ledger, "first", LONG)).await.len(), 15);
    let room = || async { bus.publish(Topic::Raw, vec![message("b")]).await.ok() };
    eventually("room on the drained bus", room).await;
}
