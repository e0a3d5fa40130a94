//! The bots behind sources: asked over HTTP, each only so many times at once.

use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use actix_web::http::StatusCode;
use bytes::{Bytes, BytesMut};
use domain::id::SourceId;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Client, Response, Url, redirect};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::config::Forward;

/// Headers of an answer that mean something to a messenger.
const PASSED_BACK: [HeaderName; 3] = [CONTENT_TYPE, CONTENT_ENCODING, RETRY_AFTER];

/// All bots of this process.
pub(crate) struct Bots {
    config: Forward,
    /// Made for the first delivery that is passed on: most systems have none.
    client: OnceLock<Client>,
    known: RwLock<HashMap<SourceId, Arc<Bot>>>,
}

/// One bot, as far as it is known here.
struct Bot {
    free: Arc<Semaphore>,
    is_down: AtomicBool,
}

/// What a bot answered.
pub(crate) struct Heard {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// From the question to the last byte, or to where the body was found to be large.
    pub(crate) took: Duration,
}

/// The body of an answer.
pub(crate) enum Body {
    /// All of it.
    Whole(Bytes),
    /// More than is held here: what came so far, and where the rest comes from.
    Large(Rest),
}

/// The rest of a large answer, and the place it occupies until it has passed.
pub(crate) struct Rest {
    pub(crate) begun: Option<Bytes>,
    pub(crate) response: Response,
    _place: OwnedSemaphorePermit,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    #[error("the bot is asked as many things at once as it may be")]
    Busy,
    #[error("the bot did not answer in time")]
    Late(#[source] reqwest::Error),
    #[error("the bot cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
}

impl Bots {
    pub(crate) fn new(config: Forward) -> Self {
        Self { config, client: OnceLock::new(), known: RwLock::default() }
    }

    /// Asks the bot of a source at its address, which is a secret and in nothing that comes of this.
    pub(crate) async fn ask(
        &self,
        source: &SourceId,
        address: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Heard, Unanswered> {
        let bot = self.bot(source);
        // Telegram itself keeps no more than a hundred connections to a bot: whoever waits here is not waited for there.
        let place = bot.free.clone().try_acquire_owned().map_err(|_busy| Unanswered::Busy)?;
        let url = Url::parse(address).map_err(|error| Unanswered::Unreachable(error.into()))?;
        let asked_at = Instant::now();
        let sent = self.client()?.post(url.clone()).headers(headers).body(body).send().await;
        let response = sent.map_err(unanswered)?;
        let status = StatusCode::from_u16(response.status().as_u16())
            .map_err(|error| Unanswered::Unreachable(error.into()))?;
        let passed_back = |name: HeaderName| Some((name.clone(), response.headers().get(&name)?.clone()));
        let headers = PASSED_BACK.into_iter().filter_map(passed_back).collect();
        let body = self.read(response, place).await?;
        Ok(Heard { status, headers, body, took: asked_at.elapsed() })
    }

    /// Reads an answer, as far as it is held here.
    async fn read(&self, mut response: Response, place: OwnedSemaphorePermit) -> Result<Body, Unanswered> {
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
            body.extend_from_slice(&chunk);
            if body.len() > self.config.max_answer_bytes.get() {
                return Ok(Body::Large(Rest { begun: Some(body.freeze()), response, _place: place }));
            }
        }
        Ok(Body::Whole(body.freeze()))
    }

    /// Says once that a bot is down, and once that it is back.
    pub(crate) fn note(&self, source: &SourceId, trouble: Option<&(dyn Error + 'static)>) {
        let was_down = self.bot(source).is_down.swap(trouble.is_some(), Ordering::Relaxed);
        let id = source.as_str();
        match trouble {
            Some(error) if !was_down => {
                tracing::error!(
                    error,
                    source.id = id,
                    "the bot behind a source does not answer; what comes is kept"
                );
            }
            None if was_down => tracing::info!(source.id = id, "the bot behind a source answers again"),
            Some(_) | None => {}
        }
    }

    /// Redirects are not followed: deliveries go where the operator said, and nowhere else. The machine's settings for
    /// proxies are not read: a bot stands beside us.
    fn client(&self) -> Result<&Client, Unanswered> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Installed once a process; a second call finds it there already.
        let _installed_before = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .no_gzip()
            .connect_timeout(self.config.connect_timeout)
            .timeout(self.config.timeout)
            .build()
            .map_err(unanswered)?;
        Ok(self.client.get_or_init(|| client))
    }

    fn bot(&self, source: &SourceId) -> Arc<Bot> {
        // A poisoned lock only says that another thread panicked; the map itself is whole.
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(source).cloned();
        known.unwrap_or_else(|| {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            let free = || Arc::new(Semaphore::new(self.config.at_once.get()));
            let bot = || Arc::new(Bot { free: free(), is_down: AtomicBool::new(false) });
            known.entry(source.clone()).or_insert_with(bot).clone()
        })
    }
}

fn unanswered(error: reqwest::Error) -> Unanswered {
    let error = error.without_url();
    if error.is_timeout() { Unanswered::Late(error) } else { Unanswered::Unreachable(error.into()) }
}
