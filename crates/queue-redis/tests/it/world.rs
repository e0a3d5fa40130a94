//! A Redis that is shared, and in it a stream of one's own.

use std::collections::HashMap;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contract_tests::queue::proxy::Proxy;
use contract_tests::queue::{HELD, HOLD_FOR, QueueWorld};
use ports::queue::{QueueDoor, QueueOptions};
use queue_redis::RedisQueue;
use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, FromRedisValue, Value, cmd, from_redis_value};
use uuid::Uuid;

pub(crate) struct Stream {
    pub(crate) name: String,
    proxy: Proxy,
    client: Client,
}

pub(crate) async fn stream() -> Stream {
    let client = Client::open(address()).unwrap();
    let broker = address().trim_start_matches("redis://").parse().unwrap();
    Stream { name: format!("queue-{}", Uuid::new_v4().simple()), proxy: Proxy::to(broker).await, client }
}

/// The Redis that the test command has started.
#[expect(clippy::disallowed_methods, reason = "tests have no settings")]
fn address() -> String {
    std::env::var("LETOPIS_TEST_REDIS")
        .expect("LETOPIS_TEST_REDIS: run scripts/test, or eval \"$(scripts/engines up)\"")
}

impl Stream {
    pub(crate) fn options(&self) -> QueueOptions {
        QueueOptions {
            url: format!("redis://{}", self.proxy.address()),
            password: None,
            ca: None,
            name: self.name.clone(),
            group: "letopis".to_owned(),
            field: "body".to_owned(),
            held: NonZeroU16::new(HELD).unwrap(),
            hold_for: HOLD_FOR,
            timeout: Duration::from_secs(5),
        }
    }

    async fn connection(&self) -> MultiplexedConnection {
        self.client.get_multiplexed_async_connection().await.unwrap()
    }

    /// Entries nobody has read yet, and those that are not acknowledged.
    pub(crate) async fn left(&self) -> u64 {
        let groups: Vec<HashMap<String, Value>> = self.tell(cmd("XINFO").arg("GROUPS").arg(&self.name)).await;
        let number = |name: &str| from_redis_value::<u64>(groups[0][name].clone()).unwrap();
        number("pending") + number("lag")
    }

    /// As the owner of the stream does.
    pub(crate) async fn tell<T: FromRedisValue>(&self, command: &Cmd) -> T {
        command.query_async(&mut self.connection().await).await.unwrap()
    }
}

impl Drop for Stream {
    /// Blocks, for there is no other way to do it here.
    fn drop(&mut self) {
        let mut connection = self.client.get_connection().unwrap();
        cmd("DEL").arg(&self.name).exec(&mut connection).unwrap();
    }
}

#[async_trait]
impl QueueWorld for Stream {
    async fn open(&self) -> Arc<dyn QueueDoor> {
        Arc::new(RedisQueue::new(&self.options()).unwrap())
    }

    async fn send(&self, body: &[u8], note: &str) {
        let mut add = cmd("XADD");
        add.arg(&self.name).arg("*").arg("note").arg(note).arg("body").arg(body);
        self.tell(&add).await
    }

    fn proxy(&self) -> &Proxy {
        &self.proxy
    }
}
