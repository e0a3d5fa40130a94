//! Events by queues of a customer's brokers, while brokers and gateways are killed again and again.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::brokers::{Bot, Broker, Queue, SCRIPT};
use crate::shape::Service;
use crate::trials::load::{Seen, Sent};
use crate::trials::report::{Report, Table, seconds};
use crate::trials::{Scene, Setting, Verdict, Victim, scene, told};

/// What a bot sends at once.
const BATCH: u32 = 50;
/// What a bot waits before it tries again.
const RETRY: Duration = Duration::from_millis(50);
/// After how long one gateway takes what the other is silent about.
const HOLD_FOR: &str = "3s";

/// How hard to try.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Events by each broker.
    pub events: u32,
    /// Conversations all of them belong to.
    pub sessions: u32,
    /// How often each broker is killed, and both gateways are.
    pub kills: u32,
    /// Decides when.
    pub seed: u64,
}

/// Who is killed, in turn.
#[derive(Clone, Copy, Debug)]
enum Target {
    Broker(Broker),
    Gateways,
}

const TARGETS: [Target; 3] =
    [Target::Broker(Broker::Rabbit), Target::Gateways, Target::Broker(Broker::Redis)];

/// Kills both brokers and both gateways in turn while bots send, then reads everything back.
pub async fn run(setting: &Setting, plan: Plan) -> anyhow::Result<Report> {
    let brokers = OwnBrokers::start().await?;
    let mut setting = setting.clone();
    setting.settings.extend(brokers.settings());
    scene::on(&setting, "queues", async |scene| on(scene, &brokers, plan).await).await
}

async fn on(scene: &mut Scene, brokers: &OwnBrokers, plan: Plan) -> anyhow::Result<Report> {
    let mut dice = ChaCha8Rng::seed_from_u64(plan.seed);
    let begun = Instant::now();
    let bots = Bots::of(brokers, plan);
    let mut table = Table::of(&["killed with SIGKILL", "after", "sent by each", "ready again in"]);
    let targets = TARGETS.repeat(usize::try_from(plan.kills)?);
    let share = plan.events / u32::try_from(targets.len())?;
    let mut started = begun;
    for (number, target) in (0..).zip(targets) {
        bots.open((number + 1) * share);
        bots.reach(number * share + dice.random_range(0..share)).await?;
        tokio::time::sleep(Duration::from_micros(dice.random_range(0..20_000))).await;
        let (after, killed) = (begun.elapsed(), Instant::now());
        let sent = bots.sent();
        kill_and_start(scene, brokers, target).await?;
        started = Instant::now();
        table.add([target.to_string(), seconds(after), sent.to_string(), seconds(killed.elapsed())]);
    }
    bots.open(plan.events);
    bots.finish().await?;
    let (events, ended) = (2 * plan.events, Instant::now());
    // Until all of it was taken off the queues the books are in balance without it.
    let all_stored = async || {
        let stored = scene.stored().await?;
        ensure!(stored >= u64::from(events), "{stored} of {events} are stored");
        Ok(())
    };
    drop(scene.until(all_stored).await);
    let seen = Seen { acknowledged: events, ..Seen::default() };
    let sent = Sent { events, sessions: plan.sessions, took: ended - begun, ended, seen };
    let verdict = Verdict::on(scene, &sent, started).await?;
    scene.all_run()?;
    let mut broken = Vec::new();
    for queue in [&brokers.rabbit, &brokers.stream] {
        let empty = scene.until(async || {
            let left = left_in(queue).await?;
            ensure!(left == 0, "{left}");
            Ok(())
        });
        if let Err(left) = empty.await {
            broken.push(format!("{:?}: not acknowledged: {left}", queue.broker));
        }
    }
    let notes = vec![format!("{} events by each broker, seed {}", plan.events, plan.seed)];
    Ok(Report { trial: "queues", table, notes, broken, sent, verdict })
}

async fn kill_and_start(scene: &mut Scene, brokers: &OwnBrokers, target: Target) -> anyhow::Result<()> {
    scene.all_run()?;
    match target {
        Target::Broker(broker) => {
            brokers.kill(broker).await?;
            broker.start(brokers.folder.path()).await?;
        }
        Target::Gateways => {
            let gateways = [0, 1].map(|number| (Victim::Service(Service::IngestGateway), number));
            scene.kill(&gateways).await?;
            scene.start_again(&gateways).await?;
        }
    }
    Ok(())
}

/// Letters that nobody has acknowledged. RabbitMQ counts those it has; what a gateway holds is back there soon, or gone.
async fn left_in(queue: &Queue) -> anyhow::Result<u64> {
    match queue.connect().await? {
        Bot::Rabbit(channel, _connection) => {
            let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let declared = channel.queue_declare(queue.name.as_str().into(), passive, FieldTable::default());
            Ok(declared.await?.message_count().into())
        }
        Bot::Redis(mut connection) => {
            let mut pending = redis::cmd("XPENDING");
            pending.arg(&queue.name).arg("letopis");
            let (pending, _, _, _): (u64, redis::Value, redis::Value, redis::Value) =
                pending.query_async(&mut *connection).await?;
            Ok(pending)
        }
    }
}

/// The brokers of one trial, to be killed. Dropping them stops them and removes what they kept.
struct OwnBrokers {
    rabbit: Queue,
    stream: Queue,
    folder: Folder,
}

struct Folder(TempDir);

impl Folder {
    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for broker in Broker::ALL {
            let mut command = std::process::Command::new(SCRIPT);
            drop(command.args(["stop", broker.engine()]).arg(self.path()).output());
        }
    }
}

impl OwnBrokers {
    async fn start() -> anyhow::Result<Self> {
        // Made first, so that what starts is stopped when the other does not.
        let folder = Folder(tempfile::tempdir()?);
        let rabbit = Queue::new(Broker::Rabbit, Broker::Rabbit.start(folder.path()).await?).await?;
        let stream = Queue::new(Broker::Redis, Broker::Redis.start(folder.path()).await?).await?;
        Ok(Self { rabbit, stream, folder })
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("LETOPIS__QUEUES__RABBIT__SOURCE", "salon-bot".to_owned()),
            ("LETOPIS__QUEUES__RABBIT__URL", self.rabbit.url.clone()),
            ("LETOPIS__QUEUES__RABBIT__QUEUE", self.rabbit.name.clone()),
            ("LETOPIS__QUEUES__STREAM__SOURCE", "salon-bot".to_owned()),
            ("LETOPIS__QUEUES__STREAM__URL", self.stream.url.clone()),
            ("LETOPIS__QUEUES__STREAM__QUEUE", self.stream.name.clone()),
            ("LETOPIS__QUEUES__STREAM__HOLD_FOR", HOLD_FOR.to_owned()),
        ]
    }

    async fn kill(&self, broker: Broker) -> anyhow::Result<()> {
        let mut command = Command::new(SCRIPT);
        command.args(["signal", "KILL", broker.engine()]).arg(self.folder.path()).stdin(Stdio::null());
        let output = command.output().await.with_context(|| format!("cannot run {SCRIPT}"))?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }
}

/// A bot at each broker: each sends until the broker confirms, and only then more.
struct Bots {
    open_until: watch::Sender<u32>,
    sent: [watch::Receiver<u32>; 2],
    sending: JoinSet<anyhow::Result<()>>,
}

impl Bots {
    fn of(brokers: &OwnBrokers, plan: Plan) -> Self {
        let open_until = watch::Sender::new(0);
        let mut sending = JoinSet::new();
        let sent = [(0, &brokers.rabbit), (plan.events, &brokers.stream)].map(|(first, queue)| {
            let (progress, sent) = watch::channel(0);
            sending.spawn(send(queue.clone(), first, plan, open_until.subscribe(), progress));
            sent
        });
        Self { open_until, sent, sending }
    }

    /// Lets each send so many.
    fn open(&self, until: u32) {
        self.open_until.send_replace(until);
    }

    /// Waits until both brokers have so many.
    async fn reach(&self, many: u32) -> anyhow::Result<()> {
        for sent in &self.sent {
            sent.clone().wait_for(|sent| *sent >= many).await.context("a bot has given up")?;
        }
        Ok(())
    }

    /// How many both have.
    fn sent(&self) -> u32 {
        self.sent.iter().map(|sent| *sent.borrow()).min().unwrap_or_default()
    }

    async fn finish(mut self) -> anyhow::Result<()> {
        while let Some(ended) = self.sending.join_next().await {
            ended.context("a bot panicked")??;
        }
        Ok(())
    }
}

async fn send(
    queue: Queue,
    first: u32,
    plan: Plan,
    mut open_until: watch::Receiver<u32>,
    progress: watch::Sender<u32>,
) -> anyhow::Result<()> {
    let mut bot = None;
    let mut sent = 0;
    while sent < plan.events {
        let open = *open_until.wait_for(|open| *open > sent).await?;
        let until = open.min(sent + BATCH);
        let event = |number| told::event(first + number, plan.sessions).to_string().into_bytes();
        let letters: Vec<_> = (sent..until).map(event).collect();
        // What is not confirmed may have arrived: it is sent again, and known by its id.
        loop {
            let tried = async {
                let bot = match &mut bot {
                    Some(bot) => bot,
                    none => none.insert(queue.connect().await?),
                };
                bot.send(&queue, &letters, &[]).await
            };
            match tried.await {
                Ok(()) => break,
                Err(_away) => {
                    bot = None;
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
        sent = until;
        progress.send_replace(sent);
    }
    Ok(())
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Broker(Broker::Rabbit) => "RabbitMQ",
            Self::Broker(Broker::Redis) => "the customer's Redis",
            Self::Gateways => "both gateways",
        })
    }
}
