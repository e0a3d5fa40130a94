//! Private engines, to be killed and frozen: real ones, durable, started by `scripts/engines`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use tokio::process::Command;

use crate::engines::Engines;
use crate::signal::{Signal, family, send};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/engines");
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// One of the engines.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Engine {
    /// The bus.
    Redis,
    /// The ledger.
    Postgres,
    /// Analytics.
    ClickHouse,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Redis, Self::Postgres, Self::ClickHouse];

    /// Its name for `scripts/engines`, and of its folder.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Postgres => "postgres",
            Self::ClickHouse => "clickhouse",
        }
    }
}

/// Engines of one test. They write through to the disk; dropping them stops them and removes what they kept.
pub struct OwnEngines {
    addresses: Engines,
    folder: TempDir,
}

impl OwnEngines {
    /// Starts all three on free ports.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_in(tempfile::tempdir()?).await
    }

    /// The same in a folder that was prepared: with another disk mounted at that of an engine, for instance.
    pub async fn start_in(folder: TempDir) -> anyhow::Result<Self> {
        let nowhere = Engines { redis: String::new(), postgres: String::new(), clickhouse: String::new() };
        // Made first, so that those that start are stopped when one does not.
        let mut engines = Self { addresses: nowhere, folder };
        let (redis, postgres, clickhouse) = tokio::try_join!(
            engines.script("start", Engine::Redis, &["--durable"]),
            engines.script("start", Engine::Postgres, &["--durable"]),
            engines.script("start", Engine::ClickHouse, &["--durable"]),
        )?;
        engines.addresses = Engines { redis, postgres, clickhouse };
        Ok(engines)
    }

    /// Where they are; the same over restarts.
    #[must_use]
    pub fn addresses(&self) -> Engines {
        self.addresses.clone()
    }

    /// The folder of everything they keep on the disk.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts one on its data and its port, after a kill or a stop, and waits until it answers.
    pub async fn start_again(&self, engine: Engine) -> anyhow::Result<()> {
        let address = self.script("start", engine, &["--durable"]).await?;
        let before = match engine {
            Engine::Redis => &self.addresses.redis,
            Engine::Postgres => &self.addresses.postgres,
            Engine::ClickHouse => &self.addresses.clickhouse,
        };
        ensure!(address == *before, "{} came back at {address}, it was at {before}", engine.name());
        Ok(())
    }

    /// Asks one to stop, and waits until it has.
    pub async fn stop(&self, engine: Engine) -> anyhow::Result<()> {
        self.script("stop", engine, &[]).await?;
        Ok(())
    }

    /// Kills one on the spot with everything it started, and waits until it is gone.
    pub async fn kill(&self, engine: Engine) -> anyhow::Result<()> {
        let family = self.family(engine)?;
        send(Signal::Kill, &family).await?;
        while family.iter().any(|pid| is_running(*pid)) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Stops the clock of one and everything it started: connections stay open and nothing answers.
    pub async fn freeze(&self, engine: Engine) -> anyhow::Result<()> {
        send(Signal::Freeze, &self.family(engine)?).await
    }

    /// Lets a frozen one go on.
    pub async fn thaw(&self, engine: Engine) -> anyhow::Result<()> {
        send(Signal::Thaw, &self.family(engine)?).await
    }

    /// The process of one, the first of its family.
    pub fn pid(&self, engine: Engine) -> anyhow::Result<u32> {
        let file: PathBuf = self.folder().join(engine.name()).join("pid");
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        text.lines().next().unwrap_or_default().trim().parse().context("no number in the pid file")
    }

    fn family(&self, engine: Engine) -> anyhow::Result<Vec<u32>> {
        family(self.pid(engine)?)
    }

    async fn script(&self, verb: &str, engine: Engine, more: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(SCRIPT);
        command.args([verb, engine.name()]).arg(self.folder()).args(more);
        let output = command.output().await.with_context(|| format!("cannot run {SCRIPT}"))?;
        ensure!(
            output.status.success(),
            "scripts/engines {verb} {}: {}",
            engine.name(),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}

impl Drop for OwnEngines {
    /// What cannot be stopped goes on; `scripts/engines` says why.
    fn drop(&mut self) {
        for engine in Engine::ALL {
            let mut command = std::process::Command::new(SCRIPT);
            drop(command.args(["stop", engine.name()]).arg(self.folder.path()).output());
        }
    }
}

/// Whether it is there and not merely waiting for its parent to notice that it ended.
fn is_running(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z') && !line.contains('X'))
}
