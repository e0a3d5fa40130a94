use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use domain::id::TenantId;
use domain::timestamp::Timestamp;
use ports::bus::{Backlog, BusError, Group, Partition};
use prometheus::Registry;

use super::*;

/// A bus with deliveries laid out beforehand; remembers what was settled and given back.
#[derive(Default)]
struct Laid {
    claims: Mutex<VecDeque<Vec<Delivery>>>,
    settled: Mutex<Vec<Settlement>>,
    /// Refuses to settle.
    is_stuck: bool,
    released: Mutex<Vec<String>>,
    extended: AtomicU32,
    empty: CancellationToken,
}

#[async_trait]
impl EventBus for Laid {
    async fn ensure_group(&self, _topic: Topic, _group: Group) -> Result<(), BusError> {
        Ok(())
    }
    async fn publish(&self, _topic: Topic, _messages: Vec<Message>) -> Result<(), BusError> {
        Ok(())
    }
    async fn claim(
        &self,
        _sub: &Subscription,
        _max: usize,
        _wait: Duration,
    ) -> Result<Vec<Delivery>, BusError> {
        let next = self.claims.lock().unwrap().pop_front();
        if next.is_none() {
            self.empty.cancel();
        }
        Ok(next.unwrap_or_default())
    }
    async fn extend(&self, _sub: &Subscription, tags: &[DeliveryTag]) -> Result<(), BusError> {
        self.extended.fetch_add(u32::try_from(tags.len()).unwrap(), Ordering::Relaxed);
        Ok(())
    }
    async fn release(&self, _sub: &Subscription, tags: &[DeliveryTag]) -> Result<(), BusError> {
        self.released.lock().unwrap().extend(tags.iter().map(|tag| tag.0.clone()));
        Ok(())
    }
    async fn settle(&self, _sub: &Subscription, settlements: Vec<Settlement>) -> Result<(), BusError> {
        if self.is_stuck {
            return Err(BusError::Unavailable("stuck".into()));
        }
        self.settled.lock().unwrap().extend(settlements);
        Ok(())
    }
    async fn backlog(&self, _topic: Topic, _group: Group) -> Result<Backlog, BusError> {
        Ok(Backlog::default())
    }
    async fn accepted(&self, _topic: Topic) -> Result<BTreeMap<TenantId, u64>, BusError> {
        Ok(BTreeMap::new())
    }
    async fn probe(&self) -> Result<(), BusError> {
        Ok(())
    }
}

fn delivery(content: &'static str, attempt: u32) -> Delivery {
    Delivery {
        tag: DeliveryTag(content.to_owned()),
        attempt,
        published_at: Timestamp::EPOCH,
        message: Message::new(
            TenantId::parse("salon").unwrap(),
            Partition::FIRST,
            Bytes::from_static(content.as_bytes()),
        ),
    }
}

/// Does what each message says.
#[derive(Default)]
struct Obedient {
    downs: AtomicU32,
    shutdown: CancellationToken,
}

impl Handler for Obedient {
    async fn handle(&self, batch: &[Delivery]) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for delivery in batch {
            verdicts.push(match delivery.message.payload.as_ref() {
                b"panic" => panic!("told to"),
                b"reject" => Verdict::Reject { reason: "told to".to_owned() },
                b"down twice" if self.downs.fetch_add(1, Ordering::Relaxed) < 2 => {
                    Verdict::Retry("the world is down".into())
                }
                b"down until shutdown" => {
                    self.shutdown.cancel();
                    Verdict::Retry("the world is down".into())
                }
                b"slow" => {
                    tokio::time::sleep(Duration::from_secs(20)).await;
                    Verdict::Done(Vec::new())
                }
                _ => Verdict::Done(vec![(Topic::Events, delivery.message.clone())]),
            });
        }
        verdicts
    }
}

async fn run(topic: Topic, claims: Vec<Vec<Delivery>>) -> (Vec<(String, Vec<(Topic, Message)>)>, u32) {
    let bus = Laid { claims: Mutex::new(claims.into()), ..Laid::default() };
    let bus = run_on(bus, topic).await;
    let mut settled = bus.settled.lock().unwrap().clone();
    settled.sort_by(|a, b| a.tag.cmp(&b.tag));
    let outputs = settled.into_iter().map(|settled| (settled.tag.0, settled.outputs)).collect();
    (outputs, bus.extended.load(Ordering::Relaxed))
}

/// Consumes until nothing is left or a message shuts the consumer down.
async fn run_on(bus: Laid, topic: Topic) -> Arc<Laid> {
    let bus = Arc::new(bus);
    let subscription = Subscription {
        topic,
        group: Group::Ledger,
        consumer: "test".to_owned(),
        claim_ttl: Duration::from_secs(9),
    };
    let consumer = Consumer {
        bus: bus.clone(),
        metrics: ConsumerMetrics::register(&Registry::new()).unwrap().narrowed(&subscription),
        subscription,
        policy: Policy::default(),
        handler: Obedient { shutdown: bus.empty.clone(), ..Obedient::default() },
    };
    consumer.run(bus.empty.clone()).await;
    bus
}

#[tokio::test(start_paused = true)]
async fn what_is_done_is_settled_together_with_what_follows() {
    let (settled, _) = run(Topic::Raw, vec![vec![delivery("a", 1)]]).await;
    assert_eq!(settled, [("a".to_owned(), vec![(Topic::Events, delivery("a", 1).message)])]);
}

#[tokio::test(start_paused = true)]
async fn a_world_that_is_down_is_waited_for_and_costs_no_attempt() {
    let (settled, _) = run(Topic::Raw, vec![vec![delivery("a", 1), delivery("down twice", 5)]]).await;
    let tags: Vec<_> = settled.iter().map(|(tag, outputs)| (tag.as_str(), outputs[0].0)).collect();
    assert_eq!(tags, [("a", Topic::Events), ("down twice", Topic::Events)]);
}

#[tokio::test(start_paused = true)]
async fn what_a_shutdown_finds_waiting_for_the_world_is_given_back_and_counted_nowhere() {
    let claimed = vec![delivery("a", 1), delivery("down until shutdown", 5)];
    let bus = run_on(Laid { claims: Mutex::new([claimed].into()), ..Laid::default() }, Topic::Raw).await;
    assert_eq!(*bus.released.lock().unwrap(), ["down until shutdown"]);
    let settled: Vec<_> = bus.settled.lock().unwrap().iter().map(|settled| settled.tag.0.clone()).collect();
    assert_eq!(settled, ["a"], "nothing is given up for being waited with");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_gives_back_neither_what_could_not_be_settled_nor_what_panicked() {
    let claimed = vec![delivery("a", 1), delivery("down until shutdown", 1), delivery("panic", 1)];
    let laid = Laid { claims: Mutex::new([claimed].into()), is_stuck: true, ..Laid::default() };
    let bus = run_on(laid, Topic::Raw).await;
    assert_eq!(*bus.released.lock().unwrap(), ["down until shutdown"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_settled_is_never_given_back() {
    let claimed = vec![delivery("a", 1), delivery("down twice", 1), delivery("reject", 1)];
    let bus = run_on(Laid { claims: Mutex::new([claimed].into()), ..Laid::default() }, Topic::Raw).await;
    assert_eq!(bus.settled.lock().unwrap().len(), 3);
    assert!(bus.released.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_panicking_message_is_left_for_another_delivery_and_its_neighbours_are_handled() {
    let (settled, _) =
        run(Topic::Raw, vec![vec![delivery("a", 1), delivery("panic", 1), delivery("b", 1)]]).await;
    let tags: Vec<_> = settled.iter().map(|(tag, _)| tag.as_str()).collect();
    assert_eq!(tags, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_handed_out_too_often_is_given_up_unhandled() {
    let (settled, _) = run(Topic::Raw, vec![vec![delivery("panic", 6)]]).await;
    let (topic, letter) = &settled[0].1[0];
    assert_eq!(*topic, Topic::Quarantine);
    let origin = letter.origin.as_ref().unwrap();
    assert_eq!((origin.topic, origin.group, origin.attempts), (Topic::Raw, Group::Ledger, 6));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_message_goes_to_quarantine_and_from_quarantine_to_the_dead() {
    let (from_events, _) = run(Topic::Events, vec![vec![delivery("reject", 1)]]).await;
    assert_eq!(from_events[0].1[0].0, Topic::Quarantine);
    let (from_quarantine, _) = run(Topic::Quarantine, vec![vec![delivery("reject", 1)]]).await;
    assert_eq!(from_quarantine[0].1[0].0, Topic::Dead);
}

#[tokio::test(start_paused = true)]
async fn slow_work_keeps_its_claim() {
    let (settled, extended) = run(Topic::Raw, vec![vec![delivery("slow", 1)]]).await;
    assert_eq!(settled.len(), 1);
    assert!(extended >= 6, "extended {extended} times in 20 s with a TTL of 9 s");
}
