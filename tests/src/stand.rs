//! What a scenario begins with: a place to keep things, tenants with their keys, a running system.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::api::{Api, Hook};
use crate::cli::Cli;
use crate::engines::Engines;
use crate::letopis::Letopis;
use crate::options::Options;
use crate::process::Recipe;
use crate::shape::{Service, Shape};
use crate::site::Site;

/// A running system with one tenant, `salon`.
pub struct Stand {
    /// Its processes. First here, so that they are gone before what they work on.
    pub letopis: Letopis,
    /// The tenant's keys.
    pub keys: Keys,
    /// Its ports.
    pub api: Api,
    /// Its command line.
    pub cli: Cli,
    /// How it was started.
    pub options: Options,
    /// What a cluster keeps in the engines, removed at the end.
    pub site: Option<Site>,
    /// Its files, removed at the end: the data of the one box, the master key, what processes print.
    pub folder: TempDir,
}

/// The keys of one tenant.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Sends events as the source `<tenant>-bot`.
    pub ingest: String,
    /// The public half of `ingest`.
    pub ingest_id: String,
    /// What the source of `ingest` signs with, where it signs instead.
    pub signing: String,
    /// Reads.
    pub read: String,
    /// Reads and changes.
    pub admin: String,
    /// The webhook of its Telegram bot.
    pub telegram: Hook,
}

/// A place with its tenant, before anything runs.
pub struct House {
    /// The keys of the tenant `salon`.
    pub keys: Keys,
    /// Its command line.
    pub cli: Cli,
    /// How its system will be started.
    pub options: Options,
    /// What a cluster keeps in the engines, removed at the end.
    pub site: Option<Site>,
    /// Its files, removed at the end.
    pub folder: TempDir,
}

impl House {
    /// Makes an empty place and the tenant in it.
    pub async fn new(options: Options) -> anyhow::Result<Self> {
        Self::furnish(options, None).await
    }

    /// Another empty place, of any shape, with the same master key and a tenant of the same name and sources: what is
    /// sent there gets the same pseudonyms and ids as here. Its keys are its own.
    pub async fn twin(&self, options: Options) -> anyhow::Result<Self> {
        Self::furnish(options, Some(&master_key(&self.folder, self.options.shape))).await
    }

    async fn furnish(options: Options, key: Option<&Path>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = data_in(&folder);
        fs::DirBuilder::new().mode(0o700).create(&data)?;
        let own = master_key(&folder, options.shape);
        if let Some(key) = key {
            fs::copy(key, &own)?;
        }
        let site = match options.shape {
            Shape::OneBox => None,
            Shape::Cluster => {
                let engines = options.engines.clone().map_or_else(Engines::shared, Ok)?;
                Some(Site::new(engines)?)
            }
        };
        let cli = command_line(&options, &data, environment(&own, site.as_ref()))?;
        if options.shape == Shape::Cluster {
            if key.is_none() {
                cli.succeed(&["master-key", "make"]).await?;
            }
            write_services_key(&cli, &folder).await?;
            cli.succeed(&["migrate"]).await?;
        }
        let keys = add_tenant(&cli, "salon").await?;
        Ok(Self { keys, cli, options, site, folder })
    }

    /// Starts the system.
    pub async fn open(self) -> anyhow::Result<Stand> {
        let Self { keys, cli, options, site, folder } = self;
        let recipes = recipes(&options, &folder, site.as_ref())?;
        let letopis = Letopis::start(recipes, logs_in(&folder)).await?;
        let api = letopis.api()?;
        Ok(Stand { letopis, keys, api, cli, options, site, folder })
    }
}

fn data_in(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}

fn logs_in(folder: &TempDir) -> PathBuf {
    folder.path().join("logs")
}

/// The one box keeps its key beside its data.
fn master_key(folder: &TempDir, shape: Shape) -> PathBuf {
    match shape {
        Shape::OneBox => data_in(folder).join("master.key"),
        Shape::Cluster => folder.path().join("master.key"),
    }
}

/// What the services of a cluster have of its keys: contacts do not open with it.
fn services_key(folder: &TempDir) -> PathBuf {
    folder.path().join("services.key")
}

async fn write_services_key(cli: &Cli, folder: &TempDir) -> anyhow::Result<()> {
    let file = services_key(folder);
    if file.exists() {
        fs::remove_file(&file)?;
    }
    cli.succeed(&["master-key", "services", &file.to_string_lossy()]).await?;
    Ok(())
}

/// The settings of a cluster's programs; those of the one box are its arguments.
fn environment(master_key: &Path, site: Option<&Site>) -> Vec<(String, String)> {
    let mut environment = site.map(Site::environment).unwrap_or_default();
    if !environment.is_empty() {
        let key = master_key.to_string_lossy().into_owned();
        environment.push(("LETOPIS__KEYS__MASTER_KEY_FILE".to_owned(), key));
    }
    environment
}

fn command_line(options: &Options, data: &Path, environment: Vec<(String, String)>) -> anyhow::Result<Cli> {
    let program = options.shape.program(options.shape.command_line(), options.programs.as_deref())?;
    let arguments: Vec<OsString> = match options.shape {
        Shape::OneBox => vec!["--data".into(), data.into()],
        Shape::Cluster => Vec::new(),
    };
    Ok(Cli::new(program, arguments, environment))
}

/// How each process of the system is started.
fn recipes(options: &Options, folder: &TempDir, site: Option<&Site>) -> anyhow::Result<Vec<Recipe>> {
    let mut environment = environment(&services_key(folder), site);
    environment.extend(options.settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    let mut recipes = Vec::new();
    for &service in options.shape.services() {
        let program = options.shape.program(service.program(), options.programs.as_deref())?;
        let (arguments, replicas): (Vec<OsString>, _) = match service {
            Service::Letopis => (vec!["--data".into(), data_in(folder).into(), "serve".into()], 1),
            _ => (Vec::new(), options.replicas),
        };
        for number in 0..replicas {
            let (program, arguments) = (program.clone(), arguments.clone());
            let (environment, logs) = (environment.clone(), logs_in(folder));
            recipes.push(Recipe { service, number, program, arguments, environment, logs });
        }
    }
    Ok(recipes)
}

impl Stand {
    /// The usual one.
    pub async fn new(shape: Shape) -> anyhow::Result<Self> {
        Self::with(Options::of(shape)).await
    }

    /// One with settings of its own.
    pub async fn with(options: Options) -> anyhow::Result<Self> {
        House::new(options).await?.open().await
    }

    /// The data folder of the one box; empty in a cluster.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        data_in(&self.folder)
    }

    /// What the processes print.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        logs_in(&self.folder)
    }

    /// How each of its processes was started: to start one more in the same place.
    pub fn recipes(&self) -> anyhow::Result<Vec<Recipe>> {
        recipes(&self.options, &self.folder, self.site.as_ref())
    }

    /// Starts what does not run again in the same place and on the same ports, after kills or stops.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.letopis.restart().await
    }

    /// After the master keys changed: services of a cluster have a file of their own.
    pub async fn hand_keys_to_services(&self) -> anyhow::Result<()> {
        match self.options.shape {
            Shape::OneBox => Ok(()),
            Shape::Cluster => write_services_key(&self.cli, &self.folder).await,
        }
    }

    /// Sends an event that must be accepted.
    pub async fn accept(&self, event: &Value) -> anyhow::Result<Value> {
        let answer = self.api.send(&self.keys.ingest, event).await?;
        anyhow::ensure!(answer.status == 202, "not accepted: {answer:?}");
        Ok(answer.body)
    }

    /// Waits until everything accepted is recorded; gives the tenant's books.
    pub async fn settled(&self) -> anyhow::Result<Value> {
        self.api.settled(&self.keys.read).await
    }
}

/// A tenant with a source for events, a source for Telegram and a key of every scope. Sources are named after it.
pub async fn add_tenant(cli: &Cli, tenant: &str) -> anyhow::Result<Keys> {
    let bot = format!("{tenant}-bot");
    let telegram = format!("{tenant}-telegram");
    cli.json(&["tenant", "add", tenant, "--name", "Салон"]).await?;
    let events = cli.json(&["source", "add", &bot, "--tenant", tenant, "--kind", "events"]).await?;
    let hook = cli.json(&["source", "add", &telegram, "--tenant", tenant, "--kind", "telegram"]).await?;
    let ingest = cli.json(&["key", "add", "--tenant", tenant, "--source", &bot, "--scope", "ingest"]).await?;
    let read = cli.json(&["key", "add", "--tenant", tenant, "--scope", "read"]).await?;
    let admin = cli.json(&["key", "add", "--tenant", tenant, "--scope", "admin"]).await?;
    Ok(Keys {
        ingest: text(&ingest, "key")?,
        ingest_id: text(&ingest, "id")?,
        signing: text(&events, "secret")?,
        read: text(&read, "key")?,
        admin: text(&admin, "key")?,
        telegram: Hook { path: format!("/v1/hooks/{telegram}"), secret: text(&hook, "secret")? },
    })
}

fn text(printed: &Value, key: &str) -> anyhow::Result<String> {
    let found = printed[key].as_str().with_context(|| format!("the command line printed no {key}"))?;
    Ok(found.to_owned())
}
