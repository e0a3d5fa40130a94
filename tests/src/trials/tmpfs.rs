//! A small disk of its own, in memory, that can be filled up.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

/// A mounted tmpfs. Dropping it takes it away, even if somebody still uses it.
pub struct Tmpfs {
    at: PathBuf,
}

impl Tmpfs {
    /// Mounts one at a folder, which is made.
    ///
    /// # Errors
    /// Only root may mount; the message says so.
    pub fn mount(at: &Path, megabytes: u32) -> anyhow::Result<Self> {
        fs::create_dir_all(at)?;
        let options = format!("size={megabytes}m,mode=755");
        let output = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).output()?;
        ensure!(
            output.status.success(),
            "a small disk has to be mounted at {}, which takes root: {}",
            at.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(Self { at: at.to_owned() })
    }

    /// Fills what is left with a file, to the last byte; gives its size so far. May be repeated.
    pub fn fill(&self) -> anyhow::Result<u64> {
        let mut ballast = File::options().create(true).append(true).open(self.ballast())?;
        let mut piece = vec![0_u8; 1 << 20];
        while !piece.is_empty() {
            match ballast.write(&piece) {
                Ok(_written) => {}
                // Smaller pieces may still fit.
                Err(cause) if cause.kind() == std::io::ErrorKind::StorageFull => {
                    piece.truncate(piece.len() / 2)
                }
                Err(cause) => bail!("cannot fill {}: {cause}", self.at.display()),
            }
        }
        Ok(ballast.metadata()?.len())
    }

    /// Takes the file away again.
    pub fn empty(&self) -> anyhow::Result<()> {
        fs::remove_file(self.ballast()).context("there is no ballast")
    }

    fn ballast(&self) -> PathBuf {
        self.at.join("ballast")
    }
}

impl Drop for Tmpfs {
    /// One that cannot be taken away stays; `mount` shows it.
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.at).output());
    }
}
