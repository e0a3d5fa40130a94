//! Order and repetition change nothing.

use std::collections::BTreeSet;

use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use simulator::Delivery;
use system_tests::{House, Options, Shape};

use crate::answers::{Answers, answers_of, answers_to, days, disturbed};
use crate::doors::{DOORS, Door, bodies, sent};

on_both_shapes! {
    any_order_and_any_repetition_of_the_same_events_gives_the_same_answers
    any_order_and_any_repetition_of_what_messengers_send_gives_the_same_answers
}

/// The salon's days as they happened, shuffled and partly repeated: the answers of the read API must be the same.
async fn any_order_and_any_repetition_of_the_same_events_gives_the_same_answers(shape: Shape) {
    // One key makes one set of pseudonyms and derived ids, so that answers can be compared as they are.
    let house = House::new(Options::of(shape)).await.unwrap();
    for seed in 0..2 {
        let deliveries: Vec<Delivery> = days(seed, 3);
        let in_order = answers_to(&house, shape, &deliveries).await;
        let shuffled = answers_to(&house, shape, &disturbed(&deliveries, seed)).await;
        in_order.assert_same(&shuffled, &format!("seed {seed}")).await;
    }
}

/// What messengers of all kinds send, as they send it, in one order and then in another with a third of it repeated. Every order
/// there is is tried on the one box alone, without HTTP, by its own tests; here it is the processes of both shapes.
async fn any_order_and_any_repetition_of_what_messengers_send_gives_the_same_answers(shape: Shape) {
    let house = House::new(Options::of(shape)).await.unwrap();
    let straight = dated();
    let mut dice = ChaCha8Rng::seed_from_u64(5);
    let mut shuffled = straight.clone();
    shuffled.extend_from_within(..straight.len() / 3);
    shuffled.shuffle(&mut dice);
    let straight = answers_to_bodies(&house, shape, &straight).await;
    let shuffled = answers_to_bodies(&house, shape, &shuffled).await;
    assert_eq!(straight.books["quarantined"], 0, "{}", straight.books);
    straight.assert_same(&shuffled, "bodies of messengers").await;
}

/// The bodies kept for every kind whose events carry a time of their own, for arrival is another each time; and of made-up
/// examples that share a number, the first.
fn dated() -> Vec<(SourceKind, Vec<u8>)> {
    let at = |second| Timestamp::from_unix_seconds(second).unwrap();
    let mut known = BTreeSet::new();
    let all = DOORS.iter().flat_map(|(kind, _)| bodies(*kind).into_iter().map(|body| (*kind, body)));
    all.filter(|(kind, body)| {
        let [early, late] =
            [at(1_800_000_000), at(1_900_000_000)].map(|at| channels::parse(*kind, body, at).unwrap());
        let numbers: Vec<_> = early.iter().map(|seen| (*kind, seen.native_id.clone())).collect();
        let is_new = numbers.iter().all(|number| !known.contains(number));
        known.extend(numbers);
        is_new && early == late
    })
    .collect()
}

async fn answers_to_bodies(house: &House, shape: Shape, all: &[(SourceKind, Vec<u8>)]) -> Answers {
    let stand = house.twin(Options::of(shape)).await.unwrap().open().await.unwrap();
    let mut doors = Vec::new();
    for (kind, _) in DOORS {
        doors.push(Door::open(&stand, kind).await);
    }
    for (kind, body) in all {
        let door = doors.iter().find(|door| door.kind == *kind).unwrap();
        let (status, said) = sent(door.delivery(&stand, &door.secret, body)).await;
        // Whose sender speaks HTTP of our kind is told that it is accepted; messengers know one word.
        let thanks = if *kind == SourceKind::Cloudevents { 202 } else { 200 };
        assert_eq!(status, thanks, "{kind}: {said}");
    }
    answers_of(stand).await
}
