//! The data folder: three databases, the master keys, and the lock that keeps a second server out.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use command_line::{Desk, KeyFile};
use console::reseal::Resealer;
use privacy::{MasterKeys, Vault};
use store_sqlite::analytics::SqliteAnalytics;
use store_sqlite::bus::{BusOptions, SqliteBus};
use store_sqlite::ledger::SqliteLedger;

use crate::settings::Settings;

/// Everything in the data folder, opened.
pub(crate) struct Home {
    pub(crate) bus: Arc<SqliteBus>,
    pub(crate) ledger: Arc<SqliteLedger>,
    pub(crate) analytics: Arc<SqliteAnalytics>,
    pub(crate) vault: Arc<Vault>,
}

impl Home {
    /// Opens the folder, making what is missing. Several processes may have it open: a server and the command line.
    pub(crate) fn open(settings: &Settings) -> anyhow::Result<Self> {
        let folder = &settings.data_dir;
        make_folder(folder)?;
        let keys = master_keys(&key_file(settings))?;
        let options = BusOptions { max_messages: settings.bus.max_messages };
        let opening = |name: &str| format!("cannot open {}", folder.join(name).display());
        Ok(Self {
            bus: Arc::new(
                SqliteBus::open(&folder.join("bus.db"), options).with_context(|| opening("bus.db"))?,
            ),
            ledger: Arc::new(
                SqliteLedger::open(&folder.join("ledger.db")).with_context(|| opening("ledger.db"))?,
            ),
            analytics: Arc::new(
                SqliteAnalytics::open(&folder.join("analytics.db"))
                    .with_context(|| opening("analytics.db"))?,
            ),
            vault: Arc::new(Vault::new(keys)),
        })
    }

    /// Opens a folder that was served before: a command that only asks must not leave an empty one behind.
    pub(crate) fn visit(settings: &Settings) -> anyhow::Result<Self> {
        let folder = &settings.data_dir;
        anyhow::ensure!(
            folder.join("ledger.db").exists(),
            "there is no Letopis data in {}: name the folder with --data, or start with letopis serve",
            folder.display()
        );
        Self::open(settings)
    }

    /// What the commands work on.
    pub(crate) fn desk(&self) -> Desk {
        Desk {
            registry: self.ledger.clone(),
            ledger: self.ledger.clone(),
            subjects: self.ledger.clone(),
            quarantine: self.ledger.clone(),
            sources: self.ledger.clone(),
            audit: self.ledger.clone(),
            bus: self.bus.clone(),
            vault: self.vault.clone(),
        }
    }

    /// What seals everything in the folder anew.
    pub(crate) fn resealer(&self) -> Resealer {
        Resealer { store: self.ledger.clone(), vault: self.vault.clone() }
    }

    /// For the server alone: refuses when another one serves this folder. The lock goes with the returned file.
    pub(crate) fn lock(settings: &Settings) -> anyhow::Result<File> {
        let folder = &settings.data_dir;
        make_folder(folder)?;
        let path = folder.join("server.lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => anyhow::bail!(
                "another letopis serves {}: stop it, or give this one another --data folder",
                folder.display()
            ),
            Err(TryLockError::Error(cause)) => return Err(cause).context("cannot lock the data folder"),
        }
        Ok(file)
    }
}

/// Makes the folder, if need be, for its owner's eyes only: the files in it lie beside their key.
fn make_folder(folder: &Path) -> anyhow::Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Reads the master keys, or makes them where nothing was ever stored.
fn master_keys(file: &KeyFile) -> anyhow::Result<MasterKeys> {
    // Another process may make them between the two.
    match file.read()? {
        Some(keys) => Ok(keys),
        None => match file.make()? {
            Some(made) => Ok(made),
            None => file.read()?.context("the key file is gone again"),
        },
    }
}

/// Where the master keys of a folder are.
pub(crate) fn key_file(settings: &Settings) -> KeyFile {
    KeyFile::at(&settings.data_dir.join("master.key")).beside(settings.data_dir.join("ledger.db"))
}
