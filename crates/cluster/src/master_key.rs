//! The master key: one file, the same for every process, in no database.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use privacy::MasterKey;

/// Reads the key.
pub fn read(path: &Path) -> anyhow::Result<MasterKey> {
    let text = fs::read_to_string(path).with_context(|| {
        format!(
            "cannot read the master key {}: make one with letopis-admin master-key, or set keys.master_key_file",
            path.display()
        )
    })?;
    MasterKey::parse(text.trim_end()).with_context(|| format!("{} is damaged", path.display()))
}

/// Makes a key, for its owner's eyes only. Never over another one: a new key beside old data would make that data
/// unreadable and every client a stranger.
pub fn make(path: &Path) -> anyhow::Result<()> {
    let key = MasterKey::generate()?;
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).with_context(|| {
            format!("cannot make the master key {}: is there one already?", path.display())
        })?;
    file.write_all(key.to_text().as_bytes())?;
    file.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_only_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        assert!(read(&path).unwrap_err().to_string().contains("letopis-admin master-key"));
        make(&path).unwrap();
        let made = fs::read_to_string(&path).unwrap();
        assert!(make(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), made);
        assert_eq!(*read(&path).unwrap().to_text(), made);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
