//! One real process: started, killed, stopped, frozen, started again.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::process::{Child, Command};

use crate::api::{Addresses, Api};
use crate::shape::Service;
use crate::signal::{Signal, send};

/// How long a start or a stop may take. Far more than either needs, for a machine with other things to do.
const PATIENCE: Duration = Duration::from_secs(40);
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The line that says the port is open.
const LISTENING: &str = "listening on ";
/// The line that says the operators' port is open.
const ADMIN: &str = "admin on ";

/// How a process is started, each time.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// What it is.
    pub service: Service,
    /// Which of its kind, from 0.
    pub number: usize,
    /// The file to run.
    pub program: PathBuf,
    /// Its arguments; the one box is also told where to listen.
    pub arguments: Vec<OsString>,
    /// Its settings; a service of the cluster is also told where to listen.
    pub environment: Vec<(String, String)>,
    /// The folder of what it prints; each start has files of its own.
    pub logs: PathBuf,
}

/// A process of the system. Dropping it kills it.
pub struct Process {
    recipe: Recipe,
    child: Child,
    /// Of a service that speaks HTTP.
    http: SocketAddr,
    /// The same as `http` in the one box.
    admin: SocketAddr,
}

impl Process {
    /// Starts on free ports and waits until it is ready.
    pub async fn start(recipe: Recipe) -> anyhow::Result<Self> {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let (child, out) = launch(&recipe, free, free)?;
        let mut process = Self { recipe, child, http: free, admin: free };
        process.become_ready(&out).await?;
        Ok(process)
    }

    /// Starts it again, after a kill or a stop, on the ports it had, and waits until it is ready.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        ensure!(!self.is_running(), "{} runs already", self.name());
        let (child, out) = launch(&self.recipe, self.http, self.admin)?;
        self.child = child;
        self.become_ready(&out).await
    }

    async fn become_ready(&mut self, out: &Path) -> anyhow::Result<()> {
        let ready = self.wait_until_ready(out).await;
        ready.with_context(|| {
            let printed = fs::read_to_string(out.with_extension("err")).unwrap_or_default();
            format!("{} does not start; it printed:\n{printed}", self.name())
        })
    }

    async fn wait_until_ready(&mut self, out: &Path) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        (self.http, self.admin) = loop {
            if let Some(found) = self.announced(&fs::read_to_string(out).unwrap_or_default()) {
                break found;
            }
            self.still_waiting(deadline)?;
            tokio::time::sleep(LOOK_EVERY).await;
        };
        let api = Api::of(Addresses { admins: vec![self.admin], ..Addresses::default() })?;
        while !api.is_ready().await {
            self.still_waiting(deadline)?;
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// The addresses it speaks at, once it has printed all of them.
    fn announced(&self, printed: &str) -> Option<(SocketAddr, SocketAddr)> {
        match self.recipe.service {
            Service::Letopis => announced(printed, LISTENING).map(|one| (one, one)),
            service if service.speaks_http() => announced(printed, LISTENING).zip(announced(printed, ADMIN)),
            _ => announced(printed, ADMIN).map(|admin| (self.http, admin)),
        }
    }

    fn still_waiting(&mut self, deadline: Instant) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("it ended before it was ready: {status}");
        }
        ensure!(Instant::now() < deadline, "it is not ready after {PATIENCE:?}");
        Ok(())
    }

    /// What it is.
    #[must_use]
    pub const fn service(&self) -> Service {
        self.recipe.service
    }

    /// Which of its kind, for messages: `normalizer-1`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}-{}", self.recipe.service, self.recipe.number)
    }

    /// Where events are sent to or questions asked, if it takes either. Stays the same over restarts.
    #[must_use]
    pub fn http(&self) -> Option<SocketAddr> {
        self.recipe.service.speaks_http().then_some(self.http)
    }

    /// Where `/livez`, `/readyz` and `/metrics` are. Stays the same over restarts.
    #[must_use]
    pub const fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// The process, while it runs: it changes when somebody restarted it behind our back.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The memory it holds, in bytes, as the kernel counts it.
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        let pid = self.pid().with_context(|| format!("{} does not run", self.name()))?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kilobytes * 1024)
    }

    /// Whether it still runs; a frozen one does.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills it on the spot, as `kill -9` or a power cut would, and waits until it is gone. One that does not run
    /// is left as it is.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        if !self.is_running() {
            return Ok(());
        }
        self.child.kill().await.with_context(|| format!("cannot kill {}", self.name()))
    }

    /// Asks it to stop, as systemd and Kubernetes do, and waits until it has.
    pub async fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        if let Some(pid) = self.pid() {
            send(Signal::Terminate, &[pid]).await?;
        }
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        Ok(ended.with_context(|| format!("{} does not stop", self.name()))??)
    }

    /// Stops its clock: connections stay open and nothing answers, as on a machine that hangs.
    pub async fn freeze(&self) -> anyhow::Result<()> {
        send(Signal::Freeze, &[self.pid().context("it does not run")?]).await
    }

    /// Lets a frozen one go on.
    pub async fn thaw(&self) -> anyhow::Result<()> {
        send(Signal::Thaw, &[self.pid().context("it does not run")?]).await
    }
}

/// Starts the program; gives the file it prints to.
fn launch(recipe: &Recipe, http: SocketAddr, admin: SocketAddr) -> anyhow::Result<(Child, PathBuf)> {
    fs::create_dir_all(&recipe.logs)?;
    let file = |start: u32| recipe.logs.join(format!("{}-{}-{start}.out", recipe.service, recipe.number));
    let out = (0..).map(file).find(|out| !out.exists()).context("too many starts")?;
    let mut command = Command::new(&recipe.program);
    command.args(&recipe.arguments).envs(recipe.environment.iter().cloned());
    match recipe.service {
        Service::Letopis => command.arg("--listen").arg(http.to_string()),
        _ => {
            command.env("LETOPIS__HTTP__LISTEN", http.to_string());
            command.env("LETOPIS__ADMIN__LISTEN", admin.to_string())
        }
    };
    let command = command.stdin(Stdio::null()).stdout(File::create(&out)?);
    let command = command.stderr(File::create(out.with_extension("err"))?).kill_on_drop(true);
    let child = command.spawn().with_context(|| format!("cannot start {}", recipe.program.display()))?;
    Ok((child, out))
}

/// The address out of `listening on http://127.0.0.1:8686`, once the line is whole.
fn announced(printed: &str, words: &str) -> Option<SocketAddr> {
    let lines = printed.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let url = lines.filter_map(|line| line.trim().split_once(words)).map(|(_, url)| url).next()?;
    url.trim_start_matches("http://").trim_end_matches('/').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_a_whole_line_only() {
        let address: SocketAddr = "127.0.0.1:4321".parse().unwrap();
        assert_eq!(announced("hello\nlistening on http://127.0.0.1:4321\n", LISTENING), Some(address));
        assert_eq!(announced("listening on http://127.0.0.1:43", LISTENING), None);
        assert_eq!(announced("listening on http://127.0.0.1:4321\n", ADMIN), None);
    }
}
