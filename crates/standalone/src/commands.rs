//! The commands of the command line, one module each.

pub(crate) mod healthcheck;
pub(crate) mod inspect;
pub(crate) mod key;
pub(crate) mod quarantine;
pub(crate) mod reconcile;
pub(crate) mod send;
pub(crate) mod source;
pub(crate) mod tenant;

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;

/// Reads a file, or standard input for `-`.
fn read_input(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut content = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_end(&mut content).context("cannot read standard input")?;
    } else {
        content = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    }
    Ok(content)
}

/// When something ended, for a list; nothing while it lives.
fn ended(revoked_at: Option<domain::timestamp::Timestamp>) -> Option<String> {
    revoked_at.map(|at| at.to_string())
}
