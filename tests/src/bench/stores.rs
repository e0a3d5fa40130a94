//! How much has arrived in the stores, asked so cheaply that it is not in the way of what is measured.
//!
//! The ledger is asked for its books: in a cluster over one `psql` that stays, in the one box by a reader of its files.
//! ClickHouse is asked for the number of rows, which it knows without reading them; only once there are enough are
//! distinct ids counted. The analytics of the one box keep no events: there the bus is asked how many receipts they have
//! settled, which they do once they have written.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::bench::system::System;
use crate::site::Site;

const LOOK_EVERY: Duration = Duration::from_millis(20);
/// So long without anything new means that nothing will come any more.
const PATIENCE: Duration = Duration::from_secs(60);

/// Answers each line with what ledger and analytics of the one box hold. Reads to the last row: a statement that is not
/// finished holds its snapshot, and the log of the file would grow.
const READER: &str = r#"
import sqlite3, sys
ledger, bus = (sqlite3.connect(f"file:{name}?mode=ro", uri=True, isolation_level=None) for name in sys.argv[1:])
def number(file, query): return file.execute(query).fetchall()[0][0]
for _ in sys.stdin:
    print(number(ledger, "SELECT coalesce(sum(stored), 0) FROM books"),
          number(bus, "SELECT coalesce(sum(messages), 0) FROM settled WHERE topic = 'events' AND grp = 'analytics'"),
          flush=True)
"#;

/// How many events each store holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Held {
    /// The ledger.
    pub ledger: u64,
    /// Analytics.
    pub analytics: u64,
}

/// When each store held all of it.
#[derive(Clone, Copy, Debug)]
pub struct Stored {
    /// The ledger.
    pub ledger: Instant,
    /// Analytics.
    pub analytics: Instant,
}

/// Somebody to ask.
pub enum Stores {
    /// Those of a cluster.
    Cluster(Box<Cluster>),
    /// The files of the one box.
    OneBox(Box<Prompt>),
}

/// The stores of a cluster.
pub struct Cluster {
    psql: Prompt,
    http: reqwest::Client,
    clickhouse: String,
    name: String,
}

impl Stores {
    /// Of a running system.
    ///
    /// # Errors
    /// A store cannot be reached.
    pub async fn of(system: &System) -> anyhow::Result<Self> {
        let Some(site) = &system.stand.site else {
            return Ok(Self::OneBox(Box::new(reader(&system.stand.data())?)));
        };
        let http = reqwest::Client::builder().no_proxy().build()?;
        let (clickhouse, name) = (site.engines().clickhouse.clone(), site.name().to_owned());
        Ok(Self::Cluster(Box::new(Cluster { psql: psql(site)?, http, clickhouse, name })))
    }

    /// The processes that ask on our behalf.
    #[must_use]
    pub fn helpers(&self) -> Vec<u32> {
        match self {
            Self::Cluster(cluster) => cluster.psql.child.id(),
            Self::OneBox(reader) => reader.child.id(),
        }
        .into_iter()
        .collect()
    }

    /// How many events each holds now.
    ///
    /// # Errors
    /// A store does not say.
    pub async fn held(&mut self) -> anyhow::Result<Held> {
        match self {
            Self::Cluster(cluster) => {
                Ok(Held { ledger: cluster.in_ledger().await?, analytics: cluster.distinct().await? })
            }
            Self::OneBox(reader) => in_files(reader).await,
        }
    }

    /// Waits until both hold as many as that; says when each did.
    ///
    /// # Errors
    /// They do not get there.
    pub async fn wait_for(&mut self, wanted: Held) -> anyhow::Result<Stored> {
        let (mut ledger, mut analytics) = (None, None);
        let mut last = (Held::default(), Instant::now());
        loop {
            let held = self.look(wanted, ledger.is_some(), analytics.is_some()).await?;
            let now = Instant::now();
            if held.ledger >= wanted.ledger {
                ledger.get_or_insert(now);
            }
            if held.analytics >= wanted.analytics {
                analytics.get_or_insert(now);
            }
            if let Some((ledger, analytics)) = ledger.zip(analytics) {
                return Ok(Stored { ledger, analytics });
            }
            if held != last.0 {
                last = (held, now);
            }
            ensure!(
                last.1.elapsed() < PATIENCE,
                "the stores hold {held:?} of {wanted:?}, and nothing new comes"
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// A cheap look at what is not there yet.
    async fn look(&mut self, wanted: Held, has_ledger: bool, has_analytics: bool) -> anyhow::Result<Held> {
        let cluster = match self {
            Self::Cluster(cluster) => cluster,
            Self::OneBox(reader) => return in_files(reader).await,
        };
        let ledger = if has_ledger { wanted.ledger } else { cluster.in_ledger().await? };
        let mut analytics = if has_analytics { wanted.analytics } else { cluster.rows().await? };
        if !has_analytics && analytics >= wanted.analytics {
            // Rows may lie there twice.
            analytics = cluster.distinct().await?;
        }
        Ok(Held { ledger, analytics })
    }
}

impl Cluster {
    async fn in_ledger(&mut self) -> anyhow::Result<u64> {
        let question = format!("SELECT coalesce(sum(stored), 0) FROM \"{}\".books;\n", self.name);
        self.psql.ask(&question).await?.trim().parse().context("PostgreSQL gave no number")
    }

    async fn rows(&self) -> anyhow::Result<u64> {
        self.number(format!("SELECT count() FROM `{}`.events FORMAT TSV", self.name)).await
    }

    async fn distinct(&self) -> anyhow::Result<u64> {
        self.number(format!("SELECT uniqExact(id) FROM `{}`.events FORMAT TSV", self.name)).await
    }

    /// Over a connection that stays.
    async fn number(&self, query: String) -> anyhow::Result<u64> {
        let answer = self.http.post(&self.clickhouse).body(query).send().await?.error_for_status()?;
        answer.text().await?.trim().parse().context("ClickHouse gave no number")
    }
}

async fn in_files(reader: &mut Prompt) -> anyhow::Result<Held> {
    let answer = reader.ask("\n").await?;
    let (ledger, analytics) = answer.trim().split_once(' ').context("no two numbers")?;
    Ok(Held { ledger: ledger.parse()?, analytics: analytics.parse()? })
}

/// A program that waits for the next question: to start one takes more than to ask.
pub struct Prompt {
    child: Child,
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

fn psql(site: &Site) -> anyhow::Result<Prompt> {
    let mut command = Command::new("psql");
    command.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]);
    command.arg(&site.engines().postgres);
    Prompt::start(command)
}

fn reader(data: &Path) -> anyhow::Result<Prompt> {
    let mut command = Command::new("python3");
    command.args(["-c", READER]).arg(data.join("ledger.db")).arg(data.join("bus.db"));
    Prompt::start(command)
}

impl Prompt {
    fn start(mut command: Command) -> anyhow::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let name = command.as_std().get_program().to_string_lossy().into_owned();
        let mut child = command.spawn().with_context(|| format!("cannot run {name}: run scripts/setup"))?;
        let questions = child.stdin.take().context("no standard input")?;
        let answers = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        Ok(Self { child, questions, answers })
    }

    /// A line for a line.
    async fn ask(&mut self, question: &str) -> anyhow::Result<String> {
        self.questions.write_all(question.as_bytes()).await?;
        self.answers.next_line().await?.context("who is asked has ended")
    }
}
