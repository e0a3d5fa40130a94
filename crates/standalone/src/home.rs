//! The data folder: three databases, the master key, and the lock that keeps a second server out.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use command_line::Desk;
use privacy::{MasterKey, Vault};
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
        let key = master_key(&folder.join("master.key"))?;
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
            vault: Arc::new(Vault::new(key, Vec::new())),
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
            quarantine: self.ledger.clone(),
            sources: self.ledger.clone(),
            audit: self.ledger.clone(),
            bus: self.bus.clone(),
            vault: self.vault.clone(),
        }
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

/// Reads the master key, or makes one where nothing was ever stored.
fn master_key(path: &Path) -> anyhow::Result<MasterKey> {
    match fs::read_to_string(path) {
        Ok(text) => MasterKey::parse(&text).with_context(|| format!("{} is damaged", path.display())),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            refuse_beside_data(path)?;
            new_master_key(path)
        }
        Err(cause) => Err(cause).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// A new key beside old data would make that data unreadable and every client a stranger.
fn refuse_beside_data(path: &Path) -> anyhow::Result<()> {
    let ledger: PathBuf = path.with_file_name("ledger.db");
    anyhow::ensure!(
        !ledger.exists(),
        "{} is missing, and {} was written with it: put it back from your backup",
        path.display(),
        ledger.display()
    );
    Ok(())
}

fn new_master_key(path: &Path) -> anyhow::Result<MasterKey> {
    let key = MasterKey::generate()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    // Written aside (for its owner only) and linked into place: two processes that start at once end up with one key,
    // and a crash in between leaves none rather than half of one.
    let mut aside = tempfile::NamedTempFile::new_in(folder)?;
    aside.write_all(key.to_text().as_bytes())?;
    aside.as_file().sync_all()?;
    match aside.persist_noclobber(path) {
        Ok(_file) => {
            File::open(folder)?.sync_all()?;
            Ok(key)
        }
        Err(taken) if taken.error.kind() == std::io::ErrorKind::AlreadyExists => {
            Ok(MasterKey::parse(&fs::read_to_string(path)?)?)
        }
        Err(failed) => Err(failed.error).with_context(|| format!("cannot write {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_new_folder_gets_a_key_only_its_owner_can_read_and_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let made = master_key(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(*master_key(&path).unwrap().to_text(), *made.to_text());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left aside");
    }

    #[test]
    fn a_missing_key_beside_data_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ledger.db"), b"").unwrap();
        let error = master_key(&folder.path().join("master.key")).unwrap_err().to_string();
        assert!(error.contains("put it back from your backup"), "{error}");
    }
}
