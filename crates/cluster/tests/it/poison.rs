//! A message that crashes its handler, on the real bus.

use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bus_consumer::metrics::ConsumerMetrics;
use bus_consumer::{Consumer, Handler, Policy, Verdict};
use bus_redis::{RedisBus, RedisOptions};
use bytes::Bytes;
use domain::id::TenantId;
use ports::bus::{Delivery, EventBus, Group, Message, Partition, Subscription, Topic};
use prometheus::Registry;
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const POISON: &[u8] = b"poison";
const ATTEMPTS: u32 = 5;
/// Short, or five attempts would take a minute.
const CLAIM_TTL: Duration = Duration::from_millis(400);
const PATIENCE: Duration = Duration::from_secs(60);
/// Names the keys of a bus to a consumer in another process.
const PREFIX: &str = "LETOPIS_TEST_POISON_PREFIX";

#[expect(
    clippy::disallowed_methods,
    reason = "where the test command started engines is no setting of a service"
)]
fn bus(prefix: &str) -> Arc<dyn EventBus> {
    let node = std::env::var("LETOPIS_TEST_REDIS")
        .expect("LETOPIS_TEST_REDIS names no Redis: run scripts/test, or eval \"$(scripts/engines up)\"");
    let options =
        RedisOptions { nodes: vec![node], key_prefix: prefix.to_owned(), ..RedisOptions::default() };
    Arc::new(RedisBus::new(&options, NonZeroU16::new(2).unwrap()).unwrap())
}

fn subscription(topic: Topic, group: Group) -> Subscription {
    let consumer = Uuid::new_v4().to_string();
    Subscription { topic, group, consumer, claim_ttl: CLAIM_TTL }
}

fn message(payload: &[u8]) -> Message {
    Message::new(TenantId::parse("salon").unwrap(), Partition::FIRST, Bytes::copy_from_slice(payload))
}

/// Forwards everything, and does on poison what it is made to do.
struct Forward {
    on_poison: fn(),
}

impl Handler for Forward {
    async fn handle(&self, batch: &[Delivery]) -> Vec<Verdict> {
        let forward = |delivery: &Delivery| {
            if *delivery.message.payload == *POISON {
                (self.on_poison)();
            }
            Verdict::Done(vec![(Topic::Events, delivery.message.clone())])
        };
        batch.iter().map(forward).collect()
    }
}

async fn consume(bus: Arc<dyn EventBus>, on_poison: fn(), shutdown: CancellationToken) {
    let subscription = subscription(Topic::Raw, Group::Normalizer);
    let metrics = ConsumerMetrics::register(&Registry::new()).unwrap().narrowed(&subscription);
    let policy = Policy { max_attempts: ATTEMPTS, ..Policy::default() };
    Consumer { bus, subscription, policy, metrics, handler: Forward { on_poison } }.run(shutdown).await;
}

async fn new_bus() -> (String, Arc<dyn EventBus>) {
    let prefix = format!("t_{}", Uuid::new_v4().simple());
    let bus = bus(&prefix);
    bus.ensure_group(Topic::Raw, Group::Normalizer).await.unwrap();
    bus.ensure_group(Topic::Events, Group::Ledger).await.unwrap();
    bus.ensure_group(Topic::Quarantine, Group::Ledger).await.unwrap();
    (prefix, bus)
}

/// Publishes neighbours one after another, each when the one before has come through; gives how long each took.
async fn neighbours(bus: &dyn EventBus, names: impl Iterator<Item = u32>) -> Vec<Duration> {
    let forwarded = subscription(Topic::Events, Group::Ledger);
    let mut took = Vec::new();
    for name in names {
        let (payload, sent) = (format!("neighbour {name}"), Instant::now());
        bus.publish(Topic::Raw, vec![message(payload.as_bytes())]).await.unwrap();
        let come_through = claimed(bus, &forwarded).await;
        assert_eq!(come_through, payload.as_bytes());
        took.push(sent.elapsed());
    }
    took
}

async fn claimed(bus: &dyn EventBus, sub: &Subscription) -> Bytes {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let deliveries = bus.claim(sub, 1, Duration::from_secs(1)).await.unwrap();
        if let Some(delivery) = deliveries.into_iter().next() {
            let tag = delivery.tag.clone();
            let done = ports::bus::Settlement { tag, outputs: Vec::new() };
            bus.settle(sub, vec![done]).await.unwrap();
            return delivery.message.payload;
        }
        assert!(Instant::now() < deadline, "waited in vain");
    }
}

async fn dead_letter(bus: &dyn EventBus) -> Delivery {
    let sub = subscription(Topic::Quarantine, Group::Ledger);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let deliveries = bus.claim(&sub, 1, Duration::from_secs(1)).await.unwrap();
        if let Some(delivery) = deliveries.into_iter().next() {
            return delivery;
        }
        assert!(Instant::now() < deadline, "no dead letter");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poison_is_dead_lettered_after_its_attempts_and_its_neighbours_go_on_meanwhile() {
    let (prefix, bus_here) = new_bus().await;
    let shutdown = CancellationToken::new();
    let consumers = JoinSet::from_iter(
        [(); 2].map(|()| consume(bus(&prefix), || panic!("made to crash"), shutdown.clone())),
    );
    let before = neighbours(&*bus_here, 0..50).await;
    bus_here.publish(Topic::Raw, vec![message(POISON)]).await.unwrap();
    let during = neighbours(&*bus_here, 50..100).await;
    let letter = dead_letter(&*bus_here).await;
    assert_eq!(letter.message.payload, POISON);
    assert_eq!(letter.message.origin.unwrap().attempts, ATTEMPTS + 1);
    println!(
        "median latency of a neighbour: {:?} before, {:?} beside the poison",
        median(before),
        median(during)
    );
    shutdown.cancel();
    consumers.join_all().await;
    assert_eq!(bus_here.backlog(Topic::Raw, Group::Normalizer).await.unwrap().total(), 0);
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took[took.len() / 2]
}

/// Not a test by itself: the process that dies of poison in the test below.
#[tokio::test]
#[ignore = "run as a process of its own by the test below"]
#[expect(clippy::disallowed_methods, reason = "the word of a process that plays the supervisor to its child")]
async fn a_consumer_that_dies_of_poison() {
    let Ok(prefix) = std::env::var(PREFIX) else { return };
    consume(bus(&prefix), || std::process::abort(), CancellationToken::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poison_that_kills_the_process_is_dead_lettered_too_and_takes_no_neighbour_with_it() {
    let (prefix, bus) = new_bus().await;
    let batch = (0..20).map(|n| message(format!("before {n}").as_bytes()));
    let after = (0..20).map(|n| message(format!("after {n}").as_bytes()));
    let all: Vec<_> = batch.chain([message(POISON)]).chain(after).collect();
    bus.publish(Topic::Raw, all).await.unwrap();

    let over = CancellationToken::new();
    let mut supervisor = JoinSet::new();
    supervisor.spawn(restart_until(prefix, over.clone()));
    let letter = dead_letter(&*bus).await;
    assert_eq!(letter.message.payload, POISON);
    let forwarded = subscription(Topic::Events, Group::Ledger);
    let mut come_through = BTreeSet::new();
    while come_through.len() < 40 {
        assert!(come_through.insert(claimed(&*bus, &forwarded).await), "a neighbour came twice");
    }
    over.cancel();
    let deaths = supervisor.join_next().await.unwrap().unwrap();
    assert!(deaths <= ATTEMPTS, "{deaths} processes died of one message");
    assert!(deaths > 1, "the poison killed nobody");
}

/// Plays the supervisor of a process that keeps dying; says how often it did.
async fn restart_until(prefix: String, over: CancellationToken) -> u32 {
    let mut deaths = 0;
    loop {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "poison::a_consumer_that_dies_of_poison", "--ignored"])
            .env(PREFIX, &prefix)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        tokio::select! {
            died = child.wait() => { died.unwrap(); deaths += 1 }
            () = over.cancelled() => return deaths,
        }
    }
}
