//! The one box: every service in one process, behind one port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{App, HttpServer};
use anyhow::Context as _;
use bus_consumer::backlog::BacklogMeter;
use bus_consumer::metrics::ConsumerMetrics;
use bus_consumer::{Consumer, Handler, Policy};
use console::Console;
use domain::id::TenantId;
use http_kit::keyring::Keyring;
use http_kit::telemetry::{RequestMetrics, Telemetry};
use ingest_gateway::{Gateway, GatewayMetrics};
use normalizer::{Normalize, NormalizerMetrics};
use ports::analytics::AnalyticsStore;
use ports::bus::{EventBus, Group, Subscription, Topic};
use ports::clock::{Clock, SystemClock};
use ports::ledger::Ledger;
use prometheus::Registry;
use service_runtime::admin::{self, Admin};
use service_runtime::readiness::{Probe, Readiness};
use service_runtime::supervisor::Supervisor;
use storage_writer::analytics::WriteAnalytics;
use storage_writer::ledger::{WriteLedger, WriteQuarantine};
use storage_writer::metrics::WriterMetrics;
use storage_writer::retention::Sweeper;

use crate::home::Home;
use crate::settings::Settings;

/// Who reads what. A new service on the bus adds its line here.
const READERS: [(Topic, Group); 5] = [
    (Topic::Raw, Group::Normalizer),
    (Topic::Replay, Group::Normalizer),
    (Topic::Events, Group::Ledger),
    (Topic::Quarantine, Group::Ledger),
    (Topic::Events, Group::Analytics),
];

/// How long an idle connection stays open: longer than proxies and clients keep theirs (60 s is common), so that it is
/// they who close it and never a request that meets a closing door.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

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

    for (topic, group) in READERS {
        home.bus.ensure_group(topic, group).await?;
    }
    // The lock says that no other process consumes here: what the one before had claimed is free at once.
    home.bus.release_claims().await?;

    let keyring = Keyring::new(home.ledger.clone(), clock.clone());
    keyring.refresh().await;
    let polling = keyring.clone().run(supervisor.leaving());
    supervisor.spawn("keyring", async move {
        polling.await;
        Ok(())
    });

    consume(settings, &home, &clock, &metrics, &mut supervisor)?;
    housekeeping(settings, &home, &clock, &metrics, &mut supervisor)?;
    let admin = Admin { readiness: readiness(&home, &mut supervisor), metrics: metrics.clone() };
    let gateway = Arc::new(gateway(settings, &home, &keyring, &clock, &metrics)?);
    let console = Arc::new(console(&home, &keyring, &clock, open_tenant));
    let requests = Telemetry::new(RequestMetrics::register(&metrics)?);
    let address = listen(settings, gateway, console, requests, admin, &mut supervisor)?;
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
    })
}

fn console(
    home: &Home,
    keyring: &Arc<Keyring>,
    clock: &Arc<dyn Clock>,
    open_tenant: Option<TenantId>,
) -> Console {
    Console {
        ledger: home.ledger.clone(),
        quarantine: home.ledger.clone(),
        analytics: home.analytics.clone(),
        bus: home.bus.clone(),
        keyring: keyring.clone(),
        vault: home.vault.clone(),
        clock: clock.clone(),
        open_tenant,
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
    let consumers = Consumers {
        bus: home.bus.clone(),
        metrics: ConsumerMetrics::register(metrics)?,
        claim_ttl: settings.bus.claim_ttl,
        policy: Policy {
            batch: settings.consumer.batch.get(),
            max_attempts: settings.consumer.max_attempts.get(),
            ..Policy::default()
        },
    };
    let normalizing = NormalizerMetrics::register(metrics)?;
    let writing = WriterMetrics::register(metrics)?;
    let ledger: Arc<dyn Ledger> = home.ledger.clone();
    for (topic, group) in READERS {
        match (topic, group) {
            (_, Group::Normalizer) => {
                let handler = Normalize { vault: home.vault.clone(), metrics: normalizing.clone() };
                consumers.spawn(supervisor, "normalizer", topic, group, handler);
            }
            (Topic::Quarantine, _) => {
                let handler = WriteQuarantine { ledger: ledger.clone(), clock: clock.clone() };
                consumers.spawn(supervisor, "quarantine writer", topic, group, handler);
            }
            (_, Group::Ledger) => {
                let handler =
                    WriteLedger { ledger: ledger.clone(), clock: clock.clone(), metrics: writing.clone() };
                consumers.spawn(supervisor, "ledger writer", topic, group, handler);
            }
            (_, Group::Analytics) => {
                let handler = WriteAnalytics { analytics: home.analytics.clone() };
                consumers.spawn(supervisor, "analytics writer", topic, group, handler);
            }
        }
    }
    Ok(())
}

struct Consumers {
    bus: Arc<dyn EventBus>,
    metrics: ConsumerMetrics,
    claim_ttl: Duration,
    policy: Policy,
}

impl Consumers {
    fn spawn<H: Handler>(
        &self,
        supervisor: &mut Supervisor,
        name: &'static str,
        topic: Topic,
        group: Group,
        handler: H,
    ) {
        let consumer = format!("{}-{}-{}", group.as_str(), topic.as_str(), std::process::id());
        let subscription = Subscription { topic, group, consumer, claim_ttl: self.claim_ttl };
        let consumer = Consumer {
            bus: self.bus.clone(),
            metrics: self.metrics.narrowed(&subscription),
            subscription,
            policy: self.policy.clone(),
            handler,
        };
        let leaving = supervisor.leaving();
        supervisor.spawn(name, async move {
            consumer.run(leaving).await;
            Ok(())
        });
    }
}

/// Starts what runs on a timer: measuring backlogs, deleting what is past its time.
fn housekeeping(
    settings: &Settings,
    home: &Home,
    clock: &Arc<dyn Clock>,
    metrics: &Registry,
    supervisor: &mut Supervisor,
) -> anyhow::Result<()> {
    let meter = BacklogMeter::register(metrics, home.bus.clone(), clock.clone())?;
    let measuring = meter.run(READERS.to_vec(), Duration::from_secs(15), supervisor.leaving());
    supervisor.spawn("backlog meter", async move {
        measuring.await;
        Ok(())
    });
    let sweeper = Sweeper {
        ledger: home.ledger.clone(),
        analytics: home.analytics.clone(),
        clock: clock.clone(),
        retention: domain::retention::Retention {
            events: settings.retention.events,
            rollups: settings.retention.rollups,
        },
        interval: Duration::from_secs(60 * 60),
    };
    let sweeping = sweeper.run(supervisor.leaving());
    supervisor.spawn("sweeper", async move {
        sweeping.await;
        Ok(())
    });
    let forgetting =
        ingest_gateway::forget_old_answers(home.bus.clone(), clock.clone(), supervisor.leaving());
    supervisor.spawn("idempotency sweeper", async move {
        forgetting.await;
        Ok(())
    });
    Ok(())
}

fn readiness(home: &Arc<Home>, supervisor: &mut Supervisor) -> Readiness {
    let (bus, ledger, analytics) = (home.bus.clone(), home.ledger.clone(), home.analytics.clone());
    let probes = vec![
        Probe::new("bus", move || {
            let bus = bus.clone();
            async move { EventBus::probe(&*bus).await }
        }),
        Probe::new("ledger", move || {
            let ledger = ledger.clone();
            async move { Ledger::probe(&*ledger).await }
        }),
        Probe::new("analytics", move || {
            let analytics = analytics.clone();
            async move { AnalyticsStore::probe(&*analytics).await }
        }),
    ];
    let readiness = Readiness::new(&probes, supervisor.leaving());
    let probing = readiness.clone().run(probes);
    supervisor.spawn("readiness", async move {
        probing.await;
        Ok(())
    });
    readiness
}

/// Binds the port, and the admin port if there is one, and starts answering.
fn listen(
    settings: &Settings,
    gateway: Arc<Gateway>,
    console: Arc<Console>,
    requests: Telemetry,
    admin: Admin,
    supervisor: &mut Supervisor,
) -> anyhow::Result<SocketAddr> {
    let own_admin = admin.clone();
    // Made once, so that the workers share what they hold, the rate limits among it.
    let (gateway, console) = (ingest_gateway::routes(gateway), console::routes(console));
    let on_one_port = move || {
        App::new()
            .wrap(requests.clone())
            .configure(http_kit::extract::configure)
            .configure(gateway.clone())
            .configure(console.clone())
            .configure(http_kit::openapi::routes)
            .configure(http_kit::explain::routes)
            .configure(|service| {
                admin.clone().mount(service, |context| http_kit::local::is_local(context.head()))
            })
            .default_service(actix_web::web::to(http_kit::endpoint::not_found))
    };
    let workers = match settings.http.workers {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        chosen => chosen,
    };
    let server = HttpServer::new(on_one_port)
        .workers(workers)
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(settings.http.request_timeout)
        .shutdown_timeout(settings.http.shutdown_grace.as_secs() / 2)
        .disable_signals()
        .bind(settings.http.listen)
        .with_context(|| format!("cannot listen on {}: is another server there?", settings.http.listen))?;
    let address = *server.addrs().first().context("the server listens nowhere")?;
    run_server(server.run(), "http", supervisor);
    if let Some(listen) = settings.admin.listen {
        let own_port =
            move || App::new().configure(|service| own_admin.clone().mount(service, admin::for_everybody));
        let server = HttpServer::new(own_port).workers(1).disable_signals().bind(listen)?;
        run_server(server.run(), "admin", supervisor);
    }
    Ok(address)
}

/// Runs a server until the process leaves; requests in hand are answered first.
fn run_server(server: actix_web::dev::Server, name: &'static str, supervisor: &mut Supervisor) {
    let (handle, leaving) = (server.handle(), supervisor.leaving());
    supervisor.spawn(name, async move {
        let mut server = std::pin::pin!(server);
        tokio::select! {
            ended = &mut server => return Ok(ended?),
            () = leaving.cancelled() => {}
        }
        let (ended, ()) = tokio::join!(server, handle.stop(true));
        Ok(ended?)
    });
}
