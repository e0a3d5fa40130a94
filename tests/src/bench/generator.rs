//! Sends requests made beforehand over a number of connections, and times each.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::task::JoinSet;

use crate::bench::latency::Latencies;
use crate::bench::pace::Pace;
use crate::bench::wire::Connection;

/// Before a connection is opened anew.
const BREATH: Duration = Duration::from_millis(10);
/// A connection that broke so often in a row has nobody at its other end.
const MOST_BREAKS: u32 = 100;

/// How requests are sent.
#[derive(Clone, Copy, Debug)]
pub struct Sending {
    /// Connections, kept open.
    pub connections: usize,
    /// Requests a second, whatever is answered; without, each connection sends as soon as it is answered.
    pub per_second: Option<f64>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Sent {
    /// When the first byte was sent.
    pub began: Instant,
    /// When the last answer was read.
    pub ended: Instant,
    /// From when a request was due (in a closed loop: sent) until it was answered. Of those with the wanted status.
    pub latencies: Latencies,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests whose connection broke.
    pub broken: u64,
    /// The numbers of the requests that did not get the wanted status.
    pub refused: Vec<usize>,
    /// The body of the first such answer, for the reader.
    pub first_refusal: Option<String>,
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    times: Vec<Duration>,
    statuses: BTreeMap<u16, u64>,
    broken: u64,
    refused: Vec<usize>,
    first_refusal: Option<String>,
}

/// Sends all of them, each once, to these addresses in turn; `wanted` is the status of success.
///
/// # Errors
/// Nobody listens, or nobody answers any more.
pub async fn send(
    to: &[SocketAddr],
    requests: Arc<Vec<Vec<u8>>>,
    sending: Sending,
    wanted: u16,
) -> anyhow::Result<Sent> {
    ensure!(!to.is_empty(), "nobody to send to");
    let mut connections = Vec::new();
    for address in to.iter().cycle().take(sending.connections) {
        connections.push(Connection::open(*address).await?);
    }
    let began = Instant::now();
    let pace = Arc::new(match sending.per_second {
        None => Pace::closed(requests.len()),
        Some(rate) => Pace::open(requests.len(), rate, sending.connections),
    });
    let mut senders = JoinSet::new();
    for connection in connections {
        senders.spawn(send_some(connection, pace.clone(), requests.clone(), wanted));
    }
    let mut all = Seen::default();
    while let Some(ended) = senders.join_next().await {
        all.add(ended.context("a sender panicked")??);
    }
    let ended = Instant::now();
    let Seen { times, statuses, broken, refused, first_refusal } = all;
    Ok(Sent { began, ended, latencies: Latencies::of(times), statuses, broken, refused, first_refusal })
}

async fn send_some(
    mut connection: Connection,
    pace: Arc<Pace>,
    requests: Arc<Vec<Vec<u8>>>,
    wanted: u16,
) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    let mut breaks_in_a_row = 0;
    while let Some((number, due)) = pace.next().await {
        match connection.exchange(&requests[number]).await {
            Ok(status) => {
                breaks_in_a_row = 0;
                *seen.statuses.entry(status).or_default() += 1;
                if status == wanted {
                    seen.times.push(due.elapsed());
                } else {
                    seen.refused.push(number);
                    let body = || String::from_utf8_lossy(connection.body()).into_owned();
                    seen.first_refusal.get_or_insert_with(body);
                }
            }
            Err(cause) => {
                breaks_in_a_row += 1;
                ensure!(breaks_in_a_row < MOST_BREAKS, "nobody answers any more: {cause:#}");
                seen.broken += 1;
                seen.refused.push(number);
                seen.first_refusal.get_or_insert_with(|| format!("{cause:#}"));
                tokio::time::sleep(BREATH).await;
                // The next exchange says so if it cannot.
                drop(connection.reopen().await);
            }
        }
    }
    Ok(seen)
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.times.extend(other.times);
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.broken += other.broken;
        self.refused.extend(other.refused);
        self.first_refusal = self.first_refusal.take().or(other.first_refusal);
    }
}

impl Sent {
    /// How long it took, from the first byte to the last answer.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.ended - self.began
    }

    /// `all 202`, or how many got what.
    #[must_use]
    pub fn answers(&self) -> String {
        let of = |(status, count): (&u16, &u64)| format!("{status} × {count}");
        let mut words: Vec<String> = self.statuses.iter().map(of).collect();
        if self.broken > 0 {
            words.push(format!("broken × {}", self.broken));
        }
        if let Some(first) = &self.first_refusal {
            words.push(format!("the first refusal: {}", first.chars().take(300).collect::<String>()));
        }
        words.join(", ")
    }
}
