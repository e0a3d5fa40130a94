//! The disk of PostgreSQL fills up: events stay on the bus until there is room.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use tempfile::TempDir;

use crate::own_engines::{Engine, OwnEngines};
use crate::trials::phases::Phases;
use crate::trials::report::Report;
use crate::trials::tmpfs::Tmpfs;
use crate::trials::{Effort, Load, Scene, Setting, Victim, scene};

/// Events before anything happens.
const BEFORE: u32 = 500;
/// An empty database, its log of up to 256 MB, and room for what is sent.
const MEGABYTES: u32 = 512;
/// So many events behind, the ledger stands still and is not merely slow.
const BEHIND: u64 = 1_000;

/// Sets its own scene: PostgreSQL has a small disk from the beginning.
pub async fn run(setting: &Setting, effort: Effort) -> anyhow::Result<Report> {
    // The outer one goes last: the inner one cannot be removed while a disk is mounted in it.
    let outer = tempfile::tempdir()?;
    let folder = tempfile::tempdir_in(&outer)?;
    let disk = Tmpfs::mount(&folder.path().join(Engine::Postgres.name()), MEGABYTES)?;
    on_disk(setting, effort, folder, &disk).await
}

async fn on_disk(setting: &Setting, effort: Effort, folder: TempDir, disk: &Tmpfs) -> anyhow::Result<Report> {
    let engines = OwnEngines::start_in(folder).await?;
    scene::on_engines(engines, setting, "disk-full", async |scene| {
        let report = fill_and_empty(scene, effort, disk).await;
        // Whatever came of it, PostgreSQL has to leave the disk before the disk can go.
        drop(disk.empty());
        report
    })
    .await
}

async fn fill_and_empty(scene: &mut Scene, effort: Effort, disk: &Tmpfs) -> anyhow::Result<Report> {
    let mut phases = Phases::begin(scene, effort, BEFORE).await?;

    phases.next();
    let mut stored = stand_still(scene, &phases.load, disk).await?;
    phases.told("filling up", stored, scene.analysed().await?);

    let before = scene.analysed().await?;
    phases.next();
    tokio::time::sleep(effort.lasting).await;
    stored = scene.stored().await.unwrap_or(stored);
    let analysed = scene.analysed().await?;
    let acknowledged = phases.told("full", stored, analysed);
    if acknowledged == 0 || analysed <= before {
        phases.broken.push(format!(
            "the disk full: {acknowledged} acknowledged, analytics from {before} to {analysed}"
        ));
    }

    phases.next();
    disk.empty()?;
    phases.notes.push(what_postgres_did(scene).await?);
    phases.end(scene, "disk-full", "room again, all ready").await
}

/// Fills the disk until the ledger is behind for good; gives how many events it holds, as far as it says so.
async fn stand_still(scene: &Scene, load: &Load, disk: &Tmpfs) -> anyhow::Result<u64> {
    let mut stored = scene.stored().await?;
    scene
        .until(async || {
            // PostgreSQL takes files away, too: what it gives up is filled again.
            disk.fill()?;
            tokio::time::sleep(Duration::from_millis(100)).await;
            // One that has ended says nothing, and has stored nothing since.
            stored = scene.stored().await.unwrap_or(stored);
            let acknowledged = u64::from(load.seen().acknowledged);
            ensure!(acknowledged >= stored + BEHIND, "the ledger still keeps pace");
            Ok(())
        })
        .await?;
    Ok(stored)
}

/// Starts PostgreSQL again if it has ended, and says so.
async fn what_postgres_did(scene: &mut Scene) -> anyhow::Result<String> {
    let name = Victim::Engine(Engine::Postgres);
    let pid = scene.engines.pid(Engine::Postgres)?;
    let ended = !Path::new(&format!("/proc/{pid}")).exists();
    scene.engines.start_again(Engine::Postgres).await?;
    let started = scene.engines.pid(Engine::Postgres)? != pid;
    Ok(match (ended, started) {
        (false, false) => format!("{name} stayed up and went on by itself"),
        _ => format!("{name} had given up and was started again"),
    })
}
