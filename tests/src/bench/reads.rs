//! How soon questions are answered when much is stored.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::bench::accept::megabytes;
use crate::bench::generator::{self, Sending, Sent};
use crate::bench::latency::milliseconds;
use crate::bench::report::Asked;
use crate::bench::traffic::Traffic;
use crate::bench::usage::Snapshot;
use crate::bench::{Bench, Machine, Setup, Sheet, wire};

/// How many ask at once.
const AT_ONCE: [usize; 2] = [1, 8];
/// Events in the requests that fill the store.
const BATCH: u64 = 100;
const FOUND: u16 = 200;

/// What is stored and asked.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Events of the last thirty days.
    pub events: u64,
    /// Conversations they belong to.
    pub sessions: u64,
    /// Questions of each kind, by each number of askers.
    pub requests: usize,
}

/// How questions of one kind were answered.
#[derive(Debug)]
pub struct Asking {
    /// `timeline` or `overview`.
    pub question: &'static str,
    /// How many asked at once.
    pub at_once: usize,
    /// What was answered.
    pub sent: Sent,
}

/// Starts a system, fills it and measures it.
///
/// # Errors
/// It cannot be measured.
pub async fn run(machine: &Machine, setup: &Setup, plan: Plan) -> anyhow::Result<Sheet> {
    let mut bench = Bench::start(setup).await?;
    let traffic = Traffic::of_a_month(bench.next_run(), plan.sessions);
    bench.fill(&traffic, plan.events, BATCH).await?;

    let before = Snapshot::take()?;
    let asked = ask(&bench, &traffic, plan.events, plan.requests).await?;
    let after = Snapshot::take()?;
    let disk = bench.system.disk().await?;

    let mut sheet = Sheet::of(format!("reads: {}", setup.shown()));
    sheet.line("stored", format!("{} events of {} conversations in 30 days", plan.events, plan.sessions));
    for asking in &asked {
        let latencies = &asking.sent.latencies;
        let name = format!("{}, {} at once", asking.question, asking.at_once);
        sheet.line(name, format!("{}  ({})", latencies.shown(&[50, 95, 99]), asking.sent.answers()));
        let limit = if asking.question == "timeline" { 20.0 } else { 100.0 };
        let name = format!("{}: {}, {} at once, p95", setup.shape, asking.question, asking.at_once);
        sheet.against(name, Asked::Below(limit), milliseconds(latencies.percentile(95)), "ms");
    }
    sheet.line("on the disk", shown(&disk));
    sheet.note_noise(machine, &before, &after, &bench.known()?);
    let of = |asking: &Asking| {
        json!({
            "question": asking.question, "at_once": asking.at_once, "latency": asking.sent.latencies.json(),
            "statuses": asking.sent.statuses,
        })
    };
    sheet.json = json!({
        "setup": setup.json(), "events": plan.events, "sessions": plan.sessions, "disk_bytes": disk_json(&disk),
        "asked": asked.iter().map(of).collect::<Vec<_>>(),
    });
    Ok(sheet)
}

/// Asks for timelines of random conversations of what was stored, and for overviews of the last thirty days.
///
/// # Errors
/// Nobody answers.
pub async fn ask(
    bench: &Bench,
    traffic: &Traffic,
    events: u64,
    requests: usize,
) -> anyhow::Result<Vec<Asking>> {
    let sessions = traffic.sessions.min(events);
    let tenants = &bench.system.tenants;
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let timelines = (0..requests).map(|_| {
        let session = random.random_range(0..sessions);
        // The request that brought its first event was sent for this tenant.
        let tenant = usize::try_from(session / BATCH)? % tenants.len();
        let keys = tenants.get(tenant).context("no tenant")?;
        Ok(wire::get(&keys.read, &format!("/v1/sessions/{}", traffic.session(session))))
    });
    let timelines = Arc::new(timelines.collect::<anyhow::Result<Vec<_>>>()?);
    let overviews = tenants.iter().cycle().take(requests).map(|keys| wire::get(&keys.read, "/v1/overview"));
    let overviews = Arc::new(overviews.collect::<Vec<_>>());
    let desks = bench.system.stand.letopis.addresses().desks;
    let mut asked = Vec::new();
    for at_once in AT_ONCE {
        for (question, requests) in [("timeline", &timelines), ("overview", &overviews)] {
            let sending = Sending { connections: at_once, per_second: None };
            let sent = generator::send(&desks, requests.clone(), sending, FOUND).await?;
            ensure!(sent.refused.is_empty(), "{question}: {}", sent.answers());
            asked.push(Asking { question, at_once, sent });
        }
    }
    Ok(asked)
}

/// `postgres 12.3 MB, …`
pub(super) fn shown(disk: &[(&'static str, u64)]) -> String {
    let of = |(store, bytes): &(&str, u64)| format!("{store} {:.1} MB", megabytes(*bytes));
    disk.iter().map(of).collect::<Vec<_>>().join(", ")
}

pub(super) fn disk_json(disk: &[(&'static str, u64)]) -> Value {
    disk.iter()
        .map(|(store, bytes)| ((*store).to_owned(), json!(bytes)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
