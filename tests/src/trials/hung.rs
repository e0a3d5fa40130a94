//! Every engine in turn hangs: its connections stay open and nothing answers.

use std::time::{Duration, Instant};

use crate::own_engines::Engine;
use crate::trials::report::{Report, Table, seconds};
use crate::trials::{Effort, Load, Scene, Verdict, Victim};

/// Events before anything happens, and after each engine.
const BETWEEN: u32 = 200;

/// SIGSTOP to one engine after the other, and SIGCONT.
pub async fn run(scene: &mut Scene, effort: Effort) -> anyhow::Result<Report> {
    let mut load = scene.load(effort);
    load.open_wide();
    let mut table = Table::of(&[
        "hung",
        "for",
        "acknowledged meanwhile",
        "503",
        "broken",
        "taken again in",
        "ready again in",
        "longest wait",
    ]);
    let mut broken = Vec::new();
    for engine in Engine::ALL {
        load.reach(load.seen().acknowledged + BETWEEN).await?;
        hang(scene, &mut load, engine, effort.lasting, &mut table, &mut broken).await?;
    }
    let started = Instant::now();
    let sent = load.stop().await?;
    let verdict = Verdict::on(scene, &sent, started).await?;
    scene.all_run()?;
    Ok(Report { trial: "hung", table, notes: Vec::new(), broken, sent, verdict })
}

async fn hang(
    scene: &mut Scene,
    load: &mut Load,
    engine: Engine,
    lasting: Duration,
    table: &mut Table,
    broken: &mut Vec<String>,
) -> anyhow::Result<()> {
    load.phase();
    scene.engines.freeze(engine).await?;
    tokio::time::sleep(lasting).await;
    let during = load.phase();
    scene.all_run()?;
    let thawed = Instant::now();
    scene.engines.thaw(engine).await?;
    load.reach(load.seen().acknowledged + BETWEEN).await?;
    let taken = thawed.elapsed();
    scene.ready().await?;
    let ready = thawed.elapsed();
    let after = load.phase();
    // Without the bus nothing can be promised; without a store everything can.
    if engine != Engine::Redis && during.acknowledged == 0 {
        broken.push(format!("{} hung: nothing was acknowledged", Victim::Engine(engine)));
    }
    table.add([
        Victim::Engine(engine).to_string(),
        seconds(lasting),
        during.acknowledged.to_string(),
        (during.refused + after.refused).to_string(),
        (during.unreached + during.broken + after.unreached + after.broken).to_string(),
        seconds(taken),
        seconds(ready),
        seconds(during.slowest.max(after.slowest)),
    ]);
    Ok(())
}
