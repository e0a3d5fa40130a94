//! How many events are taken a second, how long each request waits, and how soon all of them are stored.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bench::check::{Check, figures};
use crate::bench::generator::{Sending, Sent};
use crate::bench::latency::{float, milliseconds, per_second, rounded};
use crate::bench::report::Asked;
use crate::bench::traffic::Traffic;
use crate::bench::usage::{Memory, Snapshot};
use crate::bench::{Bench, Machine, Setup, Sheet, Spent};
use crate::shape::Shape;

/// What is sent, and how.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Events.
    pub events: u64,
    /// In each request; 1 sends single objects.
    pub batch: u64,
    /// Connections.
    pub connections: usize,
    /// Events a second; without, as many as are taken.
    pub rate: Option<f64>,
    /// Conversations they belong to.
    pub sessions: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Accepted {
    /// What the generator saw.
    pub sent: Sent,
    /// Events that were acknowledged.
    pub events: u64,
    /// Bytes of an event, with its share of the request.
    pub event_bytes: u64,
    /// From the first byte until all were in the ledger.
    pub ledger: Duration,
    /// And in analytics.
    pub analytics: Duration,
    /// The processor time until then.
    pub spent: Spent,
    /// What each of our processes held then.
    pub memory: Vec<(String, Memory)>,
    /// Whether all that was acknowledged is there.
    pub check: Check,
    before: Snapshot,
    after: Snapshot,
}

/// Starts a system and measures it.
///
/// # Errors
/// It cannot be measured.
pub async fn run(machine: &Machine, setup: &Setup, plan: Plan) -> anyhow::Result<Sheet> {
    let mut bench = Bench::start(setup).await?;
    on(&mut bench, machine, plan).await
}

/// Measures a running system.
///
/// # Errors
/// It cannot be measured.
pub async fn on(bench: &mut Bench, machine: &Machine, plan: Plan) -> anyhow::Result<Sheet> {
    let accepted = measure(bench, plan).await?;
    sheet(bench, machine, plan, &accepted)
}

/// The same without a sheet.
///
/// # Errors
/// It cannot be measured.
pub async fn measure(bench: &mut Bench, plan: Plan) -> anyhow::Result<Accepted> {
    let traffic = Traffic::of_now(bench.next_run(), plan.sessions);
    let requests = traffic.requests(0..plan.events, plan.batch, &bench.ingest_keys())?;
    let bytes: usize = requests.iter().map(Vec::len).sum();
    let (held, shown) = (bench.stores.held().await?, figures(&bench.system).await?);
    let per_second = plan.rate.map(|rate| rate / float(plan.batch));

    let before = Snapshot::take()?;
    let sent = bench.send(requests, Sending { connections: plan.connections, per_second }).await?;
    let numbers = acknowledged(plan, &sent, bench.system.tenants.len());
    let events = u64::try_from(numbers.len())?;
    let stored = bench.stored(held, events).await?;
    let after = Snapshot::take()?;

    let spent = bench.spent(&before, &after)?;
    let memory = bench.system.memory()?;
    let check = Check::of(&bench.system, &traffic, &numbers, shown).await?;
    let (ledger, analytics) = (stored.ledger - sent.began, stored.analytics - sent.began);
    let event_bytes = u64::try_from(bytes)? / plan.events.max(1);
    Ok(Accepted { sent, events, event_bytes, ledger, analytics, spent, memory, check, before, after })
}

/// The events whose requests were taken, each with the tenant it was sent for.
fn acknowledged(plan: Plan, sent: &Sent, tenants: usize) -> Vec<(u64, usize)> {
    let mut refused = sent.refused.clone();
    refused.sort_unstable();
    let request = |number: u64| usize::try_from(number / plan.batch).unwrap_or(usize::MAX);
    let all = (0..plan.events).map(|number| (number, request(number)));
    let taken = all.filter(|(_, request)| refused.binary_search(request).is_err());
    taken.map(|(number, request)| (number, request % tenants)).collect()
}

impl Accepted {
    /// Requests answered a second.
    #[must_use]
    pub fn requests_per_second(&self) -> f64 {
        per_second(u64::try_from(self.sent.latencies.count()).unwrap_or(u64::MAX), self.sent.took())
    }

    /// Events acknowledged a second.
    #[must_use]
    pub fn events_per_second(&self) -> f64 {
        per_second(self.events, self.sent.took())
    }

    /// Events stored a second, in the store that was the later one.
    #[must_use]
    pub fn stored_per_second(&self) -> f64 {
        per_second(self.events, self.ledger.max(self.analytics))
    }

    /// Processor seconds of all our processes for a hundred thousand events.
    #[must_use]
    pub fn cpu_per_100_000(&self) -> f64 {
        self.spent.ours().per_100_000(self.events)
    }

    fn json(&self) -> Value {
        let of_memory = |(name, memory): &(String, Memory)| {
            let Memory { resident, peak } = memory;
            json!({"process": name, "resident_bytes": resident, "peak_bytes": peak})
        };
        json!({
            "events": self.events, "event_bytes": self.event_bytes, "took_s": rounded(self.sent.took().as_secs_f64()),
            "requests_per_second": rounded(self.requests_per_second()),
            "events_per_second": rounded(self.events_per_second()),
            "latency": self.sent.latencies.json(), "statuses": self.sent.statuses, "broken": self.sent.broken,
            "ledger_s": rounded(self.ledger.as_secs_f64()), "analytics_s": rounded(self.analytics.as_secs_f64()),
            "ledger_per_second": rounded(per_second(self.events, self.ledger)),
            "analytics_per_second": rounded(per_second(self.events, self.analytics)),
            "check": self.check.json(),
            "cpu_s_per_100_000": rounded(self.cpu_per_100_000()),
            "cpu": {
                "services": self.spent.services.iter().map(|(name, cpu)| json!({"process": name, "cpu": cpu.json()}))
                    .collect::<Vec<_>>(),
                "engines": self.spent.engines.iter().map(|(name, cpu)| json!({"engine": name, "cpu": cpu.json()}))
                    .collect::<Vec<_>>(),
                "generator": self.spent.generator.json(),
            },
            "memory": self.memory.iter().map(of_memory).collect::<Vec<_>>(),
        })
    }
}

fn sheet(bench: &Bench, machine: &Machine, plan: Plan, accepted: &Accepted) -> anyhow::Result<Sheet> {
    let setup = &bench.system.setup;
    let way =
        plan.rate.map_or_else(|| "closed loop".to_owned(), |rate| format!("open loop, {rate} events/s"));
    let mut sheet = Sheet::of(format!("accept, {} an event a request: {}", plan.batch, setup.shown()));
    let Plan { events, batch, connections, sessions, .. } = plan;
    sheet.line(
        "sent",
        format!("{events} events, {batch} a request, {connections} connections, {sessions} sessions, {way}"),
    );
    sheet.line("bytes", format!("{} an event, heads of requests included", accepted.event_bytes));
    sheet.line("answers", accepted.sent.answers());
    sheet.line(
        "accepted",
        format!(
            "{:.0} requests/s, {:.0} events/s, over {:.2} s",
            accepted.requests_per_second(),
            accepted.events_per_second(),
            accepted.sent.took().as_secs_f64()
        ),
    );
    sheet.line("latency", accepted.sent.latencies.shown(&[50, 90, 99]));
    for (store, took) in [("ledger", accepted.ledger), ("analytics", accepted.analytics)] {
        let rate = per_second(accepted.events, took);
        sheet.line(
            store,
            format!("{rate:.0} events/s: all of them {:.2} s after the first byte", took.as_secs_f64()),
        );
    }
    sheet.line("check", accepted.check.shown());
    add_costs(&mut sheet, accepted);
    sheet.note_noise(machine, &accepted.before, &accepted.after, &bench.known()?);
    add_targets(&mut sheet, setup.shape, plan, accepted);
    sheet.json = json!({
        "setup": setup.json(), "batch": batch, "connections": connections, "sessions": sessions, "rate": plan.rate,
        "accepted": accepted.json(),
    });
    Ok(sheet)
}

fn add_costs(sheet: &mut Sheet, accepted: &Accepted) {
    let spent = &accepted.spent;
    let of = |cpu: crate::bench::usage::Cpu| {
        format!(
            "{:.2} s a 100,000 events ({:.2} user + {:.2} system)",
            cpu.per_100_000(accepted.events),
            cpu.user,
            cpu.system
        )
    };
    sheet.line("CPU, ours", of(spent.ours()));
    for (name, cpu) in &spent.services {
        sheet.line(format!("  {name}"), of(*cpu));
    }
    if !spent.engines.is_empty() {
        sheet.line("CPU, engines", of(spent.engines()));
    }
    for (name, cpu) in &spent.engines {
        sheet.line(format!("  {name}"), of(*cpu));
    }
    sheet.line("CPU, generator", of(spent.generator));
    for (name, memory) in &accepted.memory {
        let (now, peak) = (mebibytes(memory.resident), mebibytes(memory.peak));
        sheet.line(format!("memory, {name}"), format!("{now:.0} MiB, at its peak {peak:.0} MiB"));
    }
}

/// What the issue about speed asks of one small machine.
fn add_targets(sheet: &mut Sheet, shape: Shape, plan: Plan, accepted: &Accepted) {
    // An open loop accepts what it sends.
    if plan.rate.is_some() || !matches!(plan.batch, 1 | 100) {
        return;
    }
    let is_single = plan.batch == 1;
    let way = if is_single { "single" } else { "batched" };
    let (accept, stored, cpu) = match (shape, is_single) {
        (Shape::Cluster, true) => (15_000.0, 12_000.0, 8.0),
        (Shape::Cluster, false) => (80_000.0, 20_000.0, 3.0),
        (Shape::OneBox, true) => (5_000.0, 5_000.0, 8.0),
        (Shape::OneBox, false) => (15_000.0, 15_000.0, 3.0),
    };
    let (events, seconds) = ("events/s", "s");
    sheet.against(
        format!("{shape}: accepted, {way}"),
        Asked::AtLeast(accept),
        accepted.events_per_second(),
        events,
    );
    if shape == Shape::Cluster && is_single {
        let p99 = milliseconds(accepted.sent.latencies.percentile(99));
        sheet.against(format!("{shape}: accepted, {way}, p99"), Asked::Below(20.0), p99, "ms");
    }
    sheet.against(
        format!("{shape}: in both stores, {way}"),
        Asked::AtLeast(stored),
        accepted.stored_per_second(),
        events,
    );
    let came_to = accepted.cpu_per_100_000();
    sheet.against(format!("{shape}: CPU of ours a 100,000, {way}"), Asked::Below(cpu), came_to, seconds);
    let peak = accepted.memory.iter().map(|(_, memory)| memory.peak).max().unwrap_or_default();
    let largest = format!("{shape}: memory of the largest process, {way}");
    sheet.against(largest, Asked::Below(128.0), megabytes(peak), "MB");
}

/// 2^20 bytes.
pub(super) fn mebibytes(bytes: u64) -> f64 {
    float(bytes) / 1_048_576.0
}

/// 10^6 bytes.
pub(super) fn megabytes(bytes: u64) -> f64 {
    float(bytes) / 1_000_000.0
}
