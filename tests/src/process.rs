//! The real process: started, killed, stopped, started again.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::process::{Child, Command};

use crate::api::Api;

/// How long a start or a stop may take. Far more than either needs, for a machine with other things to do.
const PATIENCE: Duration = Duration::from_secs(40);
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The line that says the port is open.
const LISTENING: &str = "listening on ";

/// How a process is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The binary; by default the `letopis` beside the running program.
    pub binary: Option<PathBuf>,
    /// Settings, as `LETOPIS__SECTION__KEY` and its value.
    pub settings: Vec<(&'static str, String)>,
}

impl Default for Options {
    /// No limit on events a second: a test that wants one sets it.
    fn default() -> Self {
        let unlimited = "1000000".to_owned();
        Self {
            binary: None,
            settings: vec![
                ("LETOPIS__INGEST__RATE_PER_SECOND", unlimited.clone()),
                ("LETOPIS__INGEST__BURST", unlimited),
            ],
        }
    }
}

impl Options {
    /// One setting more, or another value for one.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        self.settings.retain(|(known, _)| *known != key);
        self.settings.push((key, value.to_string()));
        self
    }

    /// The binary to run.
    pub fn program(&self) -> anyhow::Result<PathBuf> {
        let program = match &self.binary {
            Some(binary) => binary.clone(),
            None => beside_us()?,
        };
        ensure!(
            program.is_file(),
            "{} is not there: build it first, with the same profile: cargo build -p standalone",
            program.display()
        );
        Ok(program)
    }
}

/// `target/<profile>/letopis`, whether we are a test (in `deps`) or a tool.
fn beside_us() -> anyhow::Result<PathBuf> {
    let us = std::env::current_exe().context("cannot tell where this program lies")?;
    let folder = us.parent().context("this program lies nowhere")?;
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    Ok(folder.join("letopis"))
}

/// A running `letopis serve`. Dropping it kills it.
pub struct Letopis {
    child: Child,
    address: SocketAddr,
    logs: PathBuf,
}

impl Letopis {
    /// Starts on a free port and waits until it is ready. What it prints goes to new files in `logs`.
    pub async fn start(data: &Path, logs: &Path, options: &Options) -> anyhow::Result<Self> {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), data, logs, options).await
    }

    /// Starts on a port, such as the one a killed process had.
    pub async fn start_at(
        listen: SocketAddr,
        data: &Path,
        logs: &Path,
        options: &Options,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(logs)?;
        let starts = fs::read_dir(logs)?.count() / 2;
        let (out, err) = (logs.join(format!("serve-{starts}.out")), logs.join(format!("serve-{starts}.err")));
        let arguments: [OsString; 5] =
            ["--data".into(), data.into(), "serve".into(), "--listen".into(), listen.to_string().into()];
        let child = Command::new(options.program()?)
            .args(arguments)
            .envs(options.settings.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(File::create(&out)?)
            .stderr(File::create(&err)?)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the server")?;
        let mut letopis = Self { child, address: listen, logs: logs.to_owned() };
        if let Err(cause) = letopis.become_ready(&out).await {
            let printed = fs::read_to_string(&err).unwrap_or_default();
            return Err(cause.context(format!("the server printed:\n{printed}")));
        }
        Ok(letopis)
    }

    async fn become_ready(&mut self, out: &Path) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        self.address = loop {
            if let Some(address) = announced(&fs::read_to_string(out).unwrap_or_default()) {
                break address;
            }
            self.still_waiting(deadline)?;
            tokio::time::sleep(LOOK_EVERY).await;
        };
        let api = self.api()?;
        while !api.is_ready().await {
            self.still_waiting(deadline)?;
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    fn still_waiting(&mut self, deadline: Instant) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server ended before it was ready: {status}");
        }
        ensure!(Instant::now() < deadline, "the server is not ready after {PATIENCE:?}");
        Ok(())
    }

    /// Speaks to its port.
    pub fn api(&self) -> anyhow::Result<Api> {
        Api::new(self.address)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process, while it runs: it changes when somebody restarted it behind our back.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The memory it holds, in bytes, as the kernel counts it.
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        let pid = self.pid().context("the server does not run")?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kilobytes * 1024)
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Everything it, and those before it with the same folder of logs, have printed.
    pub fn printed(&self) -> anyhow::Result<Vec<u8>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.logs)? {
            all.extend(fs::read(entry?.path())?);
        }
        Ok(all)
    }

    /// Kills it on the spot, as `kill -9` or a power cut would.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("cannot kill the server")
    }

    /// Asks it to stop, as systemd and Kubernetes do, and waits until it has.
    pub async fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        if let Some(pid) = self.pid() {
            // The shell's own `kill`: the program of that name is not on every machine.
            let sent = Command::new("sh").arg("-c").arg(format!("kill -TERM {pid}")).status().await?;
            ensure!(sent.success(), "cannot signal the server");
        }
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        Ok(ended.context("the server does not stop")??)
    }
}

/// The address out of `listening on http://127.0.0.1:8686`, once the line is whole.
fn announced(printed: &str) -> Option<SocketAddr> {
    let lines = printed.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let url = lines.filter_map(|line| line.trim().split_once(LISTENING)).map(|(_, url)| url).next()?;
    url.trim_start_matches("http://").trim_end_matches('/').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_a_whole_line_only() {
        let address: SocketAddr = "127.0.0.1:4321".parse().unwrap();
        assert_eq!(announced("hello\nlistening on http://127.0.0.1:4321\n"), Some(address));
        assert_eq!(announced("listening on http://127.0.0.1:43"), None);
    }
}
