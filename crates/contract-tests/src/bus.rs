//! The contract of [`ports::bus::EventBus`].

pub mod books;
pub mod delivery;
pub mod many;
pub mod releasing;
pub mod settling;
pub mod waiting;

use std::time::Duration;

use ports::bus::{Delivery, EXPIRY_NOTICED_WITHIN, EventBus, Group, Settlement, Subscription, Topic};
use tokio::time::sleep;

use crate::eventually;
use crate::fixtures::{LONG, subscription};

/// The port.
pub type Port = dyn EventBus;

/// Messages the bus of `bus_bound_contract!` is to hold at the most.
pub const BOUND: u32 = 10;

/// Two named tests per clause: with claims that take what there is, and with claims that wait. `open` is the path of an
/// `async fn() -> impl World<dyn EventBus>`.
#[macro_export]
macro_rules! bus_contract {
    ($open:path) => {
        mod at_once {
            $crate::bus_clauses!($open);
        }

        mod waiting {
            $crate::bus_clauses!(waiting_world);

            async fn waiting_world() -> impl $crate::World<$crate::bus::Port> {
                $crate::bus::waiting::WaitingWorld($open().await)
            }
        }
    };
}

/// One named test per clause.
#[macro_export]
#[doc(hidden)]
macro_rules! bus_clauses {
    ($open:path) => {
        $crate::named_tests!(store, $open, $crate::bus::Port, $crate::bus::delivery:
            a_message_is_delivered_as_it_was_published
            a_dead_letter_keeps_its_origin
            an_empty_topic_gives_nothing
            a_waiting_claim_wakes_up_when_a_message_is_published
            a_claim_takes_at_most_what_it_asks_for
            large_messages_come_in_several_claims_none_lost_and_none_twice
            a_message_larger_than_a_claim_comes_all_the_same
            topics_are_apart
            messages_of_a_partition_come_in_order
            groups_do_not_see_each_other
            a_group_made_known_late_starts_at_the_oldest_message_kept
            a_group_made_known_again_stays_where_it_is
            an_expired_claim_is_delivered_again_as_the_second_attempt
            expired_claims_come_before_new_messages
            with_every_delivery_company_is_smaller_and_the_fourth_comes_alone
            a_new_message_comes_beside_few_that_come_again_and_never_beside_one_alone
            extending_keeps_a_claim_and_counts_no_attempt
            what_is_not_extended_expires_beside_what_is
            extending_what_is_settled_does_nothing);
        $crate::named_tests!(store, $open, $crate::bus::Port, $crate::bus::releasing:
            a_released_delivery_comes_back_at_once_with_the_same_attempt
            a_waiting_claim_is_handed_what_is_released
            what_is_not_released_stays_claimed_beside_what_is
            releasing_after_the_claim_was_lost_does_nothing
            releasing_twice_takes_one_attempt_back
            releasing_what_is_settled_does_nothing
            many_releases_never_exhaust_a_message
            a_released_fourth_delivery_comes_alone_again);
        $crate::named_tests!(store, $open, $crate::bus::Port, $crate::bus::settling:
            a_settled_message_is_not_delivered_again
            part_of_a_claim_can_be_settled
            settling_publishes_the_outputs
            an_output_keeps_the_partition_of_its_delivery
            outputs_of_one_settlement_go_to_several_topics
            settling_twice_publishes_once
            a_late_settlement_publishes_nothing
            of_two_that_settle_one_message_one_publishes);
        $crate::named_tests!(store, $open, $crate::bus::Port, $crate::bus::books:
            accepted_counts_each_tenant_and_topic
            accepted_still_counts_what_is_settled_and_gone
            forwarding_counts_as_accepted
            the_backlog_counts_what_is_claimed_and_what_is_not
            the_books_count_receipts_and_not_messages
            the_backlog_of_one_group_is_not_that_of_another
            the_backlog_names_the_oldest_message
            the_backlog_of_a_group_made_known_late_counts_what_is_kept
            publishing_and_settling_nothing_is_harmless
            a_bus_that_works_passes_its_probe);
        $crate::named_tests!(store, $open, $crate::bus::Port, $crate::bus::many:
            of_many_at_once_each_message_is_settled_exactly_once);
        $crate::named_tests!(world, $open, $crate::bus::Port, $crate::bus::many:
            two_consumers_never_hold_one_message
            what_was_published_survives_reopening
            what_was_settled_survives_reopening
            attempts_survive_reopening
            what_was_released_survives_reopening
            a_claim_survives_reopening);
    };
}

/// One named test. `open` gives a bus that holds [`BOUND`] messages.
#[macro_export]
macro_rules! bus_bound_contract {
    ($open:path) => {
        $crate::named_tests!(store, $open, $crate::bus::Port, $crate::bus::books:
            a_full_bus_refuses_publishing_and_still_forwards);
    };
}

async fn ensure(bus: &Port, topic: Topic, groups: &[Group]) {
    for group in groups {
        bus.ensure_group(topic, *group).await.unwrap();
    }
}

/// The subscription most clauses use.
fn normalizer() -> Subscription {
    subscription(Topic::Raw, Group::Normalizer, "first", LONG)
}

/// The same for another consumer.
fn second(sub: &Subscription) -> Subscription {
    Subscription { consumer: "second".to_owned(), ..sub.clone() }
}

async fn claim(bus: &Port, sub: &Subscription, max: usize) -> Vec<Delivery> {
    bus.claim(sub, max, Duration::ZERO).await.unwrap()
}

/// Claims again and again until something comes.
async fn claim_some(bus: &Port, sub: &Subscription, max: usize) -> Vec<Delivery> {
    let ask = || async { Some(claim(bus, sub, max).await).filter(|deliveries| !deliveries.is_empty()) };
    eventually("a delivery", ask).await
}

/// Waits until claims that were just made have expired and that must have been noticed.
async fn expire(sub: &Subscription) {
    sleep(sub.claim_ttl + EXPIRY_NOTICED_WITHIN).await;
}

async fn settle(bus: &Port, sub: &Subscription, deliveries: &[Delivery]) {
    bus.settle(sub, deliveries.iter().map(done).collect()).await.unwrap();
}

async fn release(bus: &Port, sub: &Subscription, deliveries: &[Delivery]) {
    let tags: Vec<_> = deliveries.iter().map(|delivery| delivery.tag.clone()).collect();
    bus.release(sub, &tags).await.unwrap();
}

/// Claims and settles until nothing comes.
async fn drain(bus: &Port, sub: &Subscription) -> Vec<Delivery> {
    let mut all = Vec::new();
    loop {
        let deliveries = claim(bus, sub, 100).await;
        if deliveries.is_empty() {
            return all;
        }
        settle(bus, sub, &deliveries).await;
        all.extend(deliveries);
    }
}

fn done(delivery: &Delivery) -> Settlement {
    Settlement { tag: delivery.tag.clone(), outputs: Vec::new() }
}

/// The payloads, which are texts here.
fn texts(deliveries: &[Delivery]) -> Vec<String> {
    deliveries.iter().map(|delivery| String::from_utf8(delivery.message.payload.to_vec()).unwrap()).collect()
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}
