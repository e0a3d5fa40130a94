//! The kill test: events at full speed while all processes are killed at once and started again.
//!
//! The promise under test: what was answered with 2xx is there, once, and nothing else is.

use std::time::{Duration, Instant};

use anyhow::ensure;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde_json::Value;

use crate::stand::Stand;
use crate::trials::load::{self, Load};
use crate::trials::read_back::{self, Difference};
use crate::trials::told;

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
    /// How long until all of them were ready again.
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
    pub lost: u64,
    /// Events that can be read, or are counted, beyond those sent.
    pub extra: u64,
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
    let Plan { connections, sessions, events, .. } = plan;
    let senders = load::Plan { connections, sessions, rate: None, event: told::event };
    let mut load = Load::new(&stand.api, &stand.keys.ingest, senders);
    load.open(events);
    let kills = kill_now_and_then(stand, plan, &mut load, begun).await?;
    let sent = load.finish().await?;
    ensure!(sent.seen.odd == 0, "answered {:?}", sent.seen.odd_answers);
    let sending = begun.elapsed();
    let answered = Instant::now();
    let books = stand.settled().await?;
    let settling = answered.elapsed();
    let Difference { lost, extra, miscounted } =
        read_back::ledger(&stand.api, &stand.keys.read, events).await?;
    let (lost, extra) = (u64::try_from(lost.len())?, u64::try_from(extra.len())? + miscounted);
    Ok(Outcome { kills, sending, settling, books, lost, extra })
}

/// Kills at moments drawn over the whole run: each is a number of acknowledged events and a few milliseconds more.
async fn kill_now_and_then(
    stand: &mut Stand,
    plan: Plan,
    load: &mut Load,
    begun: Instant,
) -> anyhow::Result<Vec<Kill>> {
    let mut dice = ChaCha8Rng::seed_from_u64(plan.seed);
    let part = plan.events / (plan.kills + 1);
    let mut kills = Vec::new();
    for number in 0..plan.kills {
        let at = number * part + dice.random_range(0..part);
        load.reach(at).await?;
        ensure!(stand.letopis.is_running(), "a process ended by itself");
        tokio::time::sleep(Duration::from_micros(dice.random_range(0..20_000))).await;
        stand.letopis.kill().await?;
        let (after, killed) = (begun.elapsed(), Instant::now());
        let acknowledged = load.seen().acknowledged;
        stand.restart().await?;
        kills.push(Kill { after, acknowledged, ready_after: killed.elapsed() });
    }
    Ok(kills)
}
