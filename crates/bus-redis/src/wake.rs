//! Waking those who wait for messages.
//!
//! Redis could hold a blocked read for them, but would then hand messages to a caller who has gone away meanwhile.
//! So one connection listens on the channels of the topics that are claimed here; scripts say there which partition has
//! something, and what, and whoever waits looks there. What this process itself did, it need not be told.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use ports::bus::Topic;
use redis::Msg;
use redis::aio::PubSubSink;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tracing::debug;

use crate::bus::Shared;
use crate::failure::Failure;
use crate::keys::number;
use crate::rounds::Hint;

/// The pause before listening again. Those who wait look by themselves now and then, so nothing depends on it.
const PAUSE: Duration = Duration::from_millis(500);

/// How long nothing may be heard before the line is tried.
const SILENCE: Duration = Duration::from_secs(10);

/// Who waits, by topic.
pub(crate) struct Wakes {
    topics: [Notify; Topic::ALL.len()],
    /// Topics somebody here has ever claimed from. Whoever only publishes is not to be woken.
    claimed: watch::Sender<Vec<Topic>>,
}

impl Wakes {
    pub(crate) fn new() -> Self {
        Self { topics: Topic::ALL.map(|_topic| Notify::new()), claimed: watch::Sender::new(Vec::new()) }
    }

    /// What tells a claim to look again, which is listened for from now on.
    pub(crate) fn of(&self, topic: Topic) -> Option<&Notify> {
        self.claimed.send_if_modified(|claimed| {
            let is_new = !claimed.contains(&topic);
            if is_new {
                claimed.push(topic);
            }
            is_new
        });
        self.topics.get(number(topic) - 1)
    }

    /// Has whoever waits look again.
    pub(crate) fn wake(&self, topic: Topic) {
        self.topics.get(number(topic) - 1).into_iter().for_each(Notify::notify_waiters);
    }
}

/// Listens until the bus is dropped.
pub(crate) async fn listen(shared: Arc<Shared>) {
    let mut claimed = shared.wakes.claimed.subscribe();
    for turn in 0.. {
        if claimed.wait_for(|topics| !topics.is_empty()).await.is_err() {
            return;
        }
        if let Err(failure) = listen_once(&shared, turn).await {
            // Where it matters, the connection that carries the messages says so louder.
            debug!(error = &failure as &dyn std::error::Error, "cannot listen to redis");
        }
        sleep(PAUSE).await;
    }
}

async fn listen_once(shared: &Shared, turn: usize) -> Result<(), Failure> {
    let patience = shared.server.target().connect_timeout() * 3;
    let connected = timeout(patience, async {
        let client = shared.server.target().listener(turn).await?;
        client.get_async_pubsub().await
    });
    let listener = connected.await.map_err(|_elapsed| Failure::Timeout(patience))??;
    let (mut line, mut messages) = listener.split();
    let (mut claimed, mut heard) = (shared.wakes.claimed.subscribe(), Vec::new());
    claimed.mark_changed();
    loop {
        tokio::select! {
            changed = claimed.changed() => {
                let topics = claimed.borrow_and_update().clone();
                match changed {
                    Ok(()) => listen_for(shared, &mut line, &topics, &mut heard, patience).await?,
                    Err(_the_bus_is_gone) => return Ok(()),
                }
            }
            message = timeout(SILENCE, messages.next()) => match message {
                Ok(Some(message)) => {
                    if let Some((topic, partition, hint)) = called_out(shared, &message) {
                        shared.call_out(topic, partition, hint);
                    }
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
}

/// Listens for more topics, and has them looked through for what was published while nobody did.
async fn listen_for(
    shared: &Shared,
    line: &mut PubSubSink,
    topics: &[Topic],
    heard: &mut Vec<Topic>,
    patience: Duration,
) -> Result<(), Failure> {
    for topic in topics {
        if heard.contains(topic) {
            continue;
        }
        let subscribed = timeout(patience, line.subscribe(shared.keys.wake_of(*topic))).await;
        subscribed.map_err(|_elapsed| Failure::Timeout(patience))??;
        heard.push(*topic);
        shared.rounds.mark_all(*topic);
        shared.wakes.wake(*topic);
    }
    Ok(())
}

fn called_out(shared: &Shared, message: &Msg) -> Option<(Topic, usize, Hint)> {
    let (partition, hint) = read_word(message.get_payload_bytes())?;
    let topic =
        Topic::ALL.into_iter().find(|topic| shared.keys.wake_of(*topic) == message.get_channel_name())?;
    Some((topic, partition, hint))
}

/// A partition, and how many bytes the largest of its new messages has, or that something is there `again`.
fn read_word(word: &[u8]) -> Option<(usize, Hint)> {
    let (partition, what) = std::str::from_utf8(word).ok()?.split_once(' ')?;
    let hint = match what.parse() {
        Ok(largest) => Hint::New { largest },
        Err(_not_new) => Hint::Anything,
    };
    Some((partition.parse().ok()?, hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_names_a_partition_and_what_is_there() {
        assert_eq!(read_word(b"3 612"), Some((3, Hint::New { largest: 612 })));
        assert_eq!(read_word(b"12 again"), Some((12, Hint::Anything)));
        assert_eq!([&b"3"[..], b"x 1", b"\xff 1"].map(read_word), [None; 3]);
    }
}
