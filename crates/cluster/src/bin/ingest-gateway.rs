//! The door: takes events and webhooks, answers 2xx once they are on the bus; and the letters of customers' queues.

use std::process::ExitCode;
use std::sync::Arc;

use assembly::{health, housekeeping};
use cluster::{process, stores};
use ingest_gateway::{Door, Gateway, GatewayMetrics};

fn main() -> ExitCode {
    process::run(async |process| {
        let bus = process.bus()?;
        let ledger = process.ledger()?;
        let keyring = process.keyring(&ledger).await;
        housekeeping::forget_answers(bus.clone(), &process.clock, &mut process.supervisor);
        let gateway = Gateway {
            config: process.settings.ingest.clone(),
            bus: bus.clone(),
            idempotency: bus.clone(),
            keyring: keyring.clone(),
            vault: stores::vault(&process.settings)?,
            clock: process.clock.clone(),
            metrics: GatewayMetrics::register(&process.metrics)?,
            refusals: Arc::default(),
        };
        housekeeping::tell_refusals(&gateway.refusals, ledger.clone(), &mut process.supervisor);
        let door = Door::new(gateway);
        process.queues(&door)?;
        process.serve(ingest_gateway::routes(door))?;
        // It works from its copy of the registry: the ledger being down is worth knowing, and no reason to stay away.
        Ok(vec![health::bus(bus), health::keys(keyring), health::registry(ledger).advisory()])
    })
}
