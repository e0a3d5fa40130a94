//! Plays a made-up salon through the real HTTP doors.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use ports::clock::{Clock as _, SystemClock};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use simulator::{Door, Live, Salon, SalonConfig};

use crate::cli::Play;
use crate::doors::{client, events_url, hook_url};
use crate::print::Print;
use crate::salon::SalonDoors;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Canonical events sent in one request; a messenger's updates come one by one, as the messenger sends them.
const BATCH: usize = 250;
/// Before the next try, where the server did not say how long.
const PAUSE: Duration = Duration::from_millis(100);
const LATER: Duration = Duration::from_secs(1);
/// So many tries without an answer, and somebody should know why nothing moves.
const SILENCE: u32 = 20;

/// Sends what the salon does through the doors of a gateway, in order and each thing until it is taken.
pub struct Player {
    client: Client,
    events: String,
    key: String,
    hook: String,
    secret: String,
    /// Until then a gateway may not know the doors yet.
    settled: Instant,
    bar: ProgressBar,
    print: Print,
}

impl Player {
    /// A player at the doors of the gateway at `gateway`. For the time `settling` that gateway, or one of several
    /// behind that address, need not have heard of doors that were opened a moment ago.
    ///
    /// # Errors
    /// As [`client`].
    pub fn new(gateway: &str, doors: &SalonDoors, settling: Duration, print: &Print) -> anyhow::Result<Self> {
        Ok(Self {
            client: client()?,
            events: events_url(gateway),
            key: doors.ingest.expose().to_owned(),
            hook: hook_url(gateway, &doors.telegram),
            secret: doors.telegram_secret.clone(),
            settled: Instant::now() + settling,
            bar: ProgressBar::hidden(),
            print: print.clone(),
        })
    }

    /// Plays the past days; and then, unless told otherwise, goes on live until dropped.
    ///
    /// # Errors
    /// The file for the truth cannot be written, or a door refused for good what the salon sent.
    pub async fn play(mut self, play: &Play) -> anyhow::Result<()> {
        let now = SystemClock.now();
        let days = u32::from(play.days);
        let salon = Salon::new(SalonConfig::new(play.seed, now.minus(DAY * days), days));
        if let Some(file) = &play.truth {
            let truth = serde_json::to_vec_pretty(&salon.truth())?;
            std::fs::write(file, truth).with_context(|| format!("cannot write {}", file.display()))?;
        }
        self.play_past(&salon).await?;
        if play.past_only {
            return Ok(());
        }
        self.play_live(salon.live(now)).await
    }

    async fn play_past(&mut self, salon: &Salon) -> anyhow::Result<()> {
        self.bar = ProgressBar::new(salon.truth().events);
        self.bar.set_style(ProgressStyle::with_template("past days {bar:40} {pos}/{len} events")?);
        let mut batch = Vec::with_capacity(BATCH);
        for delivery in salon.deliveries() {
            match delivery.door {
                Door::Events(event) => batch.push(event),
                Door::Telegram(update) => self.send_update(&update).await?,
            }
            if batch.len() == BATCH {
                self.send_events(&std::mem::take(&mut batch)).await?;
            }
            self.bar.inc(1);
        }
        self.send_events(&batch).await?;
        self.bar.finish_and_clear();
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
        self.offer(|| self.client.post(&self.events).bearer_auth(&self.key).json(events)).await
    }

    async fn send_update(&self, update: &Value) -> anyhow::Result<()> {
        let header = "X-Telegram-Bot-Api-Secret-Token";
        self.offer(|| self.client.post(&self.hook).header(header, &self.secret).json(update)).await
    }

    /// Sends a request until it is taken; "later" is waited for.
    async fn offer(&self, request: impl Fn() -> RequestBuilder) -> anyhow::Result<()> {
        let mut unanswered = 0;
        loop {
            let wait = match request().send().await {
                Ok(response) if response.status().is_success() => return Ok(()),
                Ok(response) => match self.wait_asked_for(&response) {
                    Some(wait) => wait,
                    None => anyhow::bail!("the demo's own event was refused: {}", response.text().await?),
                },
                // A connection that was closed, by a server that restarts or tires of it, is opened anew; a resend is
                // harmless.
                Err(cause) if cause.is_request() || cause.is_connect() => {
                    unanswered += 1;
                    if unanswered == SILENCE {
                        self.bar.suspend(|| self.print.note("the gateway does not answer; trying again"));
                    }
                    PAUSE
                }
                Err(cause) => return Err(cause.into()),
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// How long to wait before the next try; nothing where no try will help.
    fn wait_asked_for(&self, response: &Response) -> Option<Duration> {
        match response.status() {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                let said = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                Some(said.and_then(|seconds| seconds.parse().ok()).map_or(LATER, Duration::from_secs))
            }
            // A proxy whose gateway is just being restarted.
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Some(LATER),
            StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND if Instant::now() < self.settled => Some(PAUSE),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::id::TenantId;
    use domain::registry::Trade;

    use super::*;
    use crate::stand::{FakeGateway, HANG_UP, desk};

    /// Plays at a gateway that gives these answers first; gives back what it was sent.
    async fn play_one_day(
        answers: &[&'static str],
        settling: Duration,
    ) -> (anyhow::Result<()>, Vec<Vec<u8>>) {
        let gateway = FakeGateway::start(answers).await;
        let (desk, tenant) = (desk(), TenantId::parse("demo").unwrap());
        desk.add_tenant(&tenant, "Салон", Trade::Ordinary).await.unwrap();
        let doors = SalonDoors::open(&desk, &tenant).await.unwrap();
        let player = Player::new(&gateway.url, &doors, settling, &Print::new(true)).unwrap();
        let play = Play { seed: 7, days: 1, truth: None, past_only: true };
        (player.play(&play).await, gateway.bodies())
    }

    #[tokio::test]
    async fn what_is_answered_with_later_is_sent_again_as_it_was() {
        let busy = ["503 Service Unavailable", "429 Too Many Requests", "502 Bad Gateway"];
        let (played, bodies) = play_one_day(&busy, Duration::ZERO).await;
        played.unwrap();
        assert!(bodies[..4].iter().all(|body| *body == bodies[0]));
        assert_ne!(bodies[4], bodies[0], "what was taken is not sent again");
    }

    #[tokio::test]
    async fn what_is_not_answered_is_sent_again_as_it_was() {
        let (played, bodies) = play_one_day(&[HANG_UP, HANG_UP], Duration::ZERO).await;
        played.unwrap();
        assert!(bodies[..3].iter().all(|body| *body == bodies[0]));
    }

    #[tokio::test]
    async fn doors_a_gateway_has_not_heard_of_yet_are_knocked_at_again() {
        let answers = ["401 Unauthorized", "404 Not Found"];
        play_one_day(&answers, Duration::from_secs(60)).await.0.unwrap();
        let refused = play_one_day(&answers, Duration::ZERO).await.0.unwrap_err().to_string();
        assert!(refused.contains("refused"), "{refused}");
    }

    #[tokio::test]
    async fn what_is_refused_for_good_ends_the_play() {
        let (played, bodies) = play_one_day(&["422 Unprocessable Content"], Duration::from_secs(60)).await;
        assert!(played.is_err());
        assert_eq!(bodies.len(), 1);
    }
}
