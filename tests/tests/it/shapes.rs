//! The shapes, held against each other: whoever asks cannot tell which one answers.

use system_tests::{House, Options, Shape};

use crate::answers::{answers_to, days, disturbed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_shapes_answer_everything_alike_whatever_the_order_they_were_told_in() {
    // One key makes one set of pseudonyms and derived ids, so that answers can be compared as they are.
    let house = House::new(Options::of(Shape::OneBox)).await.unwrap();
    let deliveries = days(11, 5);
    // Told each in an order of its own, and repeating other things, as many of them.
    let (one, other) = (disturbed(&deliveries, 1), disturbed(&deliveries, 2));
    let one_box = answers_to(&house, Shape::OneBox, &one).await;
    let cluster = answers_to(&house, Shape::Cluster, &other).await;
    one_box.assert_same(&cluster, "one box on the left, cluster on the right").await;
    assert_eq!(one_box.books, cluster.books);
}
