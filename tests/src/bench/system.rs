//! What is measured: a system of one shape in an empty place, a cluster on engines of its own that write through.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::bench::usage::Memory;
use crate::options::Options;
use crate::own_engines::{Engine, OwnEngines};
use crate::process::Process;
use crate::shape::Shape;
use crate::signal::family;
use crate::site::Site;
use crate::stand::{House, Keys, Stand, add_tenant};

/// How a system is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its shape.
    pub shape: Shape,
    /// Processes of each service.
    pub replicas: usize,
    /// Parts of the bus; by default as shipped.
    pub partitions: Option<u32>,
    /// Salons, each with keys of its own.
    pub tenants: usize,
    /// Settings besides.
    pub settings: Vec<(&'static str, String)>,
    /// The folder of the programs; by default the one of this program.
    pub programs: Option<PathBuf>,
}

/// It runs.
pub struct System {
    /// Its processes. First here, so that they are gone before their engines.
    pub stand: Stand,
    /// Those of a cluster.
    pub engines: Option<OwnEngines>,
    /// The keys of its salons.
    pub tenants: Vec<Keys>,
    /// How it was set up.
    pub setup: Setup,
}

impl Setup {
    /// The usual one of a shape.
    #[must_use]
    pub const fn of(shape: Shape) -> Self {
        Self { shape, replicas: 1, partitions: None, tenants: 1, settings: Vec::new(), programs: None }
    }

    /// In a few words.
    #[must_use]
    pub fn shown(&self) -> String {
        let partitions = self.partitions.map_or_else(|| "as shipped".to_owned(), |parts| parts.to_string());
        let mut words = format!("{}, {} of each service, ", self.shape, self.replicas);
        words.push_str(&format!("partitions {partitions}, tenants {}", self.tenants));
        for (key, value) in &self.settings {
            words.push_str(&format!(", {key}={value}"));
        }
        words
    }

    /// All of it.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "shape": self.shape.to_string(), "replicas": self.replicas, "partitions": self.partitions,
            "tenants": self.tenants,
            "settings": self.settings.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>(),
        })
    }
}

impl System {
    /// Starts one and waits until it is ready.
    ///
    /// # Errors
    /// Something does not start, or would not write through to the disk.
    pub async fn start(setup: &Setup) -> anyhow::Result<Self> {
        let mut options = Options::of(setup.shape).replicated(setup.replicas);
        options.programs.clone_from(&setup.programs);
        let mut engines = None;
        if setup.shape == Shape::Cluster {
            let own = OwnEngines::start().await?;
            // As shipped: tests reclaim sooner.
            options = options.on(own.addresses()).with("LETOPIS__BUS__CLAIM_TTL", "10s");
            engines = Some(own);
        }
        if let Some(partitions) = setup.partitions {
            options = options.with("LETOPIS__INGEST__PARTITIONS", partitions);
        }
        for (key, value) in &setup.settings {
            options = options.with(key, value);
        }
        let house = House::new(options).await?;
        let mut tenants = vec![house.keys.clone()];
        for number in 2..=setup.tenants {
            tenants.push(add_tenant(&house.cli, &format!("salon-{number}")).await?);
        }
        let system = Self { stand: house.open().await?, engines, tenants, setup: setup.clone() };
        if let Some(site) = &system.stand.site {
            check_durability(site).await?;
        }
        Ok(system)
    }

    /// Our processes: their names and numbers.
    ///
    /// # Errors
    /// One has ended.
    pub fn processes(&self) -> anyhow::Result<Vec<(String, u32)>> {
        let of = |process: &Process| {
            let name = process.name();
            let pid = process.pid().with_context(|| format!("{name} has ended"))?;
            Ok((name, pid))
        };
        self.stand.letopis.members().iter().map(of).collect()
    }

    /// The engines' processes, all of each.
    ///
    /// # Errors
    /// One has ended.
    pub fn engine_processes(&self) -> anyhow::Result<Vec<(&'static str, Vec<u32>)>> {
        let Some(engines) = &self.engines else { return Ok(Vec::new()) };
        let of = |engine: Engine| Ok((engine.name(), family(engines.pid(engine)?)?));
        Engine::ALL.into_iter().map(of).collect()
    }

    /// What each of our processes holds in memory.
    ///
    /// # Errors
    /// One has ended.
    pub fn memory(&self) -> anyhow::Result<Vec<(String, Memory)>> {
        self.processes()?.into_iter().map(|(name, pid)| Ok((name, Memory::of(pid)?))).collect()
    }

    /// Bytes on the disk, store by store.
    ///
    /// # Errors
    /// A store does not say, or its folder cannot be read.
    pub async fn disk(&self) -> anyhow::Result<Vec<(&'static str, u64)>> {
        let (Some(site), Some(engines)) = (&self.stand.site, &self.engines) else {
            let files = ["bus.db", "ledger.db", "analytics.db"];
            let size = |name: &'static str| Ok((name, size_of(&self.stand.data(), name)?));
            return files.into_iter().map(size).collect();
        };
        let tables = format!(
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c
             JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '{}' AND c.relkind = 'r';",
            site.name()
        );
        let parts = format!(
            "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = '{}' FORMAT TSV",
            site.name()
        );
        Ok(vec![
            ("redis", size_of(&engines.folder().join(Engine::Redis.name()), "")?),
            ("postgres", number(&site.psql(&tables).await?)?),
            ("clickhouse", number(&site.clickhouse(parts).await?)?),
        ])
    }
}

/// An engine that acknowledges before it has written gives figures that promise too much.
async fn check_durability(site: &Site) -> anyhow::Result<()> {
    let redis =
        String::from_utf8(site.redis_cli(&[], "CONFIG GET appendfsync\nCONFIG GET appendonly\n").await?)?;
    let redis: Vec<&str> = redis.split_whitespace().collect();
    ensure!(
        redis == ["appendfsync", "always", "appendonly", "yes"],
        "Redis does not write through: {redis:?}"
    );
    let postgres = String::from_utf8(site.psql("SHOW fsync; SHOW synchronous_commit;").await?)?;
    let postgres: Vec<&str> = postgres.split_whitespace().collect();
    ensure!(postgres == ["on", "on"], "PostgreSQL does not write through: {postgres:?}");
    Ok(())
}

fn number(printed: &[u8]) -> anyhow::Result<u64> {
    std::str::from_utf8(printed)?.trim().parse().context("no number")
}

/// What files whose names begin so take on the disk, with those in folders.
fn size_of(folder: &Path, prefix: &str) -> anyhow::Result<u64> {
    const BLOCK: u64 = 512;
    let mut size = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(prefix) {
            continue;
        }
        // It may have been removed since it was listed.
        let Ok(metadata) = entry.metadata() else { continue };
        size += if metadata.is_dir() { size_of(&entry.path(), "")? } else { metadata.blocks() * BLOCK };
    }
    Ok(size)
}
