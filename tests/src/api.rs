//! The ports of a running system, spoken to as a bot, a messenger or the page would.

use std::fmt::Write as _;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// How long the server may take for anything.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A client of one system; clones share its connections.
///
/// A request goes to a process that answers at its path; where there are several, to each in turn, as a load balancer
/// without health checks would: while one of them is down, a share of the requests fails.
#[derive(Clone, Debug)]
pub struct Api {
    http: Client,
    addresses: Arc<Addresses>,
    turn: Arc<AtomicUsize>,
}

/// Where a system can be spoken to.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    /// Where events and webhooks are taken.
    pub doors: Vec<SocketAddr>,
    /// Where everything else of the API is, and the page.
    pub desks: Vec<SocketAddr>,
    /// Where each process has `/livez`, `/readyz` and `/metrics`.
    pub admins: Vec<SocketAddr>,
}

impl Addresses {
    /// One process that is all of them.
    #[must_use]
    pub fn one(address: SocketAddr) -> Self {
        Self { doors: vec![address], desks: vec![address], admins: vec![address] }
    }

    /// Those who answer at this path.
    fn answering(&self, path: &str) -> &[SocketAddr] {
        let path = path.split('?').next().unwrap_or_default();
        let taken = ["/v1/events", "/v1/traces"].contains(&path) || path.starts_with("/v1/hooks/");
        if taken { &self.doors } else { &self.desks }
    }
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
    /// A client of one process that answers everything.
    pub fn new(address: SocketAddr) -> anyhow::Result<Self> {
        Self::of(Addresses::one(address))
    }

    /// A client with its own connections.
    pub fn of(addresses: Addresses) -> anyhow::Result<Self> {
        Self::patient(addresses, PATIENCE)
    }

    /// A client that waits this long for an answer; for scenarios in which somebody hangs.
    pub fn patient(addresses: Addresses, patience: Duration) -> anyhow::Result<Self> {
        // The second to install it finds the first one's, which is the same.
        let _already_there = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().tcp_nodelay(true).timeout(patience);
        // Well before the server closes an idle connection, or a request could meet the closing.
        let http = http.pool_idle_timeout(Duration::from_secs(2)).build()?;
        Ok(Self { http, addresses: Arc::new(addresses), turn: Arc::default() })
    }

    /// Where the system is.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// A request to fill in.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let those = self.addresses.answering(path);
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        // Without anybody there the request fails like one to a closed port.
        let base = those.get(turn % those.len().max(1)).map(SocketAddr::to_string).unwrap_or_default();
        self.http.request(method, format!("http://{base}{path}"))
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

    /// Whether every process says it is ready.
    pub async fn is_ready(&self) -> bool {
        for admin in &self.addresses.admins {
            let asked = self.http.get(format!("http://{admin}/readyz")).send().await;
            if !asked.is_ok_and(|response| response.status().is_success()) {
                return false;
            }
        }
        true
    }

    /// The metrics pages of all processes, one after the other.
    pub async fn metrics(&self) -> anyhow::Result<String> {
        let mut pages = String::new();
        for admin in &self.addresses.admins {
            let page = self.http.get(format!("http://{admin}/metrics")).send().await?.error_for_status()?;
            writeln!(pages, "{}", page.text().await?)?;
        }
        Ok(pages)
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

    /// Receipts of the key's tenant that were ever accepted.
    pub async fn accepted(&self, key: &str) -> anyhow::Result<u64> {
        let answer = self.get(key, "/v1/reconcile").await?;
        ensure!(answer.status == 200, "no books: {answer:?}");
        // Before the first one there are no books of the tenant.
        Ok(answer.body["tenants"][0]["accepted"].as_u64().unwrap_or(0))
    }

    /// Waits until nothing is in flight and the books balance; gives the books of the key's tenant. As long as the
    /// books change, however slowly, it waits on.
    pub async fn settled(&self, key: &str) -> anyhow::Result<Value> {
        let mut last = Value::Null;
        loop {
            let known = last.clone();
            last = eventually(PATIENCE, || async {
                let answer = self.get(key, "/v1/reconcile").await?;
                let books = &answer.body["tenants"][0];
                ensure!(answer.status == 200 && *books != known, "the books do not settle: {answer:?}");
                Ok(books.clone())
            })
            .await?;
            if last["in_flight"] == 0 && last["balanced"] == true {
                return Ok(last);
            }
        }
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
