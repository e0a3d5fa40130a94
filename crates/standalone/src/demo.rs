//! `letopis demo`: the one box with a made-up salon playing through its real HTTP door.

use std::time::Duration;

use anyhow::Context as _;
use command_line::{Player, Print, SalonDoors, try_it};
use domain::id::TenantId;
use domain::registry::Trade;
use serde_json::json;

use crate::cli::{Common, Demo};
use crate::serve::{self, Server};
use crate::settings::Settings;
use crate::welcome;

const TENANT: &str = "demo";

/// Runs the demo until it is stopped.
pub(crate) async fn run(common: &Common, options: Demo, print: &Print) -> anyhow::Result<()> {
    // Without a folder of the visitor's own, everything is gone at the end.
    let temporary = tempfile::Builder::new().prefix("letopis-demo-").tempdir()?;
    let data = common.data.clone().unwrap_or_else(|| temporary.path().to_path_buf());
    let settings = Settings::load(common.config.as_deref(), Some(data), options.listen)?;
    service_runtime::telemetry::init(&settings.log)?;
    let tenant = TenantId::parse(TENANT)?;
    let mut server = serve::start(&settings, Some(tenant.clone())).await?;
    let player = open_doors(&settings, &server, &tenant, print).await?;
    let leaving = server.supervisor.leaving();
    server.supervisor.spawn("demo", async move {
        tokio::select! {
            () = leaving.cancelled() => return Ok(()),
            played = player.play(&options.play) => played?,
        }
        // What was played stays to be looked at.
        leaving.cancelled().await;
        Ok(())
    });
    server.supervisor.run_until_stopped().await
}

/// Adds the salon and its doors, and says how to look and how to send.
async fn open_doors(
    settings: &Settings,
    server: &Server,
    tenant: &TenantId,
    print: &Print,
) -> anyhow::Result<Player> {
    let desk = server.home.desk();
    desk.add_tenant(tenant, "Салон «Весна»", Trade::Ordinary).await.context(
        "this data folder holds a demo already: give --data another folder, or none to use a temporary one",
    )?;
    let doors = SalonDoors::open(&desk, tenant).await?;
    server.keyring.refresh().await;
    let base = welcome::base_url(settings, server.address);
    let (ingest_key, read_key) = (doors.ingest.expose(), doors.read.expose());
    let local = format!("http://{}", server.address);
    print.say(
        &json!({
            "listening": local, "page": format!("{base}/"), "keys": {"ingest": ingest_key, "read": read_key},
        }),
        &format!(
            "\nЛетопись: демонстрационный салон. Letopis: a made-up salon.\n\n  \
             страница / page        {base}/\n  \
             ключ / ingest key      {ingest_key}\n  \
             с другой машины / from another machine, the page asks for a key: {read_key}\n\n{}\n\n{}",
            try_it(&base, &base, ingest_key),
            welcome::listening(server.address),
        ),
    );
    // The server is in this process and knows the doors already.
    Player::new(&local, &doors, Duration::ZERO, print)
}
