//! What a scenario begins with: a data folder, tenants with their keys, a running server.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::api::{Api, Hook};
use crate::cli::Cli;
use crate::process::{Letopis, Options};

/// A running server with one tenant, `salon`.
pub struct Stand {
    /// Everything it keeps, removed at the end.
    pub folder: TempDir,
    /// How it was started.
    pub options: Options,
    /// The server.
    pub letopis: Letopis,
    /// The tenant's keys.
    pub keys: Keys,
    /// Its port.
    pub api: Api,
    /// Its command line.
    pub cli: Cli,
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

/// A data folder with its tenant, before anything runs.
pub struct House {
    /// The folder, removed at the end.
    pub folder: TempDir,
    /// How its server will be started.
    pub options: Options,
    /// The keys of the tenant `salon`.
    pub keys: Keys,
    /// Its command line.
    pub cli: Cli,
}

impl House {
    /// Makes the folder and the tenant.
    pub async fn new(options: Options) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let cli = Cli::new(&data_in(&folder), &options)?;
        let keys = add_tenant(&cli, "salon").await?;
        Ok(Self { folder, options, keys, cli })
    }

    /// Another folder with the same content: the same tenant, the same keys, the same pseudonyms.
    pub fn copy(&self) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(data_in(&folder))?;
        for entry in fs::read_dir(data_in(&self.folder))? {
            let entry = entry?;
            fs::copy(entry.path(), data_in(&folder).join(entry.file_name()))?;
        }
        let cli = Cli::new(&data_in(&folder), &self.options)?;
        Ok(Self { folder, options: self.options.clone(), keys: self.keys.clone(), cli })
    }

    /// Starts the server.
    pub async fn open(self) -> anyhow::Result<Stand> {
        let Self { folder, options, keys, cli } = self;
        let letopis = Letopis::start(&data_in(&folder), &folder.path().join("logs"), &options).await?;
        let api = letopis.api()?;
        Ok(Stand { folder, options, letopis, keys, api, cli })
    }
}

fn data_in(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}

impl Stand {
    /// The usual one.
    pub async fn new() -> anyhow::Result<Self> {
        Self::with(Options::default()).await
    }

    /// One with settings of its own.
    pub async fn with(options: Options) -> anyhow::Result<Self> {
        House::new(options).await?.open().await
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        data_in(&self.folder)
    }

    /// What the servers print.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    /// Starts again on the same folder and port, after a kill or a stop.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        let listen = self.letopis.address();
        self.letopis = Letopis::start_at(listen, &self.data(), &self.logs(), &self.options).await?;
        Ok(())
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
