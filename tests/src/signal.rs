//! Signals to processes, ours and the engines'.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, ensure};
use tokio::process::Command;

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// SIGTERM: please stop.
    Terminate,
    /// SIGKILL: gone on the spot.
    Kill,
    /// SIGSTOP: hangs with its connections open.
    Freeze,
    /// SIGCONT: goes on.
    Thaw,
}

/// Sends a signal to all of these at once. Those after the first may have ended meanwhile: connections come and go.
///
/// # Errors
/// The first is not there.
pub async fn send(signal: Signal, pids: &[u32]) -> anyhow::Result<()> {
    let name = match signal {
        Signal::Terminate => "TERM",
        Signal::Kill => "KILL",
        Signal::Freeze => "STOP",
        Signal::Thaw => "CONT",
    };
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    let (first, others) = pids.split_first().context("nobody to signal")?;
    // The shell's own `kill`: the program of that name is not on every machine.
    let others = format!("{{ kill -{name} {} 2>/dev/null; true; }}", others.join(" "));
    let command = format!("kill -{name} {first} && {others}");
    let sent = Command::new("sh").arg("-c").arg(&command).output().await?;
    ensure!(sent.status.success(), "{command}: {}", String::from_utf8_lossy(&sent.stderr).trim());
    Ok(())
}

/// A process and everything it started, the eldest first: PostgreSQL has a process for each connection.
pub fn family(pid: u32) -> anyhow::Result<Vec<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(child) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may have ended since it was listed.
        let Ok(status) = fs::read_to_string(format!("/proc/{child}/status")) else { continue };
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok());
        children.entry(parent.unwrap_or_default()).or_default().push(child);
    }
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(parent) = family.get(next) {
        family.extend(children.remove(parent).unwrap_or_default());
        next += 1;
    }
    Ok(family)
}
