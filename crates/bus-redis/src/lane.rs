//! Publishing: what many requests bring at the same time goes to Redis in one command a partition.
//!
//! Every partition has a lane. While one command is on its way (most of that is Redis' flush to the disk) the next
//! gathers; a second one may be on its way already, so that neither side waits for the other.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use ports::bus::{Message, Topic};
use tokio::sync::{mpsc, oneshot};

use crate::bus::Shared;
use crate::entry;
use crate::failure::Failure;
use crate::keys::{PartitionKeys, number};
use crate::reply::array;

/// Commands of one lane on their way at the same time.
const ROUNDS: usize = 2;
/// What one round gathers. What a single request brings goes in one round, however much it is.
const MAX_MESSAGES: usize = 512;
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Requests that may wait for their round; the next one waits for its place.
const QUEUE: usize = 1_024;

/// What one request publishes to one topic in one partition: all of it or nothing.
pub(crate) struct Part {
    topic: Topic,
    messages: Vec<Message>,
    verdict: oneshot::Sender<Result<(), Failure>>,
}

/// Where requests get in.
pub(crate) struct Lane(mpsc::Sender<Part>);

/// Where they come out.
pub(crate) struct Parts(mpsc::Receiver<Part>);

impl Lane {
    pub(crate) fn new() -> (Self, Parts) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self(sender), Parts(receiver))
    }

    /// Publishes; waits until it is durable.
    pub(crate) async fn publish(&self, topic: Topic, messages: Vec<Message>) -> Result<(), Failure> {
        let (verdict, heard) = oneshot::channel();
        self.0.send(Part { topic, messages, verdict }).await.map_err(|_closed| Failure::Stopped)?;
        heard.await.map_err(|_closed| Failure::Stopped)?
    }
}

impl Parts {
    /// Runs a lane until the bus is dropped.
    pub(crate) async fn run(mut self, shared: Arc<Shared>, index: usize) {
        let Some(keys) = shared.keys.partitions.get(index) else { return };
        let mut on_their_way = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(()) = on_their_way.next(), if !on_their_way.is_empty() => {}
                part = self.0.recv(), if on_their_way.len() < ROUNDS => match part {
                    Some(first) => on_their_way.push(publish(&shared, keys, self.gather(first))),
                    None => break,
                }
            }
        }
        while on_their_way.next().await.is_some() {}
    }

    fn gather(&mut self, first: Part) -> Vec<Part> {
        let (mut messages, mut bytes) = first.size();
        let mut round = vec![first];
        while messages < MAX_MESSAGES && bytes < MAX_BYTES {
            let Ok(part) = self.0.try_recv() else { break };
            let (more, heavier) = part.size();
            messages += more;
            bytes += heavier;
            round.push(part);
        }
        round
    }
}

impl Part {
    fn size(&self) -> (usize, usize) {
        (self.messages.len(), self.messages.iter().map(|message| message.payload.len()).sum())
    }
}

async fn publish(shared: &Shared, keys: &PartitionKeys, round: Vec<Part>) {
    let answer = send(shared, keys, &round).await;
    let mut verdicts = answer.as_ref().map(|verdicts| verdicts.iter());
    for part in round {
        let verdict = match &mut verdicts {
            Ok(verdicts) => match verdicts.next() {
                Some(true) => Ok(()),
                Some(false) => Err(Failure::Full),
                None => Err(Failure::Corrupt("the verdicts on a round")),
            },
            Err(failure) => Err(failure.clone()),
        };
        // Nobody listens any more: published or not is all the same to a request that was given up.
        drop(part.verdict.send(verdict));
    }
}

async fn send(shared: &Shared, keys: &PartitionKeys, round: &[Part]) -> Result<Vec<bool>, Failure> {
    let fill = |command: &mut redis::Cmd| {
        command.arg(&shared.keys.wake).arg(shared.bound).arg(number(Topic::Dead));
        for part in round {
            command.arg(number(part.topic)).arg(part.messages.len());
            part.messages.iter().for_each(|message| entry::write(command, message));
        }
    };
    let answer = shared.server.run(&shared.scripts.publish, &keys.to_append(), fill).await?;
    let verdicts = array(answer, "the verdicts on a round")?;
    Ok(verdicts.into_iter().map(|verdict| verdict == redis::Value::Int(1)).collect())
}
