//! Turns what was accepted into canonical events.

use std::process::ExitCode;

use assembly::health;
use cluster::{process, stores};
use ports::bus::{Group, READERS};

fn main() -> ExitCode {
    process::run(async |process| {
        let bus = process.bus()?;
        let vault = stores::vault(&process.settings)?;
        let readers: Vec<_> = READERS.into_iter().filter(|(_, group)| *group == Group::Normalizer).collect();
        let consumers = process.consumers(&bus, &readers)?;
        consumers.normalizer(&vault, &process.metrics, &mut process.supervisor)?;
        Ok(vec![health::bus(bus)])
    })
}
