//! Redis reaches `maxmemory` while nobody drains it: senders are refused, and it drains although it is full.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::shape::Service;
use crate::trials::report::{Report, Table, seconds};
use crate::trials::{Effort, Load, Scene, Verdict};

/// Events before anything happens, and after it accepts again.
const EVENTS: u32 = 500;
/// How much more than it uses Redis may take.
const ROOM: u64 = 4 << 20;
/// Refused so often, it is full and not merely slow.
const REFUSALS: u32 = 50;

/// Stops the normalizers, gives Redis little room, waits until it refuses, and starts the normalizers again.
pub async fn run(scene: &mut Scene, effort: Effort) -> anyhow::Result<Report> {
    let mut load = scene.load(effort);
    load.open_wide();
    load.reach(EVENTS).await?;
    let mut table = Table::of(&["phase", "took", "acknowledged", "503", "broken"]);
    for number in 0..2 {
        let status = scene.stand.letopis.member(Service::Normalizer, number)?.stop().await?;
        ensure!(status.success(), "normalizer-{number} ended with {status}");
    }
    let limit = used_memory(scene).await? + ROOM;
    configure(scene, limit).await?;

    load.phase();
    let begun = Instant::now();
    load.until(|seen| seen.refused >= REFUSALS).await?;
    row(&mut table, "filling up", begun, &mut load);
    let begun = Instant::now();
    tokio::time::sleep(effort.lasting).await;
    let full = row(&mut table, "full, nobody drains", begun, &mut load);

    let begun = Instant::now();
    // Ready when it can write to the bus, which is when there is room again.
    scene.stand.restart().await?;
    load.reach(load.seen().acknowledged + EVENTS).await?;
    row(&mut table, "drained, the limit stays", begun, &mut load);
    let started = Instant::now();
    let sent = load.stop().await?;
    let verdict = Verdict::on(scene, &sent, started).await?;
    scene.all_run()?;
    configure(scene, 0).await?;

    let mut broken = Vec::new();
    if full == 0 {
        broken.push("full, and nobody was refused".to_owned());
    }
    let notes = vec![format!("maxmemory {limit} bytes, {ROOM} more than it used")];
    Ok(Report { trial: "redis-full", table, notes, broken, sent, verdict })
}

/// Gives how many requests were refused.
fn row(table: &mut Table, phase: &str, begun: Instant, load: &mut Load) -> u32 {
    let (took, seen): (Duration, _) = (begun.elapsed(), load.phase());
    let counts =
        [seen.acknowledged, seen.refused, seen.unreached + seen.broken].map(|count| count.to_string());
    let [acknowledged, refused, broken] = counts;
    table.add([phase.to_owned(), seconds(took), acknowledged, refused, broken]);
    seen.refused
}

async fn used_memory(scene: &Scene) -> anyhow::Result<u64> {
    let info = String::from_utf8(scene.site()?.redis_cli(&["INFO", "memory"], "").await?)?;
    let used = info.lines().find_map(|line| line.trim().strip_prefix("used_memory:"));
    Ok(used.context("Redis does not say how much it uses")?.parse()?)
}

async fn configure(scene: &Scene, maxmemory: u64) -> anyhow::Result<()> {
    let maxmemory = maxmemory.to_string();
    scene.site()?.redis_cli(&["CONFIG", "SET", "maxmemory", &maxmemory], "").await?;
    Ok(())
}
