//! The file with the master keys: in no database, and for its owner's eyes only.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use privacy::MasterKeys;
use tempfile::NamedTempFile;

/// Where the master keys are.
#[derive(Clone, Debug)]
pub struct KeyFile {
    path: PathBuf,
    /// What is sealed with them, where that is known: a new key beside old data would make that data unreadable and
    /// every client a stranger.
    data: Option<PathBuf>,
}

impl KeyFile {
    /// The file at this path.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), data: None }
    }

    /// The same, not made anew where this file is there.
    #[must_use]
    pub fn beside(self, data: PathBuf) -> Self {
        Self { data: Some(data), ..self }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the keys; `None` where there is no such file.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn read(&self) -> anyhow::Result<Option<MasterKeys>> {
        let shown = self.path.display();
        match fs::read_to_string(&self.path) {
            Ok(text) => MasterKeys::parse(&text).with_context(|| format!("{shown} is damaged")).map(Some),
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(cause).with_context(|| format!("cannot read {shown}")),
        }
    }

    /// Makes keys where there are none, and nothing was ever sealed. `None` where there are some.
    ///
    /// # Errors
    /// Something was sealed with keys that are not here; or the file cannot be written.
    pub fn make(&self) -> anyhow::Result<Option<MasterKeys>> {
        if self.path.exists() {
            return Ok(None);
        }
        if let Some(data) = self.data.as_ref().filter(|data| data.exists()) {
            let (keys, data) = (self.path.display(), data.display());
            anyhow::bail!("{keys} is missing, and {data} was written with it: put it back from your backup");
        }
        let keys = MasterKeys::generate()?;
        // Two processes that start at once end up with one file.
        Ok(self.add(&keys)?.then_some(keys))
    }

    /// Writes keys where there is no file yet; says whether that was so.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add(&self, keys: &MasterKeys) -> anyhow::Result<bool> {
        match self.aside(keys)?.persist_noclobber(&self.path) {
            Ok(_file) => self.sync_folder()?,
            Err(taken) if taken.error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            Err(failed) => return Err(failed.error).with_context(|| self.cannot_write()),
        }
        Ok(true)
    }

    /// Puts other keys in the place of those that were read.
    ///
    /// # Errors
    /// The file was changed since, or cannot be written: a mounted secret cannot, a copy of it can.
    pub fn replace(&self, before: &MasterKeys, after: &MasterKeys) -> anyhow::Result<()> {
        let shown = self.path.display();
        ensure!(
            self.read()?.as_ref() == Some(before),
            "{shown} was changed meanwhile: look at it, and begin anew"
        );
        self.aside(after)?.persist(&self.path).with_context(|| self.cannot_write())?;
        self.sync_folder()
    }

    /// Written whole under another name, for its owner only: a crash leaves no half of a key.
    fn aside(&self, keys: &MasterKeys) -> anyhow::Result<NamedTempFile> {
        let mut aside = NamedTempFile::new_in(self.folder()).with_context(|| self.cannot_write())?;
        aside.write_all(keys.to_text().as_bytes())?;
        aside.as_file().sync_all()?;
        Ok(aside)
    }

    fn sync_folder(&self) -> anyhow::Result<()> {
        Ok(File::open(self.folder())?.sync_all()?)
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn cannot_write(&self) -> String {
        format!("cannot write {}", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use privacy::Generation;

    use super::*;

    #[test]
    fn keys_are_made_once_for_their_owner_only_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::at(&folder.path().join("master.key"));
        assert_eq!(file.read().unwrap(), None);
        let made = file.make().unwrap().unwrap();
        assert_eq!(file.make().unwrap(), None);
        assert_eq!(file.read().unwrap().unwrap(), made);
        assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left aside");
    }

    #[test]
    fn missing_keys_beside_data_are_never_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("ledger.db");
        fs::write(&data, b"").unwrap();
        let refused = KeyFile::at(&folder.path().join("master.key")).beside(data).make().unwrap_err();
        assert!(refused.to_string().contains("put it back from your backup"), "{refused}");
    }

    #[test]
    fn keys_take_the_place_of_those_that_were_read_and_of_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::at(&folder.path().join("master.key"));
        let first = file.make().unwrap().unwrap();
        let second = first.clone().with_next(Generation::generate().unwrap()).unwrap();
        file.replace(&first, &second).unwrap();
        assert_eq!(file.read().unwrap().unwrap(), second);
        assert!(file.replace(&first, &second).unwrap_err().to_string().contains("changed meanwhile"));
        assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::at(&folder.path().join("master.key"));
        fs::write(file.path(), "names nobody\n").unwrap();
        let refused = format!("{:#}", file.read().unwrap_err());
        assert!(refused.contains("master.key is damaged") && refused.contains("line 1"), "{refused}");
    }
}
