//! The bus itself.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::id::TenantId;
use futures_util::future::{join_all, try_join_all};
use ports::bus::{
    Backlog, BusError, Delivery, DeliveryTag, EXPIRY_NOTICED_WITHIN, EventBus, Group, Message, Settlement,
    Subscription, Topic,
};
use redis::{Cmd, Value};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tracing::warn;

use crate::failure::Failure;
use crate::keys::{Keys, PartitionKeys, number};
use crate::options::{OpenError, RedisOptions};
use crate::reply::count;
use crate::rounds::{Hint, Rounds};
use crate::safety::Unsafe;
use crate::script::Scripts;
use crate::server::Server;
use crate::tag::Tag;
use crate::target::Target;
use crate::wake::Wakes;
use crate::{books, claim, entry, safety, wake};

/// How long a consumer that holds nothing is remembered.
const CONSUMERS_KEPT: Duration = Duration::from_secs(60 * 60);

/// Who holds what was given back, for no time at all.
const NOBODY: &str = "0/nobody";

/// The bus on Redis Streams. Dropping it gives up what is on its way.
pub struct RedisBus {
    pub(crate) shared: Arc<Shared>,
    /// The listener, which ends with the bus.
    _tasks: JoinSet<()>,
}

/// What calls and background tasks have in common.
pub(crate) struct Shared {
    pub(crate) server: Server,
    pub(crate) scripts: Scripts,
    pub(crate) keys: Keys,
    /// Messages one partition may hold.
    pub(crate) bound: u64,
    pub(crate) wakes: Wakes,
    pub(crate) rounds: Rounds,
    /// Groups that were made known by this process: for a Redis that comes back without its data.
    known: Mutex<BTreeSet<(Topic, Group)>>,
}

impl RedisBus {
    /// Sets everything up and connects when it is first needed: Redis may be down meanwhile. Every process of an
    /// installation must name the same number of partitions; it can be raised later and not lowered.
    ///
    /// Must be called within a Tokio runtime. Reads the files that the options name.
    pub fn new(options: &RedisOptions, partitions: NonZeroU16) -> Result<Self, OpenError> {
        let shared = Arc::new(Shared {
            server: Server::new(Target::new(options)?),
            scripts: Scripts::new(),
            keys: Keys::new(&options.key_prefix, partitions)?,
            bound: options.max_messages.div_ceil(u64::from(partitions.get())),
            wakes: Wakes::new(),
            rounds: Rounds::new(usize::from(partitions.get())),
            known: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(wake::listen(Arc::clone(&shared)));
        Ok(Self { shared, _tasks: tasks })
    }

    /// Says where this Redis may lose what it accepted. What to do about it is for the caller to decide, by
    /// [`Unsafe::is_accepted`].
    pub async fn check(&self) -> Result<Vec<Unsafe>, BusError> {
        Ok(safety::check(&self.shared).await?)
    }

    /// Forgets consumers of processes long gone; returns how many. To be called now and then.
    pub async fn tidy(&self) -> Result<u64, BusError> {
        let mut gone = 0;
        for (keys, topic) in self.shared.streams() {
            let fill = |command: &mut Cmd| {
                command.arg(u64::try_from(CONSUMERS_KEPT.as_millis()).unwrap_or(u64::MAX));
            };
            let answer =
                self.shared.server.run(&self.shared.scripts.tidy, &[keys.stream(topic)], fill).await?;
            gone += count(answer, "a count")?;
        }
        Ok(gone)
    }
}

#[async_trait]
impl EventBus for RedisBus {
    async fn ensure_group(&self, topic: Topic, group: Group) -> Result<(), BusError> {
        self.shared.known.lock().unwrap_or_else(PoisonError::into_inner).insert((topic, group));
        Ok(self.shared.ensure(topic, group).await?)
    }

    async fn publish(&self, topic: Topic, messages: Vec<Message>) -> Result<(), BusError> {
        let mut by_partition: BTreeMap<u16, Vec<Message>> = BTreeMap::new();
        for message in messages {
            let index = self.shared.partition(message.partition.index())?.index();
            by_partition.entry(index).or_default().push(message);
        }
        let published = join_all(
            by_partition.iter().map(|(index, messages)| self.shared.publish(topic, *index, messages)),
        );
        // Unavailable before full: an answer that is missing may yet be a yes.
        let mut full = Ok(());
        for verdict in published.await {
            match verdict {
                Ok(()) => {}
                Err(failure @ (Failure::Full | Failure::Memory)) => full = Err(failure),
                Err(failure) => return Err(failure.into()),
            }
        }
        Ok(full?)
    }

    async fn claim(&self, sub: &Subscription, max: usize, wait: Duration) -> Result<Vec<Delivery>, BusError> {
        let until = Instant::now() + wait;
        let Some(wake) = self.shared.wakes.of(sub.topic).filter(|_| max > 0) else { return Ok(Vec::new()) };
        loop {
            // Listens before it looks, or it would miss what is published in between.
            let mut woken = std::pin::pin!(wake.notified());
            woken.as_mut().enable();
            // Who does not wait wants what there is, whether it was called out by now or not.
            let claimed = claim::claim(&self.shared, sub, max, wait.is_zero()).await;
            let deliveries = self.shared.heal(claimed).await?;
            if !deliveries.is_empty() || !look_again(woken, until).await {
                return Ok(deliveries);
            }
        }
    }

    async fn extend(&self, sub: &Subscription, tags: &[DeliveryTag]) -> Result<(), BusError> {
        let partitions = by_partition(tags);
        let extended = partitions.iter().map(|(index, tags)| self.shared.extend(sub, *index, tags));
        let extended = try_join_all(extended).await;
        self.shared.heal(extended).await?;
        Ok(())
    }

    async fn release(&self, sub: &Subscription, tags: &[DeliveryTag]) -> Result<(), BusError> {
        let partitions = by_partition(tags);
        let released = partitions.iter().map(|(index, tags)| self.shared.release(sub, *index, tags));
        let released = try_join_all(released).await;
        self.shared.heal(released).await?;
        Ok(())
    }

    async fn settle(&self, sub: &Subscription, settlements: Vec<Settlement>) -> Result<(), BusError> {
        let mut by_partition: BTreeMap<u16, Vec<(Tag, Settlement)>> = BTreeMap::new();
        for settlement in settlements {
            let Some(tag) = Tag::parse(&settlement.tag) else { continue };
            by_partition.entry(tag.partition).or_default().push((tag, settlement));
        }
        let settled = try_join_all(
            by_partition.iter().map(|(index, settlements)| self.shared.settle(sub, *index, settlements)),
        );
        settled.await?;
        Ok(())
    }

    async fn backlog(&self, topic: Topic, group: Group) -> Result<Backlog, BusError> {
        Ok(books::backlog(&self.shared, topic, group).await?)
    }

    async fn accepted(&self, topic: Topic) -> Result<BTreeMap<TenantId, u64>, BusError> {
        Ok(books::accepted(&self.shared, topic).await?)
    }

    async fn probe(&self) -> Result<(), BusError> {
        let probed = self.shared.keys.partitions.iter().map(async |keys| {
            self.shared.server.ask(redis::cmd("SET").arg(&keys.probe).arg(1)).await?;
            self.shared.server.ask(redis::cmd("GET").arg(&keys.probe)).await
        });
        try_join_all(probed).await?;
        Ok(())
    }
}

impl Shared {
    fn partition(&self, index: u16) -> Result<&PartitionKeys, Failure> {
        let partitions = u16::try_from(self.keys.partitions.len()).unwrap_or(u16::MAX);
        self.keys.partitions.get(usize::from(index)).ok_or(Failure::NoSuchPartition { index, partitions })
    }

    fn streams(&self) -> impl Iterator<Item = (&PartitionKeys, Topic)> {
        self.keys.partitions.iter().flat_map(|keys| Topic::ALL.map(|topic| (keys, topic)))
    }

    async fn ensure(&self, topic: Topic, group: Group) -> Result<(), Failure> {
        try_join_all(self.keys.partitions.iter().map(async |partition| {
            let keys = [partition.stream(topic), partition.accepted(topic), partition.settled(topic, group)];
            let fill = |command: &mut Cmd| {
                command.arg(group.as_str());
            };
            self.server.run(&self.scripts.ensure, &keys, fill).await
        }))
        .await?;
        Ok(())
    }

    /// Publishes to one partition, all or nothing.
    async fn publish(&self, topic: Topic, index: u16, messages: &[Message]) -> Result<(), Failure> {
        let keys = self.partition(index)?;
        let fill = |command: &mut Cmd| {
            command
                .arg(self.keys.wake())
                .arg(index)
                .arg(self.bound)
                .arg(number(Topic::Dead))
                .arg(number(topic));
            messages.iter().for_each(|message| entry::write(command, message));
        };
        let answer = self.server.run(&self.scripts.publish, &keys.to_append(), fill).await?;
        if count(answer, "a verdict")? == 0 {
            return Err(Failure::Full);
        }
        self.call_out_new(topic, index, messages.iter());
        Ok(())
    }

    async fn settle(
        &self,
        sub: &Subscription,
        index: u16,
        settlements: &[(Tag, Settlement)],
    ) -> Result<Value, Failure> {
        let keys = self.partition(index)?;
        let fill = |command: &mut Cmd| {
            command.arg(self.keys.wake()).arg(index).arg(sub.group.as_str()).arg(number(sub.topic));
            for (tag, settlement) in settlements {
                command.arg(&tag.id).arg(tag.tenant.as_str()).arg(tag.receipts.get());
                command.arg(settlement.outputs.len());
                for (topic, message) in &settlement.outputs {
                    command.arg(number(*topic));
                    entry::write(command, message);
                }
            }
        };
        let keys = keys.to_settle(sub.topic, sub.group);
        let answer = self.server.run(&self.scripts.settle, &keys, fill).await?;
        let outputs = || settlements.iter().flat_map(|(_tag, settlement)| &settlement.outputs);
        for topic in Topic::ALL {
            let to_topic = outputs().filter(|(to, _message)| *to == topic).map(|(_to, message)| message);
            self.call_out_new(topic, index, to_topic);
        }
        Ok(answer)
    }

    async fn extend(&self, sub: &Subscription, index: u16, tags: &[Tag]) -> Result<Value, Failure> {
        let keys = [self.partition(index)?.stream(sub.topic)];
        let fill = |command: &mut Cmd| {
            command.arg(sub.group.as_str()).arg(claim::consumer(sub));
            add_tags(command, tags);
        };
        self.server.run(&self.scripts.extend, &keys, fill).await
    }

    async fn release(&self, sub: &Subscription, index: u16, tags: &[Tag]) -> Result<Value, Failure> {
        let keys = [self.partition(index)?.stream(sub.topic)];
        let fill = |command: &mut Cmd| {
            command.arg(self.keys.wake_of(sub.topic)).arg(index);
            command.arg(sub.group.as_str()).arg(claim::consumer(sub)).arg(NOBODY);
            add_tags(command, tags);
        };
        let answer = self.server.run(&self.scripts.release, &keys, fill).await?;
        self.call_out(sub.topic, usize::from(index), Hint::Anything);
        Ok(answer)
    }

    /// Says to whoever waits here what was published to a partition, if anything.
    fn call_out_new<'a>(&self, topic: Topic, index: u16, messages: impl Iterator<Item = &'a Message>) {
        if let Some(largest) = messages.map(|message| message.payload.len()).max() {
            self.call_out(topic, usize::from(index), Hint::New { largest });
        }
    }

    /// Says to whoever waits here what is to be found in a partition.
    pub(crate) fn call_out(&self, topic: Topic, partition: usize, hint: Hint) {
        self.rounds.mark(topic, partition, hint);
        self.wakes.wake(topic);
    }

    /// Where a group has vanished although it was made known, Redis has lost its data: makes everything known again,
    /// for the next call, and says so by failing this one.
    async fn heal<T>(&self, answer: Result<T, Failure>) -> Result<T, Failure> {
        let Err(failure) = answer else { return answer };
        let Some(missing) = failure.missing_group().cloned() else { return Err(failure) };
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if known.is_empty() {
            return Err(Failure::UnknownGroup(missing));
        }
        warn!("redis has lost its groups, and perhaps everything else; they are made known again");
        for (topic, group) in known {
            self.ensure(topic, group).await?;
        }
        Err(Failure::GroupLost(missing))
    }
}

/// Tags of other makes are left out: they name nothing here.
fn by_partition(tags: &[DeliveryTag]) -> BTreeMap<u16, Vec<Tag>> {
    let mut partitions: BTreeMap<u16, Vec<Tag>> = BTreeMap::new();
    for tag in tags.iter().filter_map(Tag::parse) {
        partitions.entry(tag.partition).or_default().push(tag);
    }
    partitions
}

fn add_tags(command: &mut Cmd, tags: &[Tag]) {
    for tag in tags {
        command.arg(&tag.id).arg(tag.attempt);
    }
}

/// Waits to be woken, but not for long. False once it is over.
async fn look_again(woken: impl Future<Output = ()>, until: Instant) -> bool {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return false;
    }
    // Woken or not, the caller looks again.
    drop(timeout(left.min(EXPIRY_NOTICED_WITHIN), woken).await);
    true
}
