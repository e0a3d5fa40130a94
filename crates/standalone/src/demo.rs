//! `letopis demo`: the one box with a made-up salon playing through its real HTTP door.

use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::Context as _;
use domain::registry::{Scope, SourceKind};
use indicatif::{ProgressBar, ProgressStyle};
use ports::clock::{Clock as _, SystemClock};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use simulator::{Door, Live, Salon, SalonConfig};
use tokio_util::sync::CancellationToken;

use crate::cli::{Common, Demo};
use crate::commands::send::{client, events_url};
use crate::commands::source::hook_url;
use crate::print::Print;
use crate::serve::{self, Server};
use crate::settings::Settings;
use crate::welcome;

const TENANT: &str = "demo";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Canonical events sent in one request; a messenger's updates come one by one, as the messenger sends them.
const BATCH: usize = 250;
/// Ninety days in a few seconds need more than a salon does.
const RATE: Option<NonZeroU32> = NonZeroU32::new(1_000_000);

/// Runs the demo until it is stopped.
pub(crate) async fn run(common: &Common, options: Demo, print: &Print) -> anyhow::Result<()> {
    // Without a folder of the visitor's own, everything is gone at the end.
    let temporary = tempfile::Builder::new().prefix("letopis-demo-").tempdir()?;
    let data = common.data.clone().unwrap_or_else(|| temporary.path().to_path_buf());
    let settings = Settings::load(common.config.as_deref(), Some(data), options.listen)?;
    service_runtime::telemetry::init(&settings.log)?;
    let tenant = domain::id::TenantId::parse(TENANT)?;
    let mut server = serve::start(&settings, Some(tenant)).await?;
    let player = open_doors(&settings, &server, print).await?;
    let leaving = server.supervisor.leaving();
    server.supervisor.spawn("demo", async move {
        tokio::select! {
            () = leaving.cancelled() => Ok(()),
            played = play(player, options, leaving.clone()) => played,
        }
    });
    server.supervisor.run_until_stopped().await
}

/// Adds the salon and its doors, and says how to look and how to send.
async fn open_doors(settings: &Settings, server: &Server, print: &Print) -> anyhow::Result<Player> {
    let home = &server.home;
    let tenant = welcome::add_tenant(home, TENANT, "Салон «Весна»").await.context(
        "this data folder holds a demo already: give --data another folder, or none to use a temporary one",
    )?;
    let (bot, _) = welcome::add_source(home, &tenant, "demo-bot", SourceKind::Events, RATE).await?;
    let (telegram, secret) =
        welcome::add_source(home, &tenant, "demo-telegram", SourceKind::Telegram, RATE).await?;
    let ingest = welcome::add_key(home, Scope::Ingest, &tenant, Some(&bot)).await?;
    let read = welcome::add_key(home, Scope::Read, &tenant, None).await?;
    server.keyring.refresh().await;
    let base = welcome::base_url(settings, server.address);
    let (ingest_key, read_key) = (ingest.text.expose(), read.text.expose());
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
            welcome::try_it(&base, ingest_key),
            welcome::listening(server.address),
        ),
    );
    Ok(Player {
        client: client()?,
        events: events_url(&local),
        key: ingest.text.expose().to_owned(),
        hook: hook_url(&local, &telegram),
        secret,
    })
}

async fn play(player: Player, options: Demo, leaving: CancellationToken) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let days = u32::from(options.days);
    let config = SalonConfig::new(options.seed, now.minus(DAY * days), days);
    let salon = Salon::new(config);
    if let Some(file) = &options.truth {
        let truth = serde_json::to_vec_pretty(&salon.truth())?;
        std::fs::write(file, truth).with_context(|| format!("cannot write {}", file.display()))?;
    }
    player.play_past(&salon).await?;
    if options.past_only {
        leaving.cancelled().await;
        return Ok(());
    }
    player.play_live(salon.live(now)).await
}

/// Sends what the salon does through the server's doors.
struct Player {
    client: Client,
    events: String,
    key: String,
    hook: String,
    secret: String,
}

impl Player {
    async fn play_past(&self, salon: &Salon) -> anyhow::Result<()> {
        let bar = ProgressBar::new(salon.truth().events);
        bar.set_style(ProgressStyle::with_template("past days {bar:40} {pos}/{len} events")?);
        let mut batch = Vec::with_capacity(BATCH);
        for delivery in salon.deliveries() {
            match delivery.door {
                Door::Events(event) => batch.push(event),
                Door::Telegram(update) => self.send_update(&update).await?,
            }
            if batch.len() == BATCH {
                self.send_events(&std::mem::take(&mut batch)).await?;
            }
            bar.inc(1);
        }
        self.send_events(&batch).await?;
        bar.finish_and_clear();
        Ok(())
    }

    async fn play_live(&self, mut live: Live) -> anyhow::Result<()> {
        loop {
            let now = SystemClock.now();
            let next = live.next_at();
            if next > now {
                tokio::time::sleep(next.distance(now)).await;
            }
            for delivery in live.due(SystemClock.now()) {
                match delivery.door {
                    Door::Events(event) => self.send_events(&[event]).await?,
                    Door::Telegram(update) => self.send_update(&update).await?,
                }
            }
        }
    }

    async fn send_events(&self, events: &[Value]) -> anyhow::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        offer(|| self.client.post(&self.events).bearer_auth(&self.key).json(events)).await
    }

    async fn send_update(&self, update: &Value) -> anyhow::Result<()> {
        let header = "X-Telegram-Bot-Api-Secret-Token";
        offer(|| self.client.post(&self.hook).header(header, &self.secret).json(update)).await
    }
}

/// Sends a request until it is taken; "later" is waited for.
async fn offer(request: impl Fn() -> RequestBuilder) -> anyhow::Result<()> {
    loop {
        let response = match request().send().await {
            Ok(response) => response,
            // The server is in this process: a connection it closed is opened anew, and a resend is harmless.
            Err(cause) if cause.is_request() || cause.is_connect() => {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            Err(cause) => return Err(cause.into()),
        };
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds =
                response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            tokio::time::sleep(Duration::from_secs(seconds.unwrap_or(1))).await;
            continue;
        }
        anyhow::ensure!(status.is_success(), "the demo's own event was refused: {}", response.text().await?);
        return Ok(());
    }
}
