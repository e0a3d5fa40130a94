//! The machine figures were taken on, and whether it had anything else to do.

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::process::Command;

use crate::bench::latency::rounded;

/// A load average above it means that somebody was at work before we began.
const QUIET_LOAD: f64 = 0.5;
/// The share of one core that others may use meanwhile.
const QUIET_OTHERS: f64 = 0.05;
/// The kernel renews its load average no sooner.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What stands beside every figure.
#[derive(Clone, Debug)]
pub struct Machine {
    /// What the maker calls the processor.
    pub processor: String,
    /// How many cores we may use.
    pub cores: usize,
    /// In bytes.
    pub memory: u64,
    /// The kernel's release.
    pub kernel: String,
    /// The file system of the data, and what it lies on.
    pub disk: String,
    /// The load average of the last minute before we began.
    pub load: f64,
    /// The commit, and whether there were changes besides.
    pub commit: String,
    /// When, in UTC.
    pub date: OffsetDateTime,
}

impl Machine {
    /// Looks at it; to be called before anything is started. The data will lie in `folder`.
    ///
    /// # Errors
    /// There is no `/proc`.
    pub async fn look(folder: &Path) -> anyhow::Result<Self> {
        let cpus = fs::read_to_string("/proc/cpuinfo")?;
        let memory = fs::read_to_string("/proc/meminfo")?;
        let kilobytes = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
        let kilobytes =
            kilobytes.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
        Ok(Self {
            processor: processor(&cpus).unwrap_or("unknown").to_owned(),
            cores: available_parallelism()?.get(),
            memory: kilobytes.context("no MemTotal")? * 1024,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            disk: disk(&fs::read_to_string("/proc/mounts")?, folder).unwrap_or_else(|| "unknown".to_owned()),
            load: load()?,
            commit: commit().await,
            date: OffsetDateTime::now_utc(),
        })
    }

    /// Waits until the machine is quiet, for so long at the most, and notes its load anew.
    ///
    /// # Errors
    /// There is no `/proc`.
    pub async fn wait_until_quiet(&mut self, patience: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + patience;
        while self.load > QUIET_LOAD && Instant::now() < deadline {
            tokio::time::sleep(LOOK_EVERY).await;
            self.load = load()?;
        }
        Ok(())
    }

    /// Why figures taken now are not to be trusted; nothing when the machine was quiet. `others` and `stolen` are
    /// shares of one core, used by others and not given by the host while we measured.
    #[must_use]
    pub fn noise(&self, others: f64, stolen: f64) -> Vec<String> {
        let mut noise = Vec::new();
        if self.load > QUIET_LOAD {
            noise.push(format!("the load average was {:.2} before it began", self.load));
        }
        if others > QUIET_OTHERS {
            noise.push(format!("other processes used {:.0} % of a core meanwhile", others * 100.0));
        }
        if stolen > QUIET_OTHERS {
            noise.push(format!("the host kept {:.0} % of a core to itself meanwhile", stolen * 100.0));
        }
        if self.disk.starts_with("tmpfs") {
            noise.push("the data lay in memory: set TMPDIR to a folder on a disk".to_owned());
        }
        noise
    }

    /// One line of it.
    #[must_use]
    pub fn shown(&self) -> String {
        format!(
            "{} × {}, {:.0} GiB, Linux {}, {}; load average before {:.2}",
            self.cores,
            self.processor,
            crate::bench::latency::float(self.memory >> 20) / 1024.0,
            self.kernel,
            self.disk,
            self.load
        )
    }

    /// All of it.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "processor": self.processor, "cores": self.cores, "memory_bytes": self.memory, "kernel": self.kernel,
            "disk": self.disk, "load_before": rounded(self.load),
        })
    }

    /// When, as a person writes it.
    #[must_use]
    pub fn date(&self) -> String {
        self.date.replace_nanosecond(0).unwrap_or(self.date).format(&Rfc3339).unwrap_or_default()
    }
}

fn processor(cpuinfo: &str) -> Option<&str> {
    cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name))
}

fn load() -> anyhow::Result<f64> {
    let line = fs::read_to_string("/proc/loadavg")?;
    line.split(' ').next().unwrap_or_default().parse().context("/proc/loadavg")
}

/// `ext4 on /dev/vda`: of the mount whose path is the longest that leads to the folder.
fn disk(mounts: &str, folder: &Path) -> Option<String> {
    let mounts = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let over = mounts.filter_map(|fields| match fields[..] {
        [device, at, kind, ..] if folder.starts_with(at) => Some((at.len(), format!("{kind} on {device}"))),
        _ => None,
    });
    // Of two mounts at one place the later one is seen.
    over.max_by_key(|(length, _)| *length).map(|(_, shown)| shown)
}

async fn commit() -> String {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let describe = ["describe", "--always", "--exclude=*", "--abbrev=12", "--dirty"];
    let asked = Command::new("git").args(["-C", here]).args(describe).output().await;
    match asked {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        _ => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_is_the_mount_nearest_to_the_folder() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tmpo xfs rw 0 0\n";
        assert_eq!(disk(mounts, Path::new("/tmp/x")).as_deref(), Some("tmpfs on tmpfs"));
        assert_eq!(disk(mounts, Path::new("/home")).as_deref(), Some("ext4 on /dev/a"));
    }

    #[test]
    fn the_processor_is_called_as_its_maker_does() {
        assert_eq!(processor("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n"), Some("Some CPU @ 2 GHz"));
    }
}
