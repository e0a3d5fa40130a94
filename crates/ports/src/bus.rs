//! The event bus: an at-least-once log, split into topics and partitions, read by consumer groups.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::id::TenantId;
use domain::timestamp::Timestamp;

use crate::Cause;

/// Publishes messages and hands them out to consumer groups.
///
/// Contract (checked by `contract-tests` for every adapter):
///
/// - **Durable**: when `publish` or `settle` returns `Ok`, what it did survives the death of the process and of the
///   machine's power.
/// - **At least once**: a message is handed out again, to any consumer of the group, until it is settled. A claim
///   that is neither settled nor extended within the subscription's claim TTL has expired, which is noticed within
///   [`EXPIRY_NOTICED_WITHIN`].
/// - **Groups are independent**: each group sees every message published after the group was ensured, and those still
///   kept before. What one group settles stays for the others; a message is trimmed only once every group of its
///   topic has settled it.
/// - **Attempts** count the deliveries of one message within one group, from 1, and survive the death of the process.
///   With each of them a message comes in smaller [`company`] and from the fourth on alone, one a claim, so that one
///   that kills its handler takes no neighbour with it. A delivery given back with `release` is not counted: the next
///   one has the same number, in the same company or alone, however often that happens.
/// - **Forwarding is atomic**: a settlement's outputs are published if and only if the delivery is settled. Settling a
///   delivery that was settled already (its claim had expired and another consumer was faster) publishes nothing.
/// - **Order** holds per topic and partition, for first deliveries to a group with a single consumer, only.
/// - **Books**: `accepted` counts, per tenant, exactly the receipts in the messages ever published to a topic, durably
///   and atomically with the publishing, whether or not the publisher learned that it succeeded.
/// - **Bounded**: `publish` answers [`BusError::Full`] rather than grow beyond what the adapter was configured to
///   hold. Forwarding is never refused for fullness, or a full bus could not drain.
#[async_trait]
pub trait EventBus: Send + Sync {
    /// Makes a group of a topic known. It starts at the oldest message kept. Known groups are left as they are.
    async fn ensure_group(&self, topic: Topic, group: Group) -> Result<(), BusError>;

    /// Appends messages to a topic. After an error some of them may have been published all the same: publishing
    /// them again is for the caller to make harmless, by the ids inside the payloads.
    async fn publish(&self, topic: Topic, messages: Vec<Message>) -> Result<(), BusError>;

    /// Claims up to `max` messages: those with an expired claim first, then new ones. Waits up to `wait` for the
    /// first one; returns an empty vector when none came.
    ///
    /// Hands out fewer than `max` when their payloads together would exceed a few megabytes, so that a claim fits into
    /// memory whatever was published; but always one, however large. For `max` as for bytes, what there was no room for
    /// is there for the next claim at once.
    async fn claim(&self, sub: &Subscription, max: usize, wait: Duration) -> Result<Vec<Delivery>, BusError>;

    /// Starts the claim TTL of these deliveries anew, without counting an attempt. Those settled or lost are ignored.
    async fn extend(&self, sub: &Subscription, tags: &[DeliveryTag]) -> Result<(), BusError>;

    /// Gives deliveries back unhandled: they can be claimed at once, and do not count as attempts. Those settled, lost
    /// or given back already are ignored.
    async fn release(&self, sub: &Subscription, tags: &[DeliveryTag]) -> Result<(), BusError>;

    /// Takes deliveries off the group's hands and publishes what each leads to, atomically.
    async fn settle(&self, sub: &Subscription, settlements: Vec<Settlement>) -> Result<(), BusError>;

    /// What a group has yet to settle.
    async fn backlog(&self, topic: Topic, group: Group) -> Result<Backlog, BusError>;

    /// How many receipts were ever published to a topic, per tenant.
    async fn accepted(&self, topic: Topic) -> Result<BTreeMap<TenantId, u64>, BusError>;

    /// Reads and writes for real, to say whether the bus can be used.
    async fn probe(&self) -> Result<(), BusError>;
}

/// How long it may take, after a claim's TTL is over, until a claim finds what it held.
///
/// Nobody tells a bus that a process has died: it has to look, and claims that look for nothing else cost little.
pub const EXPIRY_NOTICED_WITHIN: Duration = Duration::from_millis(500);

/// How many messages a claim may hold, at the most, if one of them is handed out for the `attempt`-th time.
///
/// Smaller every time: whether it is a message that kills its handler or the machine that keeps dying, what is lost with
/// the next death is a fraction of what was lost with the last, and what nobody is to blame for goes on in batches.
pub const fn company(attempt: u32) -> usize {
    match attempt {
        0 | 1 => usize::MAX,
        2 => 256,
        3 => 16,
        _ => 1,
    }
}

/// A log of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// What the gateway accepted: sealed bodies.
    Raw,
    /// Quarantined raw deliveries, sent through again. Apart from `Raw`, so that live traffic does not wait behind
    /// them and what was accepted once is not counted twice.
    Replay,
    /// Batches of canonical events.
    Events,
    /// What could not be understood or handled.
    Quarantine,
    /// What could not even be quarantined.
    Dead,
    /// Raw deliveries that came packed and were taken apart, because handling them together failed. Apart from `Raw`,
    /// so that what was accepted once is not counted twice.
    Apart,
}

impl Topic {
    /// All topics.
    pub const ALL: [Self; 6] =
        [Self::Raw, Self::Replay, Self::Events, Self::Quarantine, Self::Dead, Self::Apart];

    /// The word used in keys, tables and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Replay => "replay",
            Self::Events => "events",
            Self::Quarantine => "quarantine",
            Self::Dead => "dead",
            Self::Apart => "apart",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == word)
    }
}

/// A consumer group: each sees every message of the topics it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Turns raw deliveries into events.
    Normalizer,
    /// Writes events and quarantine into the ledger.
    Ledger,
    /// Writes events into analytics.
    Analytics,
}

impl Group {
    /// All groups.
    pub const ALL: [Self; 3] = [Self::Normalizer, Self::Ledger, Self::Analytics];

    /// The word used in keys, tables and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normalizer => "normalizer",
            Self::Ledger => "ledger",
            Self::Analytics => "analytics",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.as_str() == word)
    }
}

/// Who reads what. A new service on the bus adds its line here.
pub const READERS: [(Topic, Group); 6] = [
    (Topic::Raw, Group::Normalizer),
    (Topic::Replay, Group::Normalizer),
    (Topic::Apart, Group::Normalizer),
    (Topic::Events, Group::Ledger),
    (Topic::Quarantine, Group::Ledger),
    (Topic::Events, Group::Analytics),
];

/// One of the parts a topic is split into, so that a bus can lie on several machines.
///
/// Which one a message goes to says nothing of what is in it: no order is relied upon. Outputs of a settlement keep the
/// partition of their input: in Redis both streams then live in one hash slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(u16);

impl Partition {
    /// The first partition: for what is so rare that it need not be spread.
    pub const FIRST: Self = Self(0);

    /// Wraps a number that came from a store.
    #[must_use]
    pub const fn from_index(index: u16) -> Self {
        Self(index)
    }

    /// Which one, from 0.
    #[must_use]
    pub const fn index(self) -> u16 {
        self.0
    }
}

/// What is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whose it is: for the books.
    pub tenant: TenantId,
    /// Where it is appended.
    pub partition: Partition,
    /// The content, opaque to the bus.
    pub payload: Bytes,
    /// How many receipts it carries: the books count these, so that packing several together changes no figure.
    pub receipts: NonZeroU32,
    /// Where it was given up, if it is a dead letter.
    pub origin: Option<Origin>,
}

impl Message {
    /// A message that carries one receipt and was never given up.
    #[must_use]
    pub const fn new(tenant: TenantId, partition: Partition, payload: Bytes) -> Self {
        Self { tenant, partition, payload, receipts: NonZeroU32::MIN, origin: None }
    }

    /// The same, carrying so many receipts; none counts as one.
    #[must_use]
    pub fn with_receipts(self, receipts: usize) -> Self {
        let receipts = u32::try_from(receipts).unwrap_or(u32::MAX);
        Self { receipts: NonZeroU32::new(receipts).unwrap_or(NonZeroU32::MIN), ..self }
    }
}

/// Where and why a message was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The topic it was read from.
    pub topic: Topic,
    /// The group that could not handle it.
    pub group: Group,
    /// How often it was tried.
    pub attempts: u32,
    /// Why, in words that hold no content of the payload.
    pub reason: String,
}

/// Who reads what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The topic read.
    pub topic: Topic,
    /// The group read for.
    pub group: Group,
    /// Unique per consumer and process: `<service>-<host>-<uuid>`.
    pub consumer: String,
    /// How long a claim holds without being extended.
    pub claim_ttl: Duration,
}

/// A message handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Names this delivery to the adapter.
    pub tag: DeliveryTag,
    /// Which delivery of the message to this group it is, from 1.
    pub attempt: u32,
    /// When it was published.
    pub published_at: Timestamp,
    /// The message.
    pub message: Message,
}

impl Delivery {
    /// Whether it has come so often that it is handed out by itself.
    #[must_use]
    pub const fn is_alone(&self) -> bool {
        company(self.attempt) == 1
    }
}

/// Names one delivery to the adapter that made it; opaque to everyone else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryTag(pub String);

/// A delivery that is done with, and what it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The delivery.
    pub tag: DeliveryTag,
    /// Messages to publish in the same breath. They keep the delivery's partition.
    pub outputs: Vec<(Topic, Message)>,
}

/// What a group has yet to settle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Receipts in messages not settled, claimed or not, per tenant.
    pub receipts: BTreeMap<TenantId, u64>,
    /// When the oldest of them was published.
    pub oldest: Option<Timestamp>,
}

impl Backlog {
    /// Receipts in messages not settled, over all tenants.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.receipts.values().sum()
    }
}

/// Why the bus could not do it.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The bus does not answer or cannot write. Try again later.
    #[error("the event bus is unavailable")]
    Unavailable(#[source] Cause),
    /// The bus holds as much as it may. Try again later.
    #[error("the event bus is full")]
    Full,
    /// What the bus holds cannot be read back.
    #[error("the event bus holds something unreadable: {0}")]
    Corrupt(&'static str),
}
