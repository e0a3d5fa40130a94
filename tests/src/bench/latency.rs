//! How long things took, every single one of them.

use std::time::Duration;

use serde_json::{Value, json};

/// Times of requests, sorted.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Of these times, in any order.
    #[must_use]
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.0.len()
    }

    /// The time that this many hundredths of the requests did not exceed; zero without requests.
    #[must_use]
    pub fn percentile(&self, hundredths: usize) -> Duration {
        let rank = (self.0.len() * hundredths).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or_default()
    }

    /// The longest.
    #[must_use]
    pub fn max(&self) -> Duration {
        self.percentile(100)
    }

    /// In milliseconds.
    #[must_use]
    pub fn json(&self) -> Value {
        let at = |hundredths| rounded(milliseconds(self.percentile(hundredths)));
        json!({
            "count": self.count(), "p50_ms": at(50), "p90_ms": at(90), "p95_ms": at(95), "p99_ms": at(99),
            "max_ms": at(100),
        })
    }

    /// `p50 1.20  p90 2.00  p99 4.10  max 9.00 ms`, of these hundredths and the longest.
    #[must_use]
    pub fn shown(&self, hundredths: &[usize]) -> String {
        let one = |at: &usize| format!("p{at} {:.2}", milliseconds(self.percentile(*at)));
        let several: Vec<String> = hundredths.iter().map(one).collect();
        format!("{}  max {:.2} ms", several.join("  "), milliseconds(self.max()))
    }
}

/// As a number of milliseconds.
#[must_use]
pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// So many in so long, a second.
#[must_use]
pub fn per_second(count: u64, took: Duration) -> f64 {
    float(count) / took.as_secs_f64().max(f64::EPSILON)
}

/// A count as a number to reckon with.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "what is counted here stays far below 2^53")]
pub const fn float(count: u64) -> f64 {
    count as f64
}

/// Three digits behind the point: what is behind them was not measured.
#[must_use]
pub fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let times = Latencies::of((1..=100).rev().map(Duration::from_millis).collect());
        assert_eq!(times.percentile(50), Duration::from_millis(50));
        assert_eq!(times.percentile(99), Duration::from_millis(99));
        assert_eq!(times.max(), Duration::from_millis(100));
        assert_eq!(Latencies::default().max(), Duration::ZERO);
    }
}
