//! How costs grow: with what is stored, with salons, with parts of the bus.

use anyhow::ensure;
use serde_json::{Value, json};

use crate::bench::accept::{self, Accepted};
use crate::bench::latency::{milliseconds, rounded};
use crate::bench::reads::{self, Asking};
use crate::bench::traffic::Traffic;
use crate::bench::usage::Snapshot;
use crate::bench::{Bench, Machine, Setup, Sheet};
use crate::trials::report::Table;

/// Events of one conversation of what is stored.
const EVENTS_A_SESSION: u64 = 5;
const TENANTS: [usize; 3] = [1, 10, 100];
const PARTITIONS: [u32; 4] = [1, 2, 4, 8];
const QUESTIONS: usize = 200;
const HEADINGS: [&str; 8] = [
    "what",
    "single/s",
    "single p99 ms",
    "batched/s",
    "stored single/s",
    "stored batched/s",
    "CPU s/100k single",
    "CPU s/100k batched",
];

/// What grows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum By {
    /// Events stored.
    Stored,
    /// Salons: 1, 10, 100.
    Tenants,
    /// Parts of the bus: 1, 2, 4, 8.
    Partitions,
}

/// What is measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Events sent at each step, single and then batched.
    pub events: u64,
    /// Events stored, step by step, each beginning with what the one before has stored.
    pub stored: Vec<u64>,
}

/// A step: the two ways of sending.
struct Step {
    name: String,
    single: Accepted,
    batched: Accepted,
}

/// Measures how costs grow by one thing.
///
/// # Errors
/// Something cannot be measured.
pub async fn run(machine: &Machine, setup: &Setup, by: By, plan: &Plan) -> anyhow::Result<Sheet> {
    match by {
        By::Stored => by_stored(machine, setup, plan).await,
        By::Tenants => {
            let set = |setup: &mut Setup, tenants| setup.tenants = tenants;
            by_setup(machine, setup, plan, ("tenants", &TENANTS), set).await
        }
        By::Partitions => {
            let set = |setup: &mut Setup, parts| setup.partitions = Some(parts);
            by_setup(machine, setup, plan, ("partitions", &PARTITIONS), set).await
        }
    }
}

async fn by_stored(machine: &Machine, setup: &Setup, plan: &Plan) -> anyhow::Result<Sheet> {
    let mut bench = Bench::start(setup).await?;
    let before = Snapshot::take()?;
    let mut table = Table::of(&HEADINGS);
    let mut reading = Table::of(&["stored", "timeline p95 ms", "overview p95 ms", "on the disk"]);
    let mut rows = Vec::new();
    let mut stored = 0;
    for &total in &plan.stored {
        ensure!(total > stored, "each step stores more than the one before");
        let traffic = Traffic::of_a_month(bench.next_run(), (total - stored).div_ceil(EVENTS_A_SESSION));
        bench.fill(&traffic, total - stored, 100).await?;
        stored = total;
        let asked = reads::ask(&bench, &traffic, traffic.sessions, QUESTIONS).await?;
        let disk = bench.system.disk().await?;
        let step = step(&mut bench, plan, format!("{total} stored")).await?;
        let p95 = |question: &str| {
            let alone = |asking: &&Asking| asking.question == question && asking.at_once == 1;
            let one = asked.iter().find(alone).map(|asking| asking.sent.latencies.percentile(95));
            milliseconds(one.unwrap_or_default())
        };
        let (timeline, overview) = (p95("timeline"), p95("overview"));
        reading.add([
            total.to_string(),
            format!("{timeline:.2}"),
            format!("{overview:.2}"),
            reads::shown(&disk),
        ]);
        let mut row = step.json();
        row["timeline_p95_ms"] = json!(rounded(timeline));
        row["overview_p95_ms"] = json!(rounded(overview));
        row["disk_bytes"] = reads::disk_json(&disk);
        rows.push(row);
        table.add(step.row());
    }
    let mut sheet = Sheet::of(format!("growth, by events stored: {}", setup.shown()));
    sheet.line("", format!("{} events at each step\n{table}\n{reading}", plan.events));
    sheet.json = json!({"setup": setup.json(), "by": "stored", "rows": rows});
    sheet.note_noise(machine, &before, &Snapshot::take()?, &bench.known()?);
    Ok(sheet)
}

async fn by_setup<T: Copy + ToString>(
    machine: &Machine,
    setup: &Setup,
    plan: &Plan,
    (what, values): (&str, &[T]),
    set: fn(&mut Setup, T),
) -> anyhow::Result<Sheet> {
    let mut table = Table::of(&HEADINGS);
    let mut rows = Vec::new();
    let mut sheet = Sheet::of(format!("growth, by {what}: {}", setup.shown()));
    for value in values {
        let mut this = setup.clone();
        set(&mut this, *value);
        let mut bench = Bench::start(&this).await?;
        let before = Snapshot::take()?;
        let step = step(&mut bench, plan, format!("{} {what}", value.to_string())).await?;
        let noise = std::mem::take(&mut sheet.noise);
        sheet.note_noise(machine, &before, &Snapshot::take()?, &bench.known()?);
        sheet.noise.extend(noise);
        table.add(step.row());
        rows.push(step.json());
    }
    sheet.noise.sort_unstable();
    sheet.noise.dedup();
    sheet.line("", format!("{} events at each step\n{table}", plan.events));
    sheet.json = json!({"setup": setup.json(), "by": what, "rows": rows});
    Ok(sheet)
}

async fn step(bench: &mut Bench, plan: &Plan, name: String) -> anyhow::Result<Step> {
    let plan =
        |batch| accept::Plan { events: plan.events, batch, connections: 64, rate: None, sessions: 2000 };
    let single = accept::measure(bench, plan(1)).await?;
    let batched = accept::measure(bench, plan(100)).await?;
    Ok(Step { name, single, batched })
}

impl Step {
    fn row(&self) -> [String; 8] {
        let Self { name, single, batched } = self;
        [
            name.clone(),
            format!("{:.0}", single.events_per_second()),
            format!("{:.2}", milliseconds(single.sent.latencies.percentile(99))),
            format!("{:.0}", batched.events_per_second()),
            format!("{:.0}", single.stored_per_second()),
            format!("{:.0}", batched.stored_per_second()),
            format!("{:.2}", single.cpu_per_100_000()),
            format!("{:.2}", batched.cpu_per_100_000()),
        ]
    }

    fn json(&self) -> Value {
        let of = |accepted: &Accepted| {
            json!({
                "events_per_second": rounded(accepted.events_per_second()),
                "stored_per_second": rounded(accepted.stored_per_second()),
                "latency": accepted.sent.latencies.json(),
                "cpu_s_per_100_000": rounded(accepted.cpu_per_100_000()),
                "check": accepted.check.json(),
            })
        };
        json!({"what": self.name, "single": of(&self.single), "batched": of(&self.batched)})
    }
}
