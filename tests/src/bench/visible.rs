//! How soon an event is in the timeline, from the moment it should have been sent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;
use tokio::task::JoinSet;

use crate::bench::latency::{Latencies, milliseconds};
use crate::bench::pace::Pace;
use crate::bench::report::Asked;
use crate::bench::traffic::Traffic;
use crate::bench::usage::Snapshot;
use crate::bench::wire::{self, Connection};
use crate::bench::{Bench, Machine, Setup, Sheet, TAKEN};

/// Watchers: many more than events are under way at once.
const WATCHERS: usize = 32;
/// Between two looks at the timeline; the runtime's timer makes it one to two milliseconds.
const LOOK_EVERY: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(10);

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Events a second, each of a conversation of its own.
    pub rate: f64,
    /// For how long.
    pub lasting: Duration,
}

/// What one watcher saw.
#[derive(Default)]
struct Seen {
    accepted: Vec<Duration>,
    visible: Vec<Duration>,
    looks: u64,
}

/// A request for an event, and the one that shows it.
struct Pair {
    post: Vec<u8>,
    get: Vec<u8>,
}

/// Starts a system and measures it.
///
/// # Errors
/// It cannot be measured.
pub async fn run(machine: &Machine, setup: &Setup, plan: Plan) -> anyhow::Result<Sheet> {
    let mut bench = Bench::start(setup).await?;
    let pairs = Arc::new(pairs(&mut bench, plan)?);
    let addresses = bench.system.stand.letopis.addresses();
    let mut connections = Vec::new();
    for watcher in 0..WATCHERS {
        let door = addresses.doors.get(watcher % addresses.doors.len()).context("no door")?;
        let desk = addresses.desks.get(watcher % addresses.desks.len()).context("no desk")?;
        connections.push((Connection::open(*door).await?, Connection::open(*desk).await?));
    }

    let before = Snapshot::take()?;
    let pace = Arc::new(Pace::open(pairs.len(), plan.rate, WATCHERS));
    let mut watchers = JoinSet::new();
    for (door, desk) in connections {
        watchers.spawn(watch(door, desk, pace.clone(), pairs.clone()));
    }
    let mut all = Seen::default();
    while let Some(ended) = watchers.join_next().await {
        let seen = ended.context("a watcher panicked")??;
        all.accepted.extend(seen.accepted);
        all.visible.extend(seen.visible);
        all.looks += seen.looks;
    }
    let after = Snapshot::take()?;

    let (accepted, visible) = (Latencies::of(all.accepted), Latencies::of(all.visible));
    let mut sheet = Sheet::of(format!("visible: {}", setup.shown()));
    let seconds = plan.lasting.as_secs_f64();
    sheet.line("sent", format!("{} events/s for {seconds:.0} s, each a conversation of its own", plan.rate));
    sheet.line("accepted", accepted.shown(&[50, 90, 99]));
    sheet.line("visible", visible.shown(&[50, 90, 99]));
    sheet.line("looks", format!("{} at timelines", all.looks));
    sheet.note_noise(machine, &before, &after, &bench.known()?);
    let shape = setup.shape;
    for (hundredths, limit) in [(50, 15.0), (99, 60.0)] {
        let came_to = milliseconds(visible.percentile(hundredths));
        sheet.against(format!("{shape}: POST to visible, p{hundredths}"), Asked::Below(limit), came_to, "ms");
    }
    sheet.json = json!({
        "setup": setup.json(), "rate": plan.rate, "seconds": seconds, "accepted": accepted.json(),
        "visible": visible.json(), "looks": all.looks,
    });
    Ok(sheet)
}

fn pairs(bench: &mut Bench, plan: Plan) -> anyhow::Result<Vec<Pair>> {
    let mut numbers = 0..;
    let times = std::iter::repeat_with(|| numbers.next().unwrap_or_default());
    let last = times.take_while(|number| f64::from(*number) < plan.rate * plan.lasting.as_secs_f64()).count();
    let events = u64::try_from(last)?;
    let traffic = Traffic::of_now(bench.next_run(), events.max(1));
    let posts = traffic.requests(0..events, 1, &bench.ingest_keys())?;
    let mut tenants = bench.system.tenants.iter().cycle();
    let pair = |(number, post): (u64, Vec<u8>)| {
        let keys = tenants.next().context("no tenant")?;
        let get = wire::get(&keys.read, &format!("/v1/sessions/{}", traffic.session(number)));
        Ok(Pair { post, get })
    };
    (0..).zip(posts).map(pair).collect()
}

async fn watch(
    mut door: Connection,
    mut desk: Connection,
    pace: Arc<Pace>,
    pairs: Arc<Vec<Pair>>,
) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    while let Some((number, due)) = pace.next().await {
        let pair = &pairs[number];
        // The server closes what was idle for long.
        let status = match door.exchange(&pair.post).await {
            Ok(status) => status,
            Err(_closed) => {
                door.reopen().await?;
                door.exchange(&pair.post).await?
            }
        };
        ensure!(status == TAKEN, "answered {status}: {}", String::from_utf8_lossy(door.body()));
        seen.accepted.push(due.elapsed());
        let sent = Instant::now();
        loop {
            seen.looks += 1;
            match desk.exchange(&pair.get).await {
                Ok(200) => break,
                Ok(404) => {}
                Ok(status) => anyhow::bail!("answered {status}: {}", String::from_utf8_lossy(desk.body())),
                Err(_closed) => desk.reopen().await?,
            }
            ensure!(sent.elapsed() < PATIENCE, "an event is not visible after {PATIENCE:?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        seen.visible.push(due.elapsed());
    }
    Ok(seen)
}
