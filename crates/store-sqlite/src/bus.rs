//! The event bus, and the gateway's idempotency keys, in one file.
//!
//! A topic is a table of messages numbered without gaps. A group has a place in each topic it reads; what it was
//! handed and has not settled is kept as ranges of numbers ([`claims`]), so that claiming five hundred messages and
//! settling them all is one row each. Below the lowest number any group still needs, messages are deleted ([`log`]).
//!
//! Everything is decided inside the writer's transactions, from the file alone: another process may publish, claim
//! and settle in the same file. Only waking up is in memory; a claim that waits also looks by itself now and then.

mod claims;
mod idempotency;
mod log;
mod room;
mod tag;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use domain::id::TenantId;
use ports::bus::{
    Backlog, BusError, Delivery, DeliveryTag, EventBus, Group, Message, Settlement, Subscription, Topic,
};
use ports::clock::{Clock, SystemClock};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::bus::claims::Claims;
use crate::bus::log::Published;
use crate::bus::tag::Tag;
use crate::connection::{OpenError, Schema};
use crate::database::Database;

const SCHEMA: Schema = Schema {
    file: "bus",
    migrations: &[
        include_str!("../migrations/bus/0001-messages-groups-and-claims.sql"),
        include_str!("../migrations/bus/0002-messages-of-several-receipts.sql"),
    ],
};

/// How long a waiting claim relies on being woken before it looks by itself: for what another process published,
/// and for claims that expire.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What the bus may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusOptions {
    /// Messages over all topics but `Dead`, which nobody drains. Publishing beyond is refused.
    ///
    /// Over all, because what one topic is relieved of by forwarding another one has to hold.
    pub max_messages: u64,
}

impl Default for BusOptions {
    /// A million: about a gigabyte of single events.
    fn default() -> Self {
        Self { max_messages: 1_000_000 }
    }
}

/// The bus in a SQLite file. Dropping it finishes what was begun and closes the file.
pub struct SqliteBus {
    database: Database,
    max_messages: i64,
    published: Vec<(Topic, Notify)>,
}

impl SqliteBus {
    /// Opens the file, creating it if need be. Blocks for some milliseconds.
    pub fn open(path: &Path, options: BusOptions) -> Result<Self, OpenError> {
        Ok(Self {
            database: Database::open(path, &SCHEMA)?,
            max_messages: i64::try_from(options.max_messages).unwrap_or(i64::MAX),
            published: Topic::ALL.map(|topic| (topic, Notify::new())).into(),
        })
    }

    /// Ends all claims at once. For the start of the only process that consumes: whoever held them is dead, and
    /// waiting for the claims to expire would only hold up the first minute.
    pub async fn release_claims(&self) -> Result<(), BusError> {
        self.database.write(claims::release_all).await?;
        self.published.iter().for_each(|(_, wake)| wake.notify_waiters());
        Ok(())
    }

    fn wake(&self, topic: Topic) {
        self.published.iter().filter(|(of, _)| *of == topic).for_each(|(_, wake)| wake.notify_waiters());
    }

    async fn claim_now(&self, sub: &Subscription, max: usize) -> Result<Vec<Delivery>, BusError> {
        let sub = sub.clone();
        let claim = move |connection: &rusqlite::Connection| {
            let ranges = Claims::of(connection, sub.topic, sub.group).take(&sub, max, SystemClock.now())?;
            log::read(connection, sub.topic, &ranges)
        };
        Ok(self.database.write(claim).await?)
    }
}

#[async_trait]
impl EventBus for SqliteBus {
    async fn ensure_group(&self, topic: Topic, group: Group) -> Result<(), BusError> {
        Ok(self.database.write(move |connection| log::ensure_group(connection, topic, group)).await?)
    }

    async fn publish(&self, topic: Topic, messages: Vec<Message>) -> Result<(), BusError> {
        if messages.is_empty() {
            return Ok(());
        }
        let max = self.max_messages;
        let publish = move |connection: &rusqlite::Connection| {
            log::publish(connection, topic, &messages, max, SystemClock.now())
        };
        match self.database.write(publish).await? {
            Published::All => self.wake(topic),
            Published::Full => return Err(BusError::Full),
        }
        Ok(())
    }

    async fn claim(&self, sub: &Subscription, max: usize, wait: Duration) -> Result<Vec<Delivery>, BusError> {
        let until = Instant::now() + wait;
        let Some((_, published)) = self.published.iter().find(|(topic, _)| *topic == sub.topic) else {
            return Ok(Vec::new());
        };
        loop {
            // Listens before it looks, or it would miss what is published in between.
            let mut woken = std::pin::pin!(published.notified());
            woken.as_mut().enable();
            let deliveries = self.claim_now(sub, max).await?;
            if !deliveries.is_empty() || !look_again(woken, until).await {
                return Ok(deliveries);
            }
        }
    }

    async fn extend(&self, sub: &Subscription, tags: &[DeliveryTag]) -> Result<(), BusError> {
        let tags: Vec<_> = tags.iter().filter_map(Tag::parse).collect();
        let sub = sub.clone();
        let extend = move |connection: &rusqlite::Connection| {
            let deadline = SystemClock.now().plus(sub.claim_ttl);
            Claims::of(connection, sub.topic, sub.group).extend(&tags, deadline)
        };
        Ok(self.database.write(extend).await?)
    }

    async fn release(&self, sub: &Subscription, tags: &[DeliveryTag]) -> Result<(), BusError> {
        let tags: Vec<_> = tags.iter().filter_map(Tag::parse).collect();
        let (topic, group) = (sub.topic, sub.group);
        let release =
            move |connection: &rusqlite::Connection| Claims::of(connection, topic, group).release(&tags);
        self.database.write(release).await?;
        self.wake(topic);
        Ok(())
    }

    async fn settle(&self, sub: &Subscription, settlements: Vec<Settlement>) -> Result<(), BusError> {
        let (topic, group) = (sub.topic, sub.group);
        let settle = move |connection: &rusqlite::Connection| {
            log::settle(connection, topic, group, settlements, SystemClock.now())
        };
        for published in self.database.write(settle).await? {
            self.wake(published);
        }
        Ok(())
    }

    async fn backlog(&self, topic: Topic, group: Group) -> Result<Backlog, BusError> {
        Ok(self.database.read(move |connection| log::backlog(connection, topic, group)).await?)
    }

    async fn accepted(&self, topic: Topic) -> Result<BTreeMap<TenantId, u64>, BusError> {
        Ok(self.database.read(move |connection| log::accepted(connection, topic)).await?)
    }

    async fn probe(&self) -> Result<(), BusError> {
        Ok(self.database.probe().await?)
    }
}

/// Waits to be woken, but not for long. False once it is over.
async fn look_again(woken: impl Future<Output = ()>, until: Instant) -> bool {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return false;
    }
    // Woken or not, the caller looks again.
    drop(timeout(left.min(LOOK_AGAIN), woken).await);
    true
}
