//! HTTP servers as components of a process.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer, web};
use anyhow::Context as _;
use http_kit::telemetry::{RequestMetrics, Telemetry};
use prometheus::Registry;
use service_runtime::admin::{self, Admin};
use service_runtime::supervisor::Supervisor;

use crate::settings;

/// How long an idle connection stays open: longer than proxies and clients keep theirs (60 s is common), so that it is
/// they who close it and never a request that meets a closing door.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Binds the port and starts answering; gives the address, which tells the port where any was asked for.
///
/// Beside `routes`, the server explains its problems and its API, and answers everything else with a problem.
pub fn serve(
    settings: &settings::Http,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    metrics: &Registry,
    supervisor: &mut Supervisor,
) -> anyhow::Result<SocketAddr> {
    let requests = Telemetry::new(RequestMetrics::register(metrics)?);
    let app = move || {
        App::new()
            .wrap(requests.clone())
            .configure(http_kit::extract::configure)
            .configure(routes.clone())
            .configure(http_kit::openapi::routes)
            .configure(http_kit::explain::routes)
            .default_service(web::to(http_kit::endpoint::not_found))
    };
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        chosen => chosen,
    };
    let server = HttpServer::new(app)
        .workers(workers)
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(settings.request_timeout)
        .shutdown_timeout(settings.shutdown_grace.as_secs() / 2)
        .disable_signals()
        .bind(settings.listen)
        .with_context(|| format!("cannot listen on {}: is another server there?", settings.listen))?;
    let address = *server.addrs().first().context("the server listens nowhere")?;
    run(server.run(), "http", supervisor);
    Ok(address)
}

/// Binds the port for probes and Prometheus. It has no guard: it is for inside the network only.
pub fn serve_admin(
    listen: SocketAddr,
    admin: Admin,
    supervisor: &mut Supervisor,
) -> anyhow::Result<SocketAddr> {
    let app = move || App::new().configure(|service| admin.clone().mount(service, admin::for_everybody));
    let server = HttpServer::new(app)
        .workers(1)
        .disable_signals()
        .bind(listen)
        .with_context(|| format!("cannot listen on {listen} for probes: is another server there?"))?;
    let address = *server.addrs().first().context("the server listens nowhere")?;
    run(server.run(), "admin", supervisor);
    Ok(address)
}

/// Runs a server until the process leaves; requests in hand are answered first.
fn run(server: actix_web::dev::Server, name: &'static str, supervisor: &mut Supervisor) {
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
