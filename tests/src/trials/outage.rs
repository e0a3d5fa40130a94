//! One store is down for a while, then the other: events are taken meanwhile, and the store that is up gets them.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::own_engines::Engine;
use crate::trials::report::{Report, Table, seconds};
use crate::trials::{Effort, Load, Scene, Verdict, Victim};

/// Events before anything happens.
const BEFORE: u32 = 200;

/// Takes PostgreSQL away and brings it back, then ClickHouse.
pub async fn run(scene: &mut Scene, effort: Effort) -> anyhow::Result<Report> {
    let mut load = scene.load(effort);
    load.open_wide();
    load.reach(BEFORE).await?;
    let mut table = Table::of(&[
        "down",
        "for",
        "acknowledged meanwhile",
        "503",
        "in the other store: before",
        "after a sixth of it",
        "at the end",
        "ready again in",
    ]);
    let mut broken = Vec::new();
    for (down, up) in [(Engine::Postgres, Engine::ClickHouse), (Engine::ClickHouse, Engine::Postgres)] {
        take_away(scene, &mut load, (down, up), effort.lasting, &mut table, &mut broken).await?;
    }
    let started = Instant::now();
    let sent = load.stop().await?;
    let verdict = Verdict::on(scene, &sent, started).await?;
    scene.all_run()?;
    Ok(Report { trial: "outage", table, notes: Vec::new(), broken, sent, verdict })
}

async fn take_away(
    scene: &mut Scene,
    load: &mut Load,
    (down, up): (Engine, Engine),
    lasting: Duration,
    table: &mut Table,
    broken: &mut Vec<String>,
) -> anyhow::Result<()> {
    let victims = [(Victim::Engine(down), 0)];
    let before = scene.held(up).await?;
    load.phase();
    let killed = Instant::now();
    scene.kill(&victims).await?;
    let soon = held_beyond(scene, up, before, killed + lasting / 6).await?;
    let late = held_beyond(scene, up, soon, killed + lasting).await?;
    let seen = load.phase();
    scene.all_run()?;
    let lasted = killed.elapsed();
    let begun = Instant::now();
    scene.start_again(&victims).await?;
    let name = Victim::Engine(down);
    if seen.acknowledged == 0 {
        broken.push(format!("{name} down: nothing was acknowledged"));
    }
    if soon <= before || late <= soon {
        broken.push(format!("{name} down: the other store stood still: {before}, {soon}, {late} events"));
    }
    table.add([
        name.to_string(),
        seconds(lasted),
        seen.acknowledged.to_string(),
        seen.refused.to_string(),
        before.to_string(),
        soon.to_string(),
        late.to_string(),
        seconds(begun.elapsed()),
    ]);
    Ok(())
}

/// How many events a store holds at some instant; when these are not more than before, later, as soon as they are.
async fn held_beyond(scene: &Scene, store: Engine, before: u64, at: Instant) -> anyhow::Result<u64> {
    tokio::time::sleep_until(at.into()).await;
    // It need not keep pace on a small machine, but it goes on.
    let grown = scene.until(async || {
        let held = scene.held(store).await?;
        ensure!(held > before, "the other store stands still");
        Ok(held)
    });
    Ok(grown.await.unwrap_or(before))
}
