//! What processes take of the machine, as the kernel counts it.

use std::collections::BTreeMap;
use std::fs;
use std::ops::{Add, AddAssign};
use std::time::Instant;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::bench::latency::{float, rounded};

/// The kernel's clock of processor time, on every Linux there is: `getconf CLK_TCK`.
const TICKS_A_SECOND: f64 = 100.0;

/// Processor time in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cpu {
    /// In the program.
    pub user: f64,
    /// In the kernel, on its behalf.
    pub system: f64,
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// Now.
    pub resident: u64,
    /// The most it ever was.
    pub peak: u64,
}

/// The processor time of everybody, at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When.
    pub at: Instant,
    processes: BTreeMap<u32, Ticks>,
    machine: Machine,
}

/// The processor time of one process and of its children that ended.
#[derive(Clone, Copy, Debug, Default)]
struct Ticks {
    user: u64,
    system: u64,
    of_the_kernel: bool,
}

/// The processor time of the whole machine.
#[derive(Clone, Copy, Debug, Default)]
struct Machine {
    busy: u64,
    stolen: u64,
}

impl Cpu {
    /// Both.
    #[must_use]
    pub fn total(self) -> f64 {
        self.user + self.system
    }

    /// Spread over so many events, for every hundred thousand of them.
    #[must_use]
    pub fn per_100_000(self, events: u64) -> f64 {
        self.total() * 100_000.0 / float(events.max(1))
    }

    /// In seconds.
    #[must_use]
    pub fn json(self) -> Value {
        json!({"user_s": rounded(self.user), "system_s": rounded(self.system), "total_s": rounded(self.total())})
    }
}

impl Add for Cpu {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { user: self.user + other.user, system: self.system + other.system }
    }
}

impl AddAssign for Cpu {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Memory {
    /// Of a running process.
    ///
    /// # Errors
    /// It does not run.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).context("it does not run")?;
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.trim().trim_end_matches("kB").trim().parse::<u64>().map(|kilobytes| kilobytes * 1024)
        };
        Ok(Self { resident: bytes("VmRSS:")?, peak: bytes("VmHWM:")? })
    }
}

impl Snapshot {
    /// Looks at every process there is.
    ///
    /// # Errors
    /// There is no `/proc`.
    pub fn take() -> anyhow::Result<Self> {
        let at = Instant::now();
        let mut processes = BTreeMap::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            // It may have ended since it was listed.
            let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
            processes.insert(pid, ticks(&stat).with_context(|| format!("/proc/{pid}/stat: {stat}"))?);
        }
        let stat = fs::read_to_string("/proc/stat")?;
        Ok(Self { at, processes, machine: machine(&stat).context("/proc/stat")? })
    }

    /// What these processes have used since an earlier moment, with their children that ended.
    #[must_use]
    pub fn since(&self, before: &Self, pids: &[u32]) -> Cpu {
        let mut sum = Cpu::default();
        for pid in pids {
            let Some(now) = self.processes.get(pid) else { continue };
            let then = before.processes.get(pid).copied().unwrap_or_default();
            sum += Cpu {
                user: seconds(now.user.saturating_sub(then.user)),
                system: seconds(now.system.saturating_sub(then.system)),
            };
        }
        sum
    }

    /// The share of one core that others used than these, those who began and ended in between included. What the
    /// kernel does by itself, mostly the writing of disks, is nobody's.
    #[must_use]
    pub fn others(&self, before: &Self, known: &[u32]) -> f64 {
        let of_the_kernel = self.processes.iter().filter(|(_, ticks)| ticks.of_the_kernel);
        let known: Vec<u32> = of_the_kernel.map(|(pid, _)| *pid).chain(known.iter().copied()).collect();
        let busy = seconds(self.machine.busy.saturating_sub(before.machine.busy));
        let others = busy - self.since(before, &known).total();
        (others / self.passed(before)).max(0.0)
    }

    /// The share of one core that the machine this one is a part of did not give.
    #[must_use]
    pub fn stolen(&self, before: &Self) -> f64 {
        seconds(self.machine.stolen.saturating_sub(before.machine.stolen)) / self.passed(before)
    }

    /// Seconds between the two.
    #[must_use]
    pub fn passed(&self, before: &Self) -> f64 {
        (self.at - before.at).as_secs_f64().max(f64::EPSILON)
    }
}

fn seconds(ticks: u64) -> f64 {
    float(ticks) / TICKS_A_SECOND
}

/// Reads `/proc/PID/stat`: see proc(5).
fn ticks(stat: &str) -> Option<Ticks> {
    const FLAGS: usize = 6;
    const USER: usize = 11;
    const KERNEL_THREAD: u64 = 0x0020_0000;
    // The name of the program stands in brackets and may hold anything; the state follows.
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let field = |at: usize| fields.get(at)?.trim().parse::<u64>().ok();
    Some(Ticks {
        user: field(USER)? + field(USER + 2)?,
        system: field(USER + 1)? + field(USER + 3)?,
        of_the_kernel: field(FLAGS)? & KERNEL_THREAD != 0,
    })
}

/// Reads the first line of `/proc/stat`: user, nice, system, idle, waiting for disks, interrupts of two kinds, stolen.
fn machine(stat: &str) -> Option<Machine> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<u64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let [user, nice, system, _idle, _waiting, _hard, _soft, stolen, ..] = fields[..] else { return None };
    Some(Machine { busy: user + nice + system, stolen })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernel_is_read_whatever_the_program_is_called() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 1 2 3 4 50 20 7 3 20 0 1 0 9 9 9";
        let ticks = ticks(stat).unwrap();
        assert_eq!((ticks.user, ticks.system, ticks.of_the_kernel), (57, 23, false));
        let machine = machine("cpu  10 1 5 100 3 0 2 4 0 0\ncpu0 1").unwrap();
        assert_eq!((machine.busy, machine.stolen), (16, 4));
    }

    #[test]
    fn this_process_has_memory_and_is_seen() {
        let us = std::process::id();
        let memory = Memory::of(us).unwrap();
        assert!(memory.resident > 0 && memory.peak >= memory.resident);
        let now = Snapshot::take().unwrap();
        assert_eq!(now.since(&now, &[us]), Cpu::default());
    }
}
