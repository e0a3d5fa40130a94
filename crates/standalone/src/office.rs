//! The shared commands work on the data folder.

use std::fs::File;

use command_line::{Desk, KeyFile, Office, Program};
use console::reseal::Resealer;

use crate::cli::{Common, PROGRAM};
use crate::home::{self, Home};
use crate::settings::Settings;
use crate::welcome::base_url;

/// The data folder that the command line names. Settings are read when they are needed: a command that needs none
/// works beside a broken file.
pub(crate) struct FolderOffice<'c> {
    pub(crate) common: &'c Common,
}

impl FolderOffice<'_> {
    fn settings(&self) -> anyhow::Result<Settings> {
        Settings::load(self.common.config.as_deref(), self.common.data.clone(), None)
    }
}

impl Office for FolderOffice<'_> {
    fn program(&self) -> Program {
        PROGRAM
    }

    async fn open(&self) -> anyhow::Result<Desk> {
        Ok(Home::open(&self.settings()?)?.desk())
    }

    async fn visit(&self) -> anyhow::Result<Desk> {
        Ok(Home::visit(&self.settings()?)?.desk())
    }

    fn key_file(&self) -> anyhow::Result<KeyFile> {
        Ok(home::key_file(&self.settings()?))
    }

    async fn resealer(&self) -> anyhow::Result<Resealer> {
        Ok(Home::visit(&self.settings()?)?.resealer())
    }

    fn keep_servers_out(&self) -> anyhow::Result<Option<File>> {
        Home::lock(&self.settings()?).map(Some)
    }

    fn doors(&self) -> anyhow::Result<String> {
        let settings = self.settings()?;
        Ok(base_url(&settings, settings.http.listen))
    }

    fn healthcheck_url(&self) -> anyhow::Result<String> {
        Ok(format!("http://{}", self.settings()?.http.listen))
    }
}
