//! The kill test: events at full speed while the process is killed and started again.
//!
//! The promise under test: what was answered with 2xx is there, once, and nothing else is.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::api::{Api, escape};
use crate::events;
use crate::stand::Stand;

/// What a sender waits before it tries the same event again.
const RETRY: Duration = Duration::from_millis(10);
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// How many readers fetch timelines at once.
const READERS: u32 = 8;

/// How hard to try.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Events to get accepted.
    pub events: u32,
    /// Conversations they belong to.
    pub sessions: u32,
    /// Kills, at the least.
    pub kills: u32,
    /// Connections that send. Every fourth sends batches.
    pub connections: u32,
    /// Decides when to kill.
    pub seed: u64,
}

/// One kill.
#[derive(Clone, Copy, Debug)]
pub struct Kill {
    /// How long after the start.
    pub after: Duration,
    /// Events acknowledged until then.
    pub acknowledged: u32,
    /// How long until the next process was ready.
    pub ready_after: Duration,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The kills, in order.
    pub kills: Vec<Kill>,
    /// How long sending took, kills included.
    pub sending: Duration,
    /// How long the books took to balance with nothing in flight, after the last answer.
    pub settling: Duration,
    /// The books at the end.
    pub books: Value,
    /// Acknowledged events that cannot be read.
    pub lost: u32,
    /// Events that can be read, or are counted, beyond those sent.
    pub extra: u32,
}

impl Outcome {
    /// Whether the promise was kept.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.lost == 0 && self.extra == 0 && self.books["balanced"] == true && self.books["in_flight"] == 0
    }
}

/// Sends, kills, waits for the books, reads everything back.
pub async fn run(stand: &mut Stand, plan: Plan) -> anyhow::Result<Outcome> {
    let begun = Instant::now();
    let progress = Arc::new(Progress { next: AtomicU32::new(0), acknowledged: AtomicU32::new(0) });
    let mut senders = JoinSet::new();
    for connection in 0..plan.connections {
        let size = if connection % 4 == 3 { 20 } else { 1 };
        let sender = Sender {
            api: stand.api.clone(),
            key: stand.keys.ingest.clone(),
            progress: progress.clone(),
            plan,
            size,
        };
        senders.spawn(sender.run());
    }
    let kills = kill_now_and_then(stand, plan, &progress, begun).await?;
    while let Some(ended) = senders.join_next().await {
        ended.context("a sender panicked")??;
    }
    let sending = begun.elapsed();
    let answered = Instant::now();
    let books = stand.settled().await?;
    let settling = answered.elapsed();
    let (lost, extra) = read_back(stand, plan).await?;
    Ok(Outcome { kills, sending, settling, books, lost, extra })
}

struct Progress {
    next: AtomicU32,
    acknowledged: AtomicU32,
}

struct Sender {
    api: Api,
    key: String,
    progress: Arc<Progress>,
    plan: Plan,
    size: u32,
}

impl Sender {
    async fn run(self) -> anyhow::Result<()> {
        loop {
            let first = self.progress.next.fetch_add(self.size, Ordering::Relaxed);
            if first >= self.plan.events {
                return Ok(());
            }
            let last = (first + self.size).min(self.plan.events);
            let event = |number| events::numbered(0, number, self.plan.sessions);
            let body = if self.size == 1 { event(first) } else { (first..last).map(event).collect() };
            self.deliver(&body).await?;
            self.progress.acknowledged.fetch_add(last - first, Ordering::Relaxed);
        }
    }

    /// Sends until it is answered with 2xx. Anything else than a refusal for now is a fault of the server.
    async fn deliver(&self, body: &Value) -> anyhow::Result<()> {
        loop {
            match self.api.send(&self.key, body).await {
                Ok(answer) if answer.status == 202 => return Ok(()),
                Ok(answer) => ensure!(answer.status == 503, "answered {answer:?}"),
                Err(_not_reached) => {}
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// Kills at moments drawn over the whole run: each is a number of acknowledged events and a few milliseconds more.
async fn kill_now_and_then(
    stand: &mut Stand,
    plan: Plan,
    progress: &Progress,
    begun: Instant,
) -> anyhow::Result<Vec<Kill>> {
    let mut dice = ChaCha8Rng::seed_from_u64(plan.seed);
    let part = plan.events / (plan.kills + 1);
    let mut kills = Vec::new();
    for number in 0..plan.kills {
        let at = number * part + dice.random_range(0..part);
        while progress.acknowledged.load(Ordering::Relaxed) < at {
            ensure!(stand.letopis.is_running(), "the server ended by itself");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        tokio::time::sleep(Duration::from_micros(dice.random_range(0..20_000))).await;
        stand.letopis.kill().await?;
        let (after, killed) = (begun.elapsed(), Instant::now());
        let acknowledged = progress.acknowledged.load(Ordering::Relaxed);
        stand.restart().await?;
        kills.push(Kill { after, acknowledged, ready_after: killed.elapsed() });
    }
    Ok(kills)
}

/// Reads every timeline there is; counts what is missing and what should not be there.
async fn read_back(stand: &Stand, plan: Plan) -> anyhow::Result<(u32, u32)> {
    let sessions = stand.api.all(&stand.keys.read, "/v1/sessions?limit=200", "sessions").await?;
    let counted: u64 = sessions.iter().filter_map(|session| session["events"].as_u64()).sum();
    let ids: Vec<String> = sessions.iter().filter_map(|row| row["id"].as_str().map(str::to_owned)).collect();
    ensure!(ids.len() == sessions.len(), "a session without an id");
    let mut readers = JoinSet::new();
    let share = ids.len().div_ceil(usize::try_from(READERS)?).max(1);
    for part in ids.chunks(share) {
        readers.spawn(read_timelines(stand.api.clone(), stand.keys.read.clone(), part.to_vec()));
    }
    let mut found = Vec::new();
    while let Some(read) = readers.join_next().await {
        found.extend(read.context("a reader panicked")??);
    }
    let mut missing: HashSet<String> = (0..plan.events).map(|number| events::id(0, number)).collect();
    let surplus = found.iter().filter(|id| !missing.remove(*id)).count();
    let miscounted = counted.saturating_sub(u64::try_from(found.len())?);
    Ok((u32::try_from(missing.len())?, u32::try_from(surplus)? + u32::try_from(miscounted)?))
}

async fn read_timelines(api: Api, key: String, sessions: Vec<String>) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for session in sessions {
        let path = format!("/v1/sessions/{}?limit=200", escape(&session));
        let events = api.all(&key, &path, "events").await?;
        found.extend(events.iter().filter_map(|event| event["id"].as_str().map(str::to_owned)));
    }
    Ok(found)
}
