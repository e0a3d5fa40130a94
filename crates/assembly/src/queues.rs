//! Queues of customers' own brokers, as doors of a process.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use domain::id::SourceId;
use ingest_gateway::Door;
use ingest_gateway::queue::{Binding, QueueMetrics};
use ports::queue::{OpenQueueError, QueueDoor, QueueOptions};
use prometheus::Registry;
use serde::Deserialize;
use service_runtime::supervisor::Supervisor;
use tokio::task::JoinSet;

/// `[queues]`: each by its name.
pub type Queues = BTreeMap<String, Queue>;

/// `[queues.NAME]`: one queue, and whose letters come out of it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// The source they are of.
    pub source: String,
    /// The address of the broker; its scheme says of what kind it is.
    pub url: String,
    /// The password, when the address holds none.
    pub password: Option<String>,
    /// A file that holds it, and nothing else but perhaps a line break.
    pub password_file: Option<PathBuf>,
    /// Certificates, PEM, of who may sign the broker's own; those of the system without.
    pub tls_ca_file: Option<PathBuf>,
    /// The queue, or the stream.
    pub queue: String,
    /// The consumer group of a stream.
    #[serde(default = "group")]
    pub group: String,
    /// The field of a stream's entries that holds the body.
    #[serde(default = "field")]
    pub field: String,
    /// Whether each letter must carry the proof its source has over HTTP.
    #[serde(default)]
    pub signed: bool,
    /// Letters held at the most.
    #[serde(default = "held")]
    pub held: NonZeroU16,
    /// After how long another gateway may take what one holds of a stream without a word.
    #[serde(default = "hold_for", with = "humantime_serde")]
    pub hold_for: Duration,
    /// How long connecting, and a call, may take.
    #[serde(default = "timeout", with = "humantime_serde")]
    pub timeout: Duration,
}

fn group() -> String {
    "letopis".to_owned()
}

fn field() -> String {
    "body".to_owned()
}

fn held() -> NonZeroU16 {
    NonZeroU16::new(200).expect("not zero")
}

fn hold_for() -> Duration {
    Duration::from_secs(30)
}

fn timeout() -> Duration {
    Duration::from_secs(5)
}

impl fmt::Debug for Queue {
    /// Without what gives access: addresses may hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("source", &self.source)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}

/// Brokers of one kind.
pub struct Brokers {
    /// What their addresses begin with.
    pub schemes: &'static [&'static str],
    /// Makes a door at a queue of one of them, and connects to nothing yet.
    pub open: fn(&QueueOptions) -> Result<Arc<dyn QueueDoor>, OpenQueueError>,
}

/// Starts taking letters out of every queue.
pub fn start(
    queues: &Queues,
    kinds: &[Brokers],
    door: &Arc<Door>,
    metrics: &Registry,
    supervisor: &mut Supervisor,
) -> anyhow::Result<()> {
    if queues.is_empty() {
        return Ok(());
    }
    let metrics = QueueMetrics::register(metrics)?;
    let mut running = JoinSet::new();
    for (name, queue) in queues {
        let unusable = || format!("the section [queues.{name}] cannot be used");
        let binding = queue.binding(name).with_context(unusable)?;
        let letters = queue.open(kinds).with_context(unusable)?;
        let queue =
            ingest_gateway::queue::Queue::new(binding, letters, door.clone(), &metrics, supervisor.leaving());
        running.spawn(queue.run());
    }
    supervisor.spawn("queues", async move {
        while let Some(ended) = running.join_next().await {
            ended?;
        }
        Ok(())
    });
    Ok(())
}

impl Queue {
    fn binding(&self, name: &str) -> anyhow::Result<Binding> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        ensure!(name.bytes().all(is_plain), "the name may have letters, digits, '-' and '_'");
        let source = SourceId::parse(&self.source).context("source is not the id of a source")?;
        ensure!(self.hold_for >= Duration::from_secs(1), "hold_for must be at least 1s");
        Ok(Binding { name: name.to_owned(), source, signed: self.signed, hold_for: self.hold_for })
    }

    fn open(&self, kinds: &[Brokers]) -> anyhow::Result<Arc<dyn QueueDoor>> {
        let scheme = self.url.split_once("://").map_or("", |(scheme, _)| scheme);
        let kind = kinds.iter().find(|kind| kind.schemes.contains(&scheme)).with_context(|| {
            let known: Vec<_> =
                kinds.iter().flat_map(|kind| kind.schemes).map(|word| format!("{word}://")).collect();
            format!("url must begin with one of {}", known.join(", "))
        })?;
        Ok((kind.open)(&self.options()?)?)
    }

    fn options(&self) -> anyhow::Result<QueueOptions> {
        let password = match (&self.password, &self.password_file) {
            (Some(_), Some(_)) => bail!("both a password and a password file are configured"),
            (None, Some(file)) => {
                let text = String::from_utf8(read(file)?).context("the password is not text")?;
                Some(text.trim_end_matches(['\r', '\n']).to_owned())
            }
            (password, None) => password.clone(),
        };
        Ok(QueueOptions {
            url: self.url.clone(),
            password,
            ca: self.tls_ca_file.as_deref().map(read).transpose()?,
            name: self.queue.clone(),
            group: self.group.clone(),
            field: self.field.clone(),
            held: self.held,
            hold_for: self.hold_for,
            timeout: self.timeout,
        })
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("{} could not be read", file.display()))
}
