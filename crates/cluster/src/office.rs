//! What the shared commands need of a cluster.

use std::path::PathBuf;

use command_line::{Desk, Office, Program};

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
            quarantine: ledger.clone(),
            sources: ledger.clone(),
            audit: ledger.clone(),
            ledger,
            bus: stores::bus(&settings)?,
            vault: stores::vault(&settings)?,
        })
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
