//! The real command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tokio::process::Command;

/// `letopis --data DIR …`, or `letopis-admin …` with its settings.
#[derive(Clone, Debug)]
pub struct Cli {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
}

impl Cli {
    /// The command line of a system: what every command begins with, and its settings.
    #[must_use]
    pub const fn new(program: PathBuf, arguments: Vec<OsString>, environment: Vec<(String, String)>) -> Self {
        Self { program, arguments, environment }
    }

    /// Runs a command, whatever comes of it.
    pub async fn run(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).args(arguments).envs(self.environment.iter().cloned());
        let running = command.stdin(Stdio::null()).output();
        running.await.with_context(|| format!("cannot run {}", self.shown(arguments)))
    }

    /// Runs a command that must succeed; gives what it prints.
    pub async fn succeed(&self, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
        let output = self.run(arguments).await?;
        ensure!(
            output.status.success(),
            "{} ended with {}: {}",
            self.shown(arguments),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(output.stdout)
    }

    /// Runs a command that must succeed, with `--json`, and reads what it prints.
    pub async fn json(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let printed = self.succeed(&[arguments, &["--json"]].concat()).await?;
        let read = serde_json::from_slice(&printed);
        read.with_context(|| format!("{} --json did not print JSON", self.shown(arguments)))
    }

    fn shown(&self, arguments: &[&str]) -> String {
        let name = self.program.file_name().unwrap_or_default().to_string_lossy();
        format!("{name} {}", arguments.join(" "))
    }
}
