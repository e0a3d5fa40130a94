//! Where a trial takes place.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures_util::future::try_join_all;
use serde_json::Value;

use crate::options::Options;
use crate::own_engines::{Engine, OwnEngines};
use crate::process::Process;
use crate::shape::Shape;
use crate::site::Site;
use crate::stand::Stand;
use crate::trials::load::{Load, Plan};
use crate::trials::{Effort, Report, Victim, read_back, told};

/// Of every service.
const REPLICAS: usize = 2;
/// How long anything may take to come about: long enough to say how much too late it was.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often to look whether something has come about: seldom enough not to be in its way.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How a scene is set.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    /// The folder of the programs; by default the one of this program.
    pub programs: Option<PathBuf>,
    /// Where everything printed is kept when a promise is broken: a folder for each trial.
    pub keep: Option<PathBuf>,
    /// Settings of all processes, over those of tests.
    pub settings: Vec<(&'static str, String)>,
}

/// A cluster with two processes of every service, on engines that may be killed.
pub struct Scene {
    /// The cluster. First here, so that it is gone before its engines.
    pub stand: Stand,
    /// Its engines, durable ones.
    pub engines: OwnEngines,
}

/// Sets a scene, tries, and keeps what was printed if something came out wrong.
pub async fn on(
    setting: &Setting,
    trial: &str,
    body: impl AsyncFnOnce(&mut Scene) -> anyhow::Result<Report>,
) -> anyhow::Result<Report> {
    on_engines(OwnEngines::start().await?, setting, trial, body).await
}

/// The same on engines that were prepared.
pub async fn on_engines(
    engines: OwnEngines,
    setting: &Setting,
    trial: &str,
    body: impl AsyncFnOnce(&mut Scene) -> anyhow::Result<Report>,
) -> anyhow::Result<Report> {
    let mut options = Options::of(Shape::Cluster).replicated(REPLICAS).on(engines.addresses());
    options.programs.clone_from(&setting.programs);
    for (key, value) in &setting.settings {
        options = options.with(key, value);
    }
    let mut scene = Scene { stand: Stand::with(options).await?, engines };
    let outcome = body(&mut scene).await;
    // Who is frozen cannot be stopped.
    for engine in Engine::ALL {
        drop(scene.engines.thaw(engine).await);
    }
    if let Some(keep) = &setting.keep
        && !outcome.as_ref().is_ok_and(Report::is_kept)
    {
        scene.keep_logs(&keep.join(trial))?;
    }
    outcome
}

impl Scene {
    /// Senders for it, which wait to be let.
    #[must_use]
    pub fn load(&self, effort: Effort) -> Load {
        let Effort { connections, sessions, rate, .. } = effort;
        let plan = Plan { connections, sessions, rate, event: told::event };
        Load::new(&self.stand.api, &self.stand.keys.ingest, plan)
    }

    /// Its place in the engines.
    pub fn site(&self) -> anyhow::Result<&Site> {
        self.stand.site.as_ref().context("a cluster has a place in the engines")
    }

    /// The tenant's books.
    pub async fn books(&self) -> anyhow::Result<Value> {
        let answer = self.stand.api.get(&self.stand.keys.read, "/v1/reconcile").await?;
        ensure!(answer.status == 200, "reconcile: {answer:?}");
        Ok(answer.body["tenants"][0].clone())
    }

    /// How many events the ledger holds.
    pub async fn stored(&self) -> anyhow::Result<u64> {
        self.books().await?["stored"].as_u64().context("no books yet")
    }

    /// How many events analytics knows.
    pub async fn analysed(&self) -> anyhow::Result<u64> {
        read_back::analysed(self.site()?).await
    }

    /// How many events a store holds; the bus holds none for good.
    pub async fn held(&self, store: Engine) -> anyhow::Result<u64> {
        match store {
            Engine::ClickHouse => self.analysed().await,
            Engine::Redis | Engine::Postgres => self.stored().await,
        }
    }

    /// One process of a service, the `number`-th.
    pub fn member(&mut self, name: &str) -> anyhow::Result<&mut Process> {
        let mut members = self.stand.letopis.members_mut().iter_mut();
        members.find(|member| member.name() == name).with_context(|| format!("there is no {name}"))
    }

    /// Kills these at the same moment; of a service the process of this number.
    pub async fn kill(&mut self, victims: &[(Victim, usize)]) -> anyhow::Result<()> {
        let Self { stand, engines } = self;
        let is_one = |process: &Process| {
            victims.iter().any(|(victim, number)| process.name() == format!("{victim}-{number}"))
        };
        let processes = stand.letopis.members_mut().iter_mut().filter(|process| is_one(process));
        let processes = try_join_all(processes.map(Process::kill));
        tokio::try_join!(processes, try_join_all(engines_in(victims).map(|engine| engines.kill(engine))))?;
        Ok(())
    }

    /// Starts these again, all at the same moment, and waits until every process of the cluster is ready.
    pub async fn start_again(&mut self, victims: &[(Victim, usize)]) -> anyhow::Result<()> {
        let Self { stand, engines } = self;
        let engines = try_join_all(engines_in(victims).map(|engine| engines.start_again(engine)));
        tokio::try_join!(stand.letopis.restart(), engines)?;
        self.ready().await
    }

    /// Waits until every process is ready.
    pub async fn ready(&self) -> anyhow::Result<()> {
        self.until(async || {
            ensure!(self.stand.api.is_ready().await, "not every process is ready");
            Ok(())
        })
        .await
    }

    /// Whether nobody has ended but by our hand.
    pub fn all_run(&mut self) -> anyhow::Result<()> {
        for member in self.stand.letopis.members_mut() {
            ensure!(member.is_running(), "{} ended by itself", member.name());
        }
        Ok(())
    }

    /// Tries until it succeeds, for as long as anything here may take; the last failure is the answer then.
    pub async fn until<T>(&self, mut attempt: impl AsyncFnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match attempt().await {
                Err(cause) if Instant::now() > deadline => return Err(cause),
                Err(_not_yet) => tokio::time::sleep(LOOK_EVERY).await,
                Ok(found) => return Ok(found),
            }
        }
    }

    fn keep_logs(&self, folder: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(folder)?;
        for log in fs::read_dir(self.stand.logs())? {
            let log = log?;
            fs::copy(log.path(), folder.join(log.file_name()))?;
        }
        for engine in Engine::ALL {
            let log = self.engines.folder().join(engine.name()).join("log");
            fs::copy(log, folder.join(format!("{}.log", engine.name())))?;
        }
        Ok(())
    }
}

fn engines_in(victims: &[(Victim, usize)]) -> impl Iterator<Item = Engine> {
    victims.iter().filter_map(|(victim, _)| match victim {
        Victim::Engine(engine) => Some(*engine),
        Victim::Service(_) => None,
    })
}
