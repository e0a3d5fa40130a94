//! The read API and the page.

use std::process::ExitCode;
use std::sync::Arc;

use assembly::health;
use cluster::{process, stores};
use console::Console;

fn main() -> ExitCode {
    process::run(async |process| {
        let (bus, ledger, analytics) = (process.bus()?, process.ledger()?, process.analytics()?);
        let keyring = process.keyring(&ledger).await;
        let console = Console {
            ledger: ledger.clone(),
            subjects: ledger.clone(),
            quarantine: ledger.clone(),
            audit: ledger.clone(),
            sources: ledger.clone(),
            registry: ledger.clone(),
            analytics: analytics.clone(),
            bus: bus.clone(),
            keyring: keyring.clone(),
            vault: stores::vault(&process.settings)?,
            clock: process.clock.clone(),
            open_tenant: None,
            doors: process.settings.http.public_url.clone(),
        };
        process.serve(console::routes(Arc::new(console)))?;
        // Conversations can be read without the figures, and both without the bus.
        Ok(vec![
            health::ledger(ledger),
            health::keys(keyring),
            health::analytics(analytics).advisory(),
            health::bus(bus).advisory(),
        ])
    })
}
