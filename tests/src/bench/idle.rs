//! What it costs when nothing happens.

use std::time::Duration;

use serde_json::json;

use crate::bench::accept::{mebibytes, megabytes};
use crate::bench::latency::rounded;
use crate::bench::report::Asked;
use crate::bench::usage::Snapshot;
use crate::bench::{Bench, Machine, Setup, Sheet};
use crate::shape::Shape;

/// After the start, until caches are filled and probes have been answered.
const SETTLE: Duration = Duration::from_secs(5);

/// Starts a system, sends nothing and looks at it for so long.
///
/// # Errors
/// It does not start, or a process ends.
pub async fn run(machine: &Machine, setup: &Setup, lasting: Duration) -> anyhow::Result<Sheet> {
    let bench = Bench::start_cold(setup).await?;
    tokio::time::sleep(SETTLE).await;
    let before = Snapshot::take()?;
    tokio::time::sleep(lasting).await;
    let after = Snapshot::take()?;

    let (spent, memory) = (bench.spent(&before, &after)?, bench.system.memory()?);
    let percent = |seconds: f64| seconds * 100.0 / after.passed(&before);
    let mut sheet = Sheet::of(format!("idle: {}", setup.shown()));
    sheet.line(
        "looked at",
        format!("for {:.0} s, {:.0} s after the start", lasting.as_secs_f64(), SETTLE.as_secs_f64()),
    );
    let mut processes = Vec::new();
    for ((name, cpu), (_, memory)) in spent.services.iter().zip(&memory) {
        let (cpu, peak) = (percent(cpu.total()), mebibytes(memory.peak));
        let resident = mebibytes(memory.resident);
        sheet.line(
            name.clone(),
            format!("{cpu:.2} % of a core, {resident:.0} MiB, at its peak {peak:.0} MiB"),
        );
        processes.push(json!({
            "process": name, "cpu_percent": rounded(cpu), "resident_bytes": memory.resident, "peak_bytes": memory.peak,
        }));
    }
    for (name, cpu) in &spent.engines {
        sheet.line(*name, format!("{:.2} % of a core", percent(cpu.total())));
        processes.push(json!({"engine": name, "cpu_percent": rounded(percent(cpu.total()))}));
    }
    sheet.json = json!({"setup": setup.json(), "seconds": lasting.as_secs(), "processes": processes});
    sheet.note_noise(machine, &before, &after, &bench.known()?);
    if setup.shape == Shape::OneBox {
        sheet.against("one box: idle CPU", Asked::Below(0.5), percent(spent.ours().total()), "%");
        let resident = memory.iter().map(|(_, memory)| memory.resident).max().unwrap_or_default();
        sheet.against("one box: idle memory", Asked::Below(64.0), megabytes(resident), "MB");
    }
    Ok(sheet)
}
