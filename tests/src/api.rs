//! The port of a running server, spoken to as a bot, a messenger or the page would.

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// How long the server may take for anything.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A client of one server; clones share its connections.
#[derive(Clone, Debug)]
pub struct Api {
    http: Client,
    base: String,
}

/// A native webhook: where to post, and the secret that proves it.
#[derive(Clone, Debug)]
pub struct Hook {
    /// The path.
    pub path: String,
    /// What Telegram sends in its header.
    pub secret: String,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `Retry-After`, if given.
    pub retry_after: Option<String>,
    /// `Content-Type`, if given.
    pub content_type: String,
    /// The body; null when it is not JSON.
    pub body: Value,
}

impl Api {
    /// A client with its own connections.
    pub fn new(address: SocketAddr) -> anyhow::Result<Self> {
        // The second to install it finds the first one's, which is the same.
        let _already_there = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().tcp_nodelay(true).timeout(PATIENCE);
        // Well before the server closes an idle connection, or a request could meet the closing.
        let http = http.pool_idle_timeout(Duration::from_secs(2)).build()?;
        Ok(Self { http, base: format!("http://{address}") })
    }

    /// A request to fill in.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// GETs with a key.
    pub async fn get(&self, key: &str, path: &str) -> anyhow::Result<Answer> {
        answer(self.request(Method::GET, path).bearer_auth(key)).await
    }

    /// POSTs JSON with a key.
    pub async fn post(&self, key: &str, path: &str, body: &Value) -> anyhow::Result<Answer> {
        answer(self.request(Method::POST, path).bearer_auth(key).json(body)).await
    }

    /// Sends an event or an array of events.
    pub async fn send(&self, key: &str, body: &Value) -> anyhow::Result<Answer> {
        self.post(key, "/v1/events", body).await
    }

    /// Delivers an update as Telegram does.
    pub async fn telegram(&self, hook: &Hook, update: &Value) -> anyhow::Result<Answer> {
        let request = self.request(Method::POST, &hook.path).json(update);
        answer(request.header("X-Telegram-Bot-Api-Secret-Token", &hook.secret)).await
    }

    /// Whether the server says it is ready.
    pub async fn is_ready(&self) -> bool {
        let asked = self.request(Method::GET, "/readyz").send().await;
        asked.is_ok_and(|response| response.status().is_success())
    }

    /// The metrics page.
    pub async fn metrics(&self) -> anyhow::Result<String> {
        Ok(self.request(Method::GET, "/metrics").send().await?.error_for_status()?.text().await?)
    }

    /// Every row of a list, page after page.
    pub async fn all(&self, key: &str, path: &str, list: &str) -> anyhow::Result<Vec<Value>> {
        let mut rows = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let page = cursor.map(|at| format!("{path}{joint}cursor={}", escape(&at)));
            let answer = self.get(key, page.as_deref().unwrap_or(path)).await?;
            ensure!(answer.status == 200, "{path}: {answer:?}");
            rows.extend(answer.body[list].as_array().with_context(|| format!("no {list}"))?.iter().cloned());
            cursor = answer.body["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return Ok(rows);
            }
        }
    }

    /// The stored id of a session somebody typed the id of; none when it is not known.
    pub async fn lookup(&self, key: &str, typed: &str) -> anyhow::Result<Option<String>> {
        let answer = self.post(key, "/v1/sessions/lookup", &serde_json::json!({"id": typed})).await?;
        match answer.status {
            200 => Ok(Some(answer.body["id"].as_str().context("a lookup without an id")?.to_owned())),
            404 => Ok(None),
            _ => anyhow::bail!("lookup: {answer:?}"),
        }
    }

    /// The first page of a session: what it is and its events. Typed as it was sent.
    pub async fn session(&self, key: &str, typed: &str) -> anyhow::Result<Option<Value>> {
        let Some(id) = self.lookup(key, typed).await? else { return Ok(None) };
        let answer = self.get(key, &format!("/v1/sessions/{}?limit=200", escape(&id))).await?;
        ensure!(answer.status == 200, "session: {answer:?}");
        Ok(Some(answer.body))
    }

    /// Waits until nothing is in flight and the books balance; gives the books of the key's tenant.
    pub async fn settled(&self, key: &str) -> anyhow::Result<Value> {
        eventually(PATIENCE, || async {
            let answer = self.get(key, "/v1/reconcile").await?;
            let books = &answer.body["tenants"][0];
            let settled = books["in_flight"] == 0 && books["balanced"] == true;
            ensure!(settled, "the books are not settled: {answer:?}");
            Ok(books.clone())
        })
        .await
    }
}

/// Sends a request and reads whatever is answered.
pub async fn answer(request: RequestBuilder) -> anyhow::Result<Answer> {
    let response = request.send().await?;
    let header =
        |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (retry_after, content_type) = (header("retry-after"), header("content-type").unwrap_or_default());
    let status = response.status().as_u16();
    let body = serde_json::from_slice(&response.bytes().await?).unwrap_or(Value::Null);
    Ok(Answer { status, retry_after, content_type, body })
}

/// Tries until it succeeds; when the time is over, the last failure is the answer.
pub async fn eventually<T, F, Fut>(patience: Duration, mut attempt: F) -> anyhow::Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = anyhow::Result<T>>,
{
    let deadline = Instant::now() + patience;
    loop {
        match attempt().await {
            Ok(found) => return Ok(found),
            Err(cause) if Instant::now() > deadline => {
                return Err(cause.context(format!("still not after {patience:?}")));
            }
            Err(_not_yet) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

/// A text as one segment of a path.
#[must_use]
pub fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let mut escaped = String::new();
    for byte in text.bytes() {
        if plain(byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
