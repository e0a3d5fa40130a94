//! The ports, in memory, with switches for what can go wrong.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::event::{Digest, Sealed};
use domain::id::{SourceId, TenantId};
use domain::registry::{ApiKey, MappingText, Source, SourceSecret, Tenant, Trade};
use domain::timestamp::Timestamp;
use ports::bus::{
    Backlog, BusError, Delivery, DeliveryTag, EventBus, Group, Message, Settlement, Subscription, Topic,
};
use ports::clock::Clock;
use ports::idempotency::{Begun, IdempotencyKey, IdempotencyStore, StoredAnswer};
use ports::registry::{Registered, Registry, RegistryError, RegistrySnapshot};
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};

/// How the bus behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Well,
    Full,
    Down,
}

/// A bus that remembers every call to publish.
#[derive(Default)]
pub(crate) struct FakeBus {
    pub(crate) mood: Mutex<Mood>,
    pub(crate) published: Mutex<Vec<Vec<Message>>>,
    /// So many more may be published before it goes down; `None` for any number.
    pub(crate) left: Mutex<Option<usize>>,
    /// Held by a test that wants publishing to wait.
    gate: Arc<RwLock<()>>,
    is_asked: AtomicBool,
}

impl FakeBus {
    /// Has publishing wait until what is returned is dropped.
    pub(crate) fn hold(&self) -> OwnedRwLockWriteGuard<()> {
        self.gate.clone().try_write_owned().unwrap()
    }

    /// Waits until something is to be published.
    pub(crate) async fn until_asked(&self) {
        while !self.is_asked.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl EventBus for FakeBus {
    async fn publish(&self, topic: Topic, messages: Vec<Message>) -> Result<(), BusError> {
        assert_eq!(topic, Topic::Raw);
        self.is_asked.store(true, Ordering::Relaxed);
        drop(self.gate.read().await);
        if let Some(left) = self.left.lock().unwrap().as_mut() {
            *left = left.checked_sub(1).ok_or_else(|| BusError::Unavailable("the disk is on fire".into()))?;
        }
        match *self.mood.lock().unwrap() {
            Mood::Well => {
                self.published.lock().unwrap().push(messages);
                Ok(())
            }
            Mood::Full => Err(BusError::Full),
            Mood::Down => Err(BusError::Unavailable("the disk is on fire".into())),
        }
    }
    async fn ensure_group(&self, _: Topic, _: Group) -> Result<(), BusError> {
        unreachable!("the door only publishes")
    }
    async fn claim(&self, _: &Subscription, _: usize, _: Duration) -> Result<Vec<Delivery>, BusError> {
        unreachable!("the door only publishes")
    }
    async fn extend(&self, _: &Subscription, _: &[DeliveryTag]) -> Result<(), BusError> {
        unreachable!("the door only publishes")
    }
    async fn release(&self, _: &Subscription, _: &[DeliveryTag]) -> Result<(), BusError> {
        unreachable!("the door only publishes")
    }
    async fn settle(&self, _: &Subscription, _: Vec<Settlement>) -> Result<(), BusError> {
        unreachable!("the door only publishes")
    }
    async fn backlog(&self, _: Topic, _: Group) -> Result<Backlog, BusError> {
        unreachable!("the door only publishes")
    }
    async fn accepted(&self, _: Topic) -> Result<BTreeMap<TenantId, u64>, BusError> {
        unreachable!("the door only publishes")
    }
    async fn probe(&self) -> Result<(), BusError> {
        unreachable!("the door only publishes")
    }
}

/// Idempotency keys in a map.
#[derive(Default)]
pub(crate) struct FakeIdempotency {
    pub(crate) is_down: AtomicBool,
    /// Fails only to keep answers, as when the disk fills up in between.
    pub(crate) cannot_finish: AtomicBool,
    known: Mutex<HashMap<IdempotencyKey, (Digest, Option<StoredAnswer>)>>,
}

#[async_trait]
impl IdempotencyStore for FakeIdempotency {
    async fn begin(&self, key: &IdempotencyKey, body: Digest, _now: Timestamp) -> Result<Begun, BusError> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(BusError::Unavailable("down".into()));
        }
        let mut known = self.known.lock().unwrap();
        Ok(match known.get(key) {
            None => {
                known.insert(key.clone(), (body, None));
                Begun::New
            }
            Some((first, _)) if *first != body => Begun::Conflict,
            Some((_, None)) => Begun::InProgress,
            Some((_, Some(answer))) => Begun::Done(answer.clone()),
        })
    }

    async fn finish(&self, key: &IdempotencyKey, answer: StoredAnswer) -> Result<StoredAnswer, BusError> {
        if self.cannot_finish.load(Ordering::Relaxed) {
            return Err(BusError::Unavailable("down".into()));
        }
        let mut known = self.known.lock().unwrap();
        let (_, kept) = known.get_mut(key).unwrap();
        Ok(kept.get_or_insert(answer).clone())
    }

    async fn forget_before(&self, _instant: Timestamp) -> Result<u64, BusError> {
        unreachable!("the door does not forget")
    }
}

/// A registry whose content the test sets.
#[derive(Default)]
pub(crate) struct FakeRegistry {
    pub(crate) content: Mutex<RegistrySnapshot>,
    pub(crate) is_down: AtomicBool,
}

impl FakeRegistry {
    pub(crate) fn change(&self, change: impl FnOnce(&mut RegistrySnapshot)) {
        let mut content = self.content.lock().unwrap();
        content.version += 1;
        change(&mut content);
    }
}

#[async_trait]
impl Registry for FakeRegistry {
    async fn version(&self) -> Result<u64, RegistryError> {
        self.snapshot().await.map(|content| content.version)
    }
    async fn snapshot(&self) -> Result<RegistrySnapshot, RegistryError> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(RegistryError::Unavailable("down".into()));
        }
        Ok(self.content.lock().unwrap().clone())
    }
    async fn add_tenant(&self, _: &Tenant) -> Result<(), RegistryError> {
        unreachable!("the door only reads")
    }
    async fn set_trade(&self, _: &TenantId, _: Trade) -> Result<(), RegistryError> {
        unreachable!("the door only reads")
    }
    async fn add_source(&self, _: &Source) -> Result<(), RegistryError> {
        unreachable!("the door only reads")
    }
    async fn add_key(&self, _: &ApiKey) -> Result<(), RegistryError> {
        unreachable!("the door only reads")
    }
    async fn add_secret(&self, _: &SourceId, _: &SourceSecret) -> Result<(), RegistryError> {
        unreachable!("the door only reads")
    }
    async fn retire_secrets(&self, _: &SourceId) -> Result<(), RegistryError> {
        unreachable!("the door only reads")
    }
    async fn set_forward(&self, _: &SourceId, _: Option<&Sealed>) -> Result<(), RegistryError> {
        unreachable!("the door only reads")
    }
    async fn set_mapping(&self, _: &SourceId, _: &MappingText) -> Result<(), RegistryError> {
        unreachable!("the door only reads")
    }
    async fn revoke(&self, _: &Registered, _: Timestamp) -> Result<(), RegistryError> {
        unreachable!("the door only reads")
    }
}

/// A clock that stands still.
pub(crate) struct StoppedClock;

pub(crate) const NOW: &str = "2026-01-01T12:00:00Z";

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::parse(NOW).unwrap()
    }
}
