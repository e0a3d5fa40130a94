//! ClickHouse refuses to insert, as it does when merges cannot keep up: events wait, and the ledger goes on.

use anyhow::ensure;

use crate::trials::phases::Phases;
use crate::trials::report::Report;
use crate::trials::{Effort, Scene};

/// Events before anything happens.
const BEFORE: u32 = 500;

/// Has every table refuse as soon as it has one part, for a while.
pub async fn run(scene: &mut Scene, effort: Effort) -> anyhow::Result<Report> {
    let mut phases = Phases::begin(scene, effort, BEFORE).await?;
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
    phases.next();
    tokio::time::sleep(effort.lasting).await;
    let (stored_later, analysed_later) = (scene.stored().await?, scene.analysed().await?);
    let acknowledged = phases.told("refusing", stored_later, analysed_later);
    // An insert that was under way may still have come through.
    if analysed_later > analysed + (stored_later - stored) / 2 {
        phases
            .broken
            .push(format!("it did not refuse: {analysed_later} events in analytics, {analysed} before"));
    }
    if acknowledged == 0 || stored_later <= stored {
        phases
            .broken
            .push(format!("refusing: {acknowledged} acknowledged, ledger from {stored} to {stored_later}"));
    }

    phases.next();
    for name in &tables {
        let settings = "parts_to_delay_insert, parts_to_throw_insert";
        alter(scene, format!("ALTER TABLE {name} RESET SETTING {settings}")).await?;
        alter(scene, format!("SYSTEM START MERGES {name}")).await?;
    }
    phases.end(scene, "too-many-parts", "taking again, all ready").await
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
