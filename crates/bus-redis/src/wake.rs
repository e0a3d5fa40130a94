//! Waking those who wait for messages.
//!
//! Redis could hold a blocked read for them, but would then hand messages to a caller who has gone away meanwhile.
//! So one connection listens for the topics that scripts call out, and whoever waits looks for himself.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use ports::bus::Topic;
use redis::Msg;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tracing::debug;

use crate::bus::Shared;
use crate::failure::Failure;
use crate::keys::{number, numbered};

/// The pause before listening again. Those who wait look by themselves now and then, so nothing depends on it.
const PAUSE: Duration = Duration::from_millis(500);

/// How long nothing may be heard before the line is tried.
const SILENCE: Duration = Duration::from_secs(10);

/// Who waits, by topic.
pub(crate) struct Wakes([Notify; Topic::ALL.len()]);

impl Wakes {
    pub(crate) fn new() -> Self {
        Self(Topic::ALL.map(|_topic| Notify::new()))
    }

    pub(crate) fn of(&self, topic: Topic) -> Option<&Notify> {
        self.0.get(number(topic) - 1)
    }

    fn all(&self) {
        self.0.iter().for_each(Notify::notify_waiters);
    }
}

/// Listens until the bus is dropped.
pub(crate) async fn listen(shared: Arc<Shared>) {
    for turn in 0.. {
        if let Err(failure) = listen_once(&shared, turn).await {
            // Where it matters, the connection that carries the messages says so louder.
            debug!(error = &failure as &dyn std::error::Error, "cannot listen to redis");
        }
        sleep(PAUSE).await;
    }
}

async fn listen_once(shared: &Shared, turn: usize) -> Result<(), Failure> {
    let patience = shared.server.target().connect_timeout() * 3;
    let subscribed = timeout(patience, async {
        let client = shared.server.target().listener(turn).await?;
        let mut listener = client.get_async_pubsub().await?;
        listener.subscribe(&shared.keys.wake).await?;
        Ok::<_, redis::RedisError>(listener)
    });
    let listener = subscribed.await.map_err(|_elapsed| Failure::Timeout(patience))??;
    // For what was published while nobody listened.
    shared.wakes.all();
    let (mut line, mut messages) = listener.split();
    loop {
        match timeout(SILENCE, messages.next()).await {
            Ok(Some(message)) => {
                let topic = called_out(&message).and_then(|topic| shared.wakes.of(topic));
                topic.into_iter().for_each(Notify::notify_waiters);
            }
            Ok(None) => return Ok(()),
            // Nothing to say, or a line that was cut without a word?
            Err(_silence) => {
                let answered = timeout(patience, line.ping::<redis::Value>()).await;
                answered.map_err(|_elapsed| Failure::Timeout(patience))??;
            }
        }
    }
}

fn called_out(message: &Msg) -> Option<Topic> {
    numbered(std::str::from_utf8(message.get_payload_bytes()).ok()?.parse().ok()?)
}
