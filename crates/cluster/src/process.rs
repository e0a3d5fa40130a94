//! How a process of the cluster starts, is probed and stops.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use actix_web::web::ServiceConfig;
use analytics_clickhouse::ClickHouseAnalytics;
use anyhow::Context as _;
use assembly::consumers::Consumers;
use assembly::{health, housekeeping, http, queues};
use bus_redis::RedisBus;
use clap::Parser;
use http_kit::keyring::Keyring;
use ingest_gateway::Door;
use ledger_postgres::PostgresLedger;
use ports::bus::{Group, Topic};
use ports::clock::{Clock, SystemClock};
use prometheus::Registry;
use service_runtime::admin::Admin;
use service_runtime::readiness::Probe;
use service_runtime::supervisor::Supervisor;

use crate::settings::Settings;
use crate::stores;

#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// A settings file; only the lines that differ from the defaults. `letopis-admin settings` prints those.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// A process that is being put together.
pub struct Process {
    /// What it was told.
    pub settings: Settings,
    /// What it counts.
    pub metrics: Registry,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Its components.
    pub supervisor: Supervisor,
}

/// Runs a process until it is told to stop. `assemble` starts its services and says what it depends on.
pub fn run(assemble: impl AsyncFnOnce(&mut Process) -> anyhow::Result<Vec<Probe>>) -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ran = runtime.map_err(Into::into).and_then(|runtime| {
        runtime.block_on(async {
            let settings = Settings::load(arguments.config.as_deref())?;
            service_runtime::telemetry::init(&settings.log)?;
            live(settings, assemble).await
        })
    });
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            // The log may not be there yet, and who starts a process by hand looks here.
            drop(writeln!(std::io::stderr(), "error: {cause:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn live(
    settings: Settings,
    assemble: impl AsyncFnOnce(&mut Process) -> anyhow::Result<Vec<Probe>>,
) -> anyhow::Result<()> {
    let supervisor = Supervisor::new(settings.http.shutdown_grace);
    let (metrics, clock) = (Registry::new(), Arc::new(SystemClock));
    let mut process = Process { settings, metrics, clock, supervisor };
    let probes = assemble(&mut process).await?;
    let readiness = health::watch(probes, &mut process.supervisor);
    if let Some(listen) = process.settings.admin.listen {
        let admin = Admin { readiness, metrics: process.metrics.clone() };
        let address = http::serve_admin(listen, admin, &mut process.supervisor)?;
        announce(&format!("admin on http://{address}"))?;
    }
    process.supervisor.run_until_stopped().await
}

/// A line for whoever waits for the process to start.
fn announce(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot write to standard output")
}

impl Process {
    /// Opens the bus, and has it looked after: whether it is set up safely, and who left it.
    pub fn bus(&mut self) -> anyhow::Result<Arc<RedisBus>> {
        let bus = stores::bus(&self.settings)?;
        let leaving = self.supervisor.leaving();
        let looking_after = stores::look_after_bus(bus.clone(), self.settings.redis.safety, leaving);
        self.supervisor.spawn("bus keeper", looking_after);
        Ok(bus)
    }

    /// Opens the ledger; the process ends when its schema is not the one this release works with.
    pub fn ledger(&mut self) -> anyhow::Result<Arc<PostgresLedger>> {
        let ledger = stores::ledger(&self.settings)?;
        let checking = stores::check_ledger(ledger.clone(), self.supervisor.leaving());
        self.supervisor.spawn("ledger schema", checking);
        Ok(ledger)
    }

    /// Opens analytics; the process ends when its schema is not the one this release works with.
    pub fn analytics(&mut self) -> anyhow::Result<Arc<ClickHouseAnalytics>> {
        let analytics = stores::analytics(&self.settings)?;
        let checking = stores::check_analytics(analytics.clone(), self.supervisor.leaving());
        self.supervisor.spawn("analytics schema", checking);
        Ok(analytics)
    }

    /// The registry's copy in memory. It may be empty at first: with the ledger down there is nothing to read.
    pub async fn keyring(&mut self, ledger: &Arc<PostgresLedger>) -> Arc<Keyring> {
        let keyring = Keyring::new(ledger.clone(), self.clock.clone());
        keyring.refresh().await;
        housekeeping::follow_registry(&keyring, &mut self.supervisor);
        keyring
    }

    /// What starts consumers of the bus; `readers` are those this process starts, and measures.
    pub fn consumers(
        &mut self,
        bus: &Arc<RedisBus>,
        readers: &[(Topic, Group)],
    ) -> anyhow::Result<Consumers> {
        let Self { settings, metrics, clock, supervisor } = self;
        housekeeping::measure_backlogs(bus.clone(), readers, clock, metrics, supervisor)?;
        Consumers::new(bus.clone(), &settings.consumer, settings.bus.claim_ttl, metrics)
    }

    /// Starts taking letters out of customers' queues.
    pub fn queues(&mut self, door: &Arc<Door>) -> anyhow::Result<()> {
        queues::start(&self.settings.queues, &stores::brokers(), door, &self.metrics, &mut self.supervisor)
    }

    /// Starts answering on the port for senders and readers.
    pub fn serve(
        &mut self,
        routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> anyhow::Result<SocketAddr> {
        let address = http::serve(&self.settings.http, routes, &self.metrics, &mut self.supervisor)?;
        announce(&format!("listening on http://{address}"))?;
        Ok(address)
    }
}
