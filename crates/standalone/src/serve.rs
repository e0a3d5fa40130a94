//! The one box: every service in one process, behind one port.

use std::net::SocketAddr;
use std::sync::Arc;

use assembly::consumers::Consumers;
use assembly::queues::Brokers;
use assembly::{ensure_groups, health, housekeeping, http, queues};
use console::Console;
use domain::id::TenantId;
use http_kit::keyring::Keyring;
use ingest_gateway::{Door, Gateway, GatewayMetrics};
use ports::bus::{EventBus, READERS};
use ports::clock::{Clock, SystemClock};
use ports::ledger::Ledger;
use prometheus::Registry;
use queue_amqp::AmqpQueue;
use queue_redis::RedisQueue;
use service_runtime::admin::Admin;
use service_runtime::supervisor::Supervisor;

use crate::home::Home;
use crate::settings::Settings;

/// A server that listens, and what was opened for it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) home: Arc<Home>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) supervisor: Supervisor,
    /// Held as long as the server runs.
    _lock: std::fs::File,
}

/// Puts the box together and starts it. `open_tenant` is readable by visitors from this machine without a key.
pub(crate) async fn start(settings: &Settings, open_tenant: Option<TenantId>) -> anyhow::Result<Server> {
    let lock = Home::lock(settings)?;
    let home = Arc::new(Home::open(settings)?);
    let metrics = Registry::new();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut supervisor = Supervisor::new(settings.http.shutdown_grace);

    let bus: Arc<dyn EventBus> = home.bus.clone();
    ensure_groups(&bus).await?;
    // The lock says that no other process consumes here: what the one before had claimed is free at once.
    home.bus.release_claims().await?;

    let keyring = Keyring::new(home.ledger.clone(), clock.clone());
    keyring.refresh().await;
    housekeeping::follow_registry(&keyring, &mut supervisor);
    consume(settings, &home, &clock, &metrics, &mut supervisor)?;
    housekeeping::measure_backlogs(bus, &READERS, &clock, &metrics, &mut supervisor)?;
    let retention = (&settings.retention).into();
    housekeeping::sweep(
        home.ledger.clone(),
        home.ledger.clone(),
        home.analytics.clone(),
        &clock,
        retention,
        &mut supervisor,
    );
    housekeeping::forget_answers(home.bus.clone(), &clock, &mut supervisor);
    housekeeping::reseal(home.resealer(), &mut supervisor);

    let probes = vec![
        health::bus(home.bus.clone()),
        health::ledger(home.ledger.clone()),
        health::analytics(home.analytics.clone()),
    ];
    let admin = Admin { readiness: health::watch(probes, &mut supervisor), metrics: metrics.clone() };
    let gateway = gateway(settings, &home, &keyring, &clock, &metrics)?;
    housekeeping::tell_refusals(&gateway.refusals, home.ledger.clone(), &mut supervisor);
    let door = Door::new(gateway);
    queues::start(&settings.queues, &brokers(), &door, &metrics, &mut supervisor)?;
    let console = Arc::new(console(settings, &home, &keyring, &clock, open_tenant));
    let address = listen(settings, door, console, admin, &metrics, &mut supervisor)?;
    Ok(Server { address, home, keyring, supervisor, _lock: lock })
}

fn gateway(
    settings: &Settings,
    home: &Home,
    keyring: &Arc<Keyring>,
    clock: &Arc<dyn Clock>,
    metrics: &Registry,
) -> anyhow::Result<Gateway> {
    Ok(Gateway {
        config: settings.ingest.clone(),
        bus: home.bus.clone(),
        idempotency: home.bus.clone(),
        keyring: keyring.clone(),
        vault: home.vault.clone(),
        clock: clock.clone(),
        metrics: GatewayMetrics::register(metrics)?,
        refusals: Arc::default(),
    })
}

/// Whose queues can be doors.
fn brokers() -> [Brokers; 2] {
    [
        Brokers { schemes: &queue_amqp::SCHEMES, open: |options| Ok(Arc::new(AmqpQueue::new(options)?)) },
        Brokers { schemes: &queue_redis::SCHEMES, open: |options| Ok(Arc::new(RedisQueue::new(options)?)) },
    ]
}

fn console(
    settings: &Settings,
    home: &Home,
    keyring: &Arc<Keyring>,
    clock: &Arc<dyn Clock>,
    open_tenant: Option<TenantId>,
) -> Console {
    Console {
        ledger: home.ledger.clone(),
        subjects: home.ledger.clone(),
        quarantine: home.ledger.clone(),
        audit: home.ledger.clone(),
        sources: home.ledger.clone(),
        registry: home.ledger.clone(),
        analytics: home.analytics.clone(),
        bus: home.bus.clone(),
        keyring: keyring.clone(),
        vault: home.vault.clone(),
        clock: clock.clone(),
        open_tenant,
        doors: settings.http.public_url.clone(),
    }
}

/// Starts a consumer for every line of [`READERS`].
fn consume(
    settings: &Settings,
    home: &Home,
    clock: &Arc<dyn Clock>,
    metrics: &Registry,
    supervisor: &mut Supervisor,
) -> anyhow::Result<()> {
    let consumers = Consumers::new(home.bus.clone(), &settings.consumer, settings.bus.claim_ttl, metrics)?;
    let ledger: Arc<dyn Ledger> = home.ledger.clone();
    consumers.normalizer(&home.vault, metrics, supervisor)?;
    consumers.ledger(&ledger, clock, metrics, supervisor)?;
    consumers.analytics(home.analytics.clone(), consumers.batch(), supervisor);
    Ok(())
}

/// Everything on one port, the admin endpoints for callers on this machine only; and those on a port of their own, if
/// there is one.
fn listen(
    settings: &Settings,
    door: Arc<Door>,
    console: Arc<Console>,
    admin: Admin,
    metrics: &Registry,
    supervisor: &mut Supervisor,
) -> anyhow::Result<SocketAddr> {
    // Made once, so that the workers share what they hold, the rate limits among it.
    let (gateway, console, own) = (ingest_gateway::routes(door), console::routes(console), admin.clone());
    let on_one_port = move |service: &mut actix_web::web::ServiceConfig| {
        service.configure(gateway.clone()).configure(console.clone());
        admin.clone().mount(service, |context| http_kit::local::is_local(context.head()));
    };
    let address = http::serve(&settings.http, on_one_port, metrics, supervisor)?;
    if let Some(listen) = settings.admin.listen {
        http::serve_admin(listen, own, supervisor)?;
    }
    Ok(address)
}
