//! The real command line.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tokio::process::Command;

use crate::process::Options;

/// `letopis --data DIR …`.
#[derive(Clone, Debug)]
pub struct Cli {
    program: PathBuf,
    data: PathBuf,
}

impl Cli {
    /// The command line over a data folder.
    pub fn new(data: &Path, options: &Options) -> anyhow::Result<Self> {
        Ok(Self { program: options.program()?, data: data.to_owned() })
    }

    /// Runs a command, whatever comes of it.
    pub async fn run(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(&self.program);
        command.arg("--data").arg(&self.data).args(arguments).stdin(Stdio::null());
        command.output().await.with_context(|| format!("cannot run letopis {}", arguments.join(" ")))
    }

    /// Runs a command that must succeed, with `--json`, and reads what it prints.
    pub async fn json(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = self.run(&[arguments, &["--json"]].concat()).await?;
        ensure!(
            output.status.success(),
            "letopis {} ended with {}: {}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        let read = serde_json::from_slice(&output.stdout);
        read.with_context(|| format!("letopis {} --json did not print JSON", arguments.join(" ")))
    }
}
