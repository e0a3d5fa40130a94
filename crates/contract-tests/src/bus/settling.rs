//! Settling and forwarding.

use ports::bus::{Delivery, Group, Message, Partition, Settlement, Topic};

use super::{Port, claim, claim_some, drain, ensure, expire, normalizer, second, settle, sorted, texts};
use crate::eventually;
use crate::fixtures::{LONG, SHORT, message, subscription};

pub async fn a_settled_message_is_not_delivered_again(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    bus.publish(Topic::Raw, vec![message("a")]).await.unwrap();
    let sub = subscription(Topic::Raw, Group::Normalizer, "first", SHORT);
    let held = claim(bus, &sub, 10).await;
    settle(bus, &sub, &held).await;
    expire(&sub).await;
    assert_eq!(claim(bus, &second(&sub), 10).await, []);
}

pub async fn part_of_a_claim_can_be_settled(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    let sent: Vec<_> = ["a", "b", "c", "d", "e"].map(message).into();
    bus.publish(Topic::Raw, sent).await.unwrap();
    let sub = subscription(Topic::Raw, Group::Normalizer, "first", SHORT);
    let held = claim(bus, &sub, 10).await;
    // Not in the order they came in.
    settle(bus, &sub, &[held[4].clone(), held[0].clone(), held[2].clone()]).await;
    let mut left = Vec::new();
    while left.len() < 2 {
        let again = claim_some(bus, &second(&sub), 10).await;
        settle(bus, &second(&sub), &again).await;
        left.extend(texts(&again));
    }
    assert_eq!(sorted(left), ["b", "d"]);
    assert_eq!(bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap().total(), 0);
}

pub async fn settling_publishes_the_outputs(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    ensure(bus, Topic::Events, &[Group::Ledger]).await;
    bus.publish(Topic::Raw, vec![message("a"), message("b")]).await.unwrap();
    let held = claim(bus, &normalizer(), 10).await;
    let forwarded = held.iter().map(|delivery| forwarding(delivery, Topic::Events, &["1", "2"])).collect();
    bus.settle(&normalizer(), forwarded).await.unwrap();
    assert_eq!(claim(bus, &normalizer(), 10).await, []);
    assert_eq!(events(bus).await, ["a1", "a2", "b1", "b2"]);
}

pub async fn an_output_keeps_the_partition_of_its_delivery(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    ensure(bus, Topic::Events, &[Group::Ledger]).await;
    let partition = Partition::from_index(2);
    bus.publish(Topic::Raw, vec![Message { partition, ..message("a") }]).await.unwrap();
    let held = claim(bus, &normalizer(), 10).await;
    bus.settle(&normalizer(), vec![forwarding(&held[0], Topic::Events, &["1"])]).await.unwrap();
    let output = claim(bus, &subscription(Topic::Events, Group::Ledger, "first", LONG), 10).await;
    assert_eq!(output[0].message.partition, partition);
}

pub async fn outputs_of_one_settlement_go_to_several_topics(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    ensure(bus, Topic::Events, &[Group::Ledger]).await;
    ensure(bus, Topic::Quarantine, &[Group::Ledger]).await;
    bus.publish(Topic::Raw, vec![message("a"), message("b")]).await.unwrap();
    let held = claim(bus, &normalizer(), 10).await;
    let both = vec![
        forwarding(&held[0], Topic::Events, &["-fine"]),
        forwarding(&held[1], Topic::Quarantine, &["-odd"]),
    ];
    bus.settle(&normalizer(), both).await.unwrap();
    assert_eq!(events(bus).await, ["a-fine"]);
    let quarantine = subscription(Topic::Quarantine, Group::Ledger, "first", LONG);
    assert_eq!(texts(&drain(bus, &quarantine).await), ["b-odd"]);
}

pub async fn settling_twice_publishes_once(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    ensure(bus, Topic::Events, &[Group::Ledger]).await;
    bus.publish(Topic::Raw, vec![message("a")]).await.unwrap();
    let held = claim(bus, &normalizer(), 10).await;
    for output in ["-first", "-second"] {
        let forwarded = forwarding(&held[0], Topic::Events, &[output]);
        bus.settle(&normalizer(), vec![forwarded]).await.unwrap();
    }
    assert_eq!(events(bus).await, ["a-first"]);
}

pub async fn a_late_settlement_publishes_nothing(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    ensure(bus, Topic::Events, &[Group::Ledger]).await;
    bus.publish(Topic::Raw, vec![message("a")]).await.unwrap();
    let slow = subscription(Topic::Raw, Group::Normalizer, "first", SHORT);
    let fast = second(&slow);
    let late = claim(bus, &slow, 10).await;
    let taken_over = claim_some(bus, &fast, 10).await;
    bus.settle(&fast, vec![forwarding(&taken_over[0], Topic::Events, &["-fast"])]).await.unwrap();
    bus.settle(&slow, vec![forwarding(&late[0], Topic::Events, &["-late"])]).await.unwrap();
    assert_eq!(events(bus).await, ["a-fast"]);
    assert_eq!(bus.accepted(Topic::Events).await.unwrap().into_values().sum::<u64>(), 1);
    assert_eq!(bus.backlog(Topic::Raw, Group::Normalizer).await.unwrap().total(), 0);
}

pub async fn of_two_that_settle_one_message_one_publishes(bus: &Port) {
    ensure(bus, Topic::Raw, &[Group::Normalizer]).await;
    ensure(bus, Topic::Events, &[Group::Ledger]).await;
    bus.publish(Topic::Raw, vec![message("a")]).await.unwrap();
    let sub = subscription(Topic::Raw, Group::Normalizer, "first", SHORT);
    let other = second(&sub);
    let one = claim(bus, &sub, 10).await;
    let two = claim_some(bus, &other, 10).await;
    let settling = tokio::join!(
        bus.settle(&sub, vec![forwarding(&one[0], Topic::Events, &["-one"])]),
        bus.settle(&other, vec![forwarding(&two[0], Topic::Events, &["-two"])])
    );
    settling.0.unwrap();
    settling.1.unwrap();
    let settled = || async { (bus.backlog(Topic::Raw, sub.group).await.unwrap().total() == 0).then_some(()) };
    eventually("the message to be settled", settled).await;
    assert_eq!(events(bus).await.len(), 1);
}

/// Settles a delivery with an output per suffix. The outputs name a partition of their own, which is not heeded.
fn forwarding(delivery: &Delivery, to: Topic, suffixes: &[&str]) -> Settlement {
    let text = String::from_utf8(delivery.message.payload.to_vec()).unwrap();
    let outputs = suffixes.iter().map(|suffix| (to, message(&format!("{text}{suffix}"))));
    Settlement { tag: delivery.tag.clone(), outputs: outputs.collect() }
}

async fn events(bus: &Port) -> Vec<String> {
    sorted(texts(&drain(bus, &subscription(Topic::Events, Group::Ledger, "first", LONG)).await))
}
