//! Writes events into the ledger and into analytics: two groups, so that one store being down never stops the other.

use std::process::ExitCode;
use std::sync::Arc;

use assembly::{health, housekeeping};
use cluster::process;
use ports::bus::{Group, READERS};
use ports::ledger::Ledger;

fn main() -> ExitCode {
    process::run(async |process| {
        let bus = process.bus()?;
        let (postgres, analytics) = (process.ledger()?, process.analytics()?);
        let ledger: Arc<dyn Ledger> = postgres.clone();
        let readers: Vec<_> = READERS.into_iter().filter(|(_, group)| *group != Group::Normalizer).collect();
        let consumers = process.consumers(&bus, &readers)?;
        consumers.ledger(&ledger, &process.clock, &process.metrics, &mut process.supervisor)?;
        let batch = process.settings.clickhouse.max_rows.get();
        consumers.analytics(analytics.clone(), batch, &mut process.supervisor);
        let retention = (&process.settings.retention).into();
        housekeeping::sweep(
            ledger.clone(),
            postgres,
            analytics.clone(),
            &process.clock,
            retention,
            &mut process.supervisor,
        );
        Ok(vec![health::bus(bus), health::ledger(ledger), health::analytics(analytics)])
    })
}
