//! When a request is due: when the one before it was answered, or when the clock says so.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// Between two requests of a high rate the clock sleeps no shorter than this: waking costs processor time, too.
const SHORTEST_NAP: Duration = Duration::from_micros(200);

/// Hands out the numbers of requests, from 0, to many connections.
#[derive(Debug)]
pub struct Pace {
    requests: usize,
    next: AtomicUsize,
    /// Of an open loop.
    clock: Option<Clock>,
}

#[derive(Debug)]
struct Clock {
    began: Instant,
    interval: Duration,
    due: Arc<Semaphore>,
}

impl Pace {
    /// A closed loop: whoever asks gets a number at once.
    #[must_use]
    pub const fn closed(requests: usize) -> Self {
        Self { requests, next: AtomicUsize::new(0), clock: None }
    }

    /// An open loop: this many requests a second, whatever becomes of them, from now on.
    #[must_use]
    pub fn open(requests: usize, per_second: f64, connections: usize) -> Self {
        let interval = Duration::from_secs_f64(1.0 / per_second);
        let due = Arc::new(Semaphore::new(0));
        let began = Instant::now();
        let clock = Clock { began, interval, due: due.clone() };
        let weak = Arc::downgrade(&due);
        // Not a timer of the runtime: it counts in milliseconds.
        std::thread::spawn(move || strike(&weak, began, interval, requests, connections));
        Self { requests, next: AtomicUsize::new(0), clock: Some(clock) }
    }

    /// The next number and when it is due, once it is; none when all are taken.
    pub async fn next(&self) -> Option<(usize, Instant)> {
        if let Some(clock) = &self.clock {
            // Never closed.
            clock.due.acquire().await.ok()?.forget();
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let due = self.clock.as_ref().map_or_else(Instant::now, |clock| clock.due(number));
        (number < self.requests).then_some((number, due))
    }
}

impl Clock {
    fn due(&self, number: usize) -> Instant {
        due(self.began, self.interval, number)
    }
}

fn due(began: Instant, interval: Duration, number: usize) -> Instant {
    began + interval.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Lets requests go as they fall due, until all have gone or nobody sends any more.
#[expect(clippy::disallowed_methods, reason = "a thread of its own, which does nothing else")]
fn strike(
    semaphore: &Weak<Semaphore>,
    began: Instant,
    interval: Duration,
    requests: usize,
    connections: usize,
) {
    let mut gone = 0;
    while gone < requests {
        let now = Instant::now();
        let ready = (gone..requests).take_while(|number| due(began, interval, *number) <= now).count();
        let Some(semaphore) = semaphore.upgrade() else { return };
        semaphore.add_permits(ready);
        drop(semaphore);
        gone += ready;
        let nap = due(began, interval, gone).saturating_duration_since(Instant::now());
        std::thread::sleep(nap.max(SHORTEST_NAP));
    }
    // Each connection asks once more and learns that that was all.
    if let Some(semaphore) = semaphore.upgrade() {
        semaphore.add_permits(connections);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_open_loop_hands_out_each_number_once_and_not_before_it_is_due() {
        let pace = Pace::open(5, 500.0, 1);
        let mut numbers = Vec::new();
        while let Some((number, due)) = pace.next().await {
            assert!(due <= Instant::now());
            numbers.push(number);
        }
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn a_closed_loop_ends() {
        let pace = Pace::closed(1);
        assert_eq!(pace.next().await.map(|(number, _)| number), Some(0));
        assert!(pace.next().await.is_none());
    }
}
