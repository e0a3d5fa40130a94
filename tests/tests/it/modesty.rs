//! What the one box needs: little. Of it only: a cluster is for machines that have more, and starts beside its engines.

use std::time::{Duration, Instant};

use system_tests::{Shape, Stand};

#[tokio::test]
async fn a_start_takes_less_than_a_second_and_an_idle_server_less_than_64_megabytes() {
    let mut stand = Stand::new(Shape::OneBox).await.unwrap();
    assert!(stand.letopis.resident_bytes().unwrap() < 64 << 20, "{:?}", stand.letopis.resident_bytes());
    // The best of three: other tests run beside this one.
    let mut best = Duration::MAX;
    for _ in 0..3 {
        stand.letopis.stop().await.unwrap();
        let begun = Instant::now();
        stand.restart().await.unwrap();
        best = best.min(begun.elapsed());
    }
    assert!(best < Duration::from_secs(1), "{best:?}");
}
