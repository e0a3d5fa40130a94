//! ClickHouse refuses to insert, as it does when merges cannot keep up: events wait, and the ledger goes on.

use std::time::Instant;

use anyhow::ensure;

use crate::trials::report::{Report, Table, seconds};
use crate::trials::{Effort, Load, Scene, Verdict};

/// Events before anything happens.
const BEFORE: u32 = 500;

/// Has every table refuse as soon as it has one part, for a while.
pub async fn run(scene: &mut Scene, effort: Effort) -> anyhow::Result<Report> {
    let mut load = scene.load(effort);
    load.open_wide();
    load.reach(BEFORE).await?;
    let mut table = Table::of(&["phase", "took", "acknowledged", "503", "in the ledger", "in analytics"]);
    let mut broken = Vec::new();
    // A table without a part would take one more.
    scene
        .until(async || {
            ensure!(scene.analysed().await? > 0, "nothing is in analytics yet");
            Ok(())
        })
        .await?;

    let tables = tables(scene).await?;
    for name in &tables {
        alter(scene, format!("SYSTEM STOP MERGES {name}")).await?;
        let setting = "parts_to_delay_insert = 1, parts_to_throw_insert = 1";
        alter(scene, format!("ALTER TABLE {name} MODIFY SETTING {setting}")).await?;
    }
    let (stored, analysed) = (scene.stored().await?, scene.analysed().await?);
    load.phase();
    let begun = Instant::now();
    tokio::time::sleep(effort.lasting).await;
    let (stored_later, analysed_later) = (scene.stored().await?, scene.analysed().await?);
    let acknowledged = row(&mut table, "refusing", begun, &mut load, stored_later, analysed_later);
    // An insert that was under way may still have come through.
    if analysed_later > analysed + (stored_later - stored) / 2 {
        broken.push(format!("it did not refuse: {analysed_later} events in analytics, {analysed} before"));
    }
    if acknowledged == 0 || stored_later <= stored {
        broken.push(format!("refusing: {acknowledged} acknowledged, ledger from {stored} to {stored_later}"));
    }

    let begun = Instant::now();
    for name in &tables {
        let settings = "parts_to_delay_insert, parts_to_throw_insert";
        alter(scene, format!("ALTER TABLE {name} RESET SETTING {settings}")).await?;
        alter(scene, format!("SYSTEM START MERGES {name}")).await?;
    }
    let started = Instant::now();
    scene.ready().await?;
    row(
        &mut table,
        "taking again, all ready",
        begun,
        &mut load,
        scene.stored().await?,
        scene.analysed().await?,
    );
    let sent = load.stop().await?;
    let verdict = Verdict::on(scene, &sent, started).await?;
    scene.all_run()?;
    Ok(Report { trial: "too-many-parts", table, notes: Vec::new(), broken, sent, verdict })
}

fn row(table: &mut Table, phase: &str, begun: Instant, load: &mut Load, stored: u64, analysed: u64) -> u32 {
    let (took, seen) = (begun.elapsed(), load.phase());
    table.add([
        phase.to_owned(),
        seconds(took),
        seen.acknowledged.to_string(),
        seen.refused.to_string(),
        stored.to_string(),
        analysed.to_string(),
    ]);
    seen.acknowledged
}

/// What events go into, quoted.
async fn tables(scene: &Scene) -> anyhow::Result<Vec<String>> {
    let database = scene.site()?.name();
    let query = format!(
        "SELECT name FROM system.tables WHERE database = '{database}' AND engine LIKE '%MergeTree'
         AND name != 'schema_migrations' FORMAT TSV"
    );
    let names = String::from_utf8(scene.site()?.clickhouse(query).await?)?;
    Ok(names.lines().map(|name| format!("`{database}`.`{name}`")).collect())
}

async fn alter(scene: &Scene, statement: String) -> anyhow::Result<()> {
    scene.site()?.clickhouse(statement).await?;
    Ok(())
}
