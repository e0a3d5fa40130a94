//! Order and repetition change nothing.

use simulator::Delivery;
use system_tests::{House, Options, Shape};

use crate::answers::{answers_to, days, disturbed};

on_both_shapes! {
    any_order_and_any_repetition_of_the_same_events_gives_the_same_answers
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
