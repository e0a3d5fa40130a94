//! A Redis that is shared, and in it a place of one's own.

use std::num::NonZeroU16;
use std::sync::Arc;

use async_trait::async_trait;
use bus_redis::{RedisBus, RedisOptions};
use contract_tests::World;
use contract_tests::bus::BOUND;
use ports::bus::EventBus;
use ports::idempotency::IdempotencyStore;
use uuid::Uuid;

/// Keys that begin as no others do.
pub(crate) struct Place {
    pub(crate) options: RedisOptions,
    partitions: NonZeroU16,
}

pub(crate) async fn redis() -> Place {
    Place::new(4, RedisOptions::default().max_messages)
}

/// In one partition, for the bound is divided between them.
pub(crate) async fn small_redis() -> Place {
    Place::new(1, u64::from(BOUND))
}

impl Place {
    fn new(partitions: u16, max_messages: u64) -> Self {
        let options = RedisOptions {
            nodes: vec![address()],
            key_prefix: format!("test-{}", Uuid::new_v4().simple()),
            max_messages,
            ..RedisOptions::default()
        };
        Self { options, partitions: NonZeroU16::new(partitions).unwrap() }
    }

    pub(crate) fn open_bus(&self) -> RedisBus {
        RedisBus::new(&self.options, self.partitions).unwrap()
    }
}

/// The Redis that the test command has started.
#[expect(clippy::disallowed_methods, reason = "tests have no settings")]
fn address() -> String {
    std::env::var("LETOPIS_TEST_REDIS")
        .expect("LETOPIS_TEST_REDIS: run scripts/test, or eval \"$(scripts/engines up)\"")
}

impl Drop for Place {
    /// Leaves nothing behind. Blocks, for there is no other way to do it here.
    fn drop(&mut self) {
        let mut connection =
            redis::Client::open(self.options.nodes[0].as_str()).unwrap().get_connection().unwrap();
        let pattern = format!("{}:*", self.options.key_prefix);
        let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut connection).unwrap();
        if !keys.is_empty() {
            redis::cmd("UNLINK").arg(keys).exec(&mut connection).unwrap();
        }
    }
}

#[async_trait]
impl World<dyn EventBus> for Place {
    async fn open(&self) -> Arc<dyn EventBus> {
        Arc::new(self.open_bus())
    }
}

#[async_trait]
impl World<dyn IdempotencyStore> for Place {
    async fn open(&self) -> Arc<dyn IdempotencyStore> {
        Arc::new(self.open_bus())
    }
}
