//! What the shared commands need of a cluster.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use command_line::{Desk, KeyFile, Office, Program};
use console::reseal::Resealer;
use ledger_postgres::PostgresLedger;

use crate::settings::Settings;
use crate::stores;

/// How the program is called.
pub const PROGRAM: Program =
    Program { name: "letopis-admin", start: "start ingest-gateway", gateway: "http://127.0.0.1:8686" };

/// Opens the stores the settings name. The settings are read by what needs them: `send` and `inspect` do not.
pub struct Counter {
    config: Option<PathBuf>,
}

impl Counter {
    /// For the settings of this file, or the defaults.
    #[must_use]
    pub fn new(config: Option<PathBuf>) -> Self {
        Self { config }
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        Settings::load(self.config.as_deref())
    }
}

impl Office for Counter {
    fn program(&self) -> Program {
        PROGRAM
    }

    /// Schemas are made by `migrate`, and by nothing else.
    async fn open(&self) -> anyhow::Result<Desk> {
        self.visit().await
    }

    async fn visit(&self) -> anyhow::Result<Desk> {
        let settings = self.settings()?;
        let ledger = stores::ledger(&settings)?;
        ledger.check_schema().await?;
        Ok(Desk {
            registry: ledger.clone(),
            subjects: ledger.clone(),
            quarantine: ledger.clone(),
            sources: ledger.clone(),
            audit: ledger.clone(),
            ledger,
            bus: stores::bus(&settings)?,
            vault: stores::vault(&settings)?,
        })
    }

    fn key_file(&self) -> anyhow::Result<KeyFile> {
        Ok(KeyFile::at(&self.settings()?.keys.master_key_file))
    }

    /// As the owner of the schema: the role of the services may not change what was recorded.
    async fn resealer(&self) -> anyhow::Result<Resealer> {
        let settings = self.settings()?;
        let ledger = PostgresLedger::for_owner(&settings.postgres)?;
        ledger.check_schema().await?;
        Ok(Resealer { store: Arc::new(ledger), vault: stores::vault(&settings)? })
    }

    /// Servers are on other machines: whoever rolls out knows.
    fn keep_servers_out(&self) -> anyhow::Result<Option<File>> {
        Ok(None)
    }

    fn doors(&self) -> anyhow::Result<String> {
        let settings = self.settings()?;
        Ok(match settings.http.public_url.trim_end_matches('/') {
            "" => format!("http://{}", settings.http.listen),
            public => public.to_owned(),
        })
    }

    fn healthcheck_url(&self) -> anyhow::Result<String> {
        let settings = self.settings()?;
        Ok(format!("http://{}", settings.admin.listen.unwrap_or(settings.http.listen)))
    }
}
