//! Every process in turn is told to stop under load, as an update does it, and started again.

use std::time::Instant;

use crate::trials::report::{Report, Table, seconds};
use crate::trials::{Effort, Scene, Verdict};

/// Events before anything happens, and between one process and the next.
const BETWEEN: u32 = 200;

/// SIGTERM to one after the other.
pub async fn run(scene: &mut Scene, effort: Effort) -> anyhow::Result<Report> {
    let names: Vec<String> = scene.stand.letopis.members().iter().map(|member| member.name()).collect();
    let mut load = scene.load(effort);
    load.open_wide();
    let mut table = Table::of(&[
        "SIGTERM to",
        "ended in",
        "ready again in",
        "acknowledged meanwhile",
        "503",
        "nobody there",
        "broken",
    ]);
    let mut broken = Vec::new();
    for name in names {
        load.reach(load.seen().acknowledged + BETWEEN).await?;
        load.phase();
        let told = Instant::now();
        let member = scene.member(&name)?;
        let status = member.stop().await?;
        let ended = told.elapsed();
        if !status.success() {
            broken.push(format!("{name} ended with {status}"));
        }
        let begun = Instant::now();
        member.restart().await?;
        let seen = load.phase();
        table.add([
            name,
            seconds(ended),
            seconds(begun.elapsed()),
            seen.acknowledged.to_string(),
            seen.refused.to_string(),
            seen.unreached.to_string(),
            seen.broken.to_string(),
        ]);
    }
    let started = Instant::now();
    let sent = load.stop().await?;
    let verdict = Verdict::on(scene, &sent, started).await?;
    scene.all_run()?;
    let notes = vec!["Who finds nobody, or a connection broken, tries the other process.".to_owned()];
    Ok(Report { trial: "rolling", table, notes, broken, sent, verdict })
}
