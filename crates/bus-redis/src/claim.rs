//! Claiming: going round the partitions until there is enough.

use std::sync::atomic::{AtomicUsize, Ordering};

use ports::bus::{Delivery, Group, Partition, Subscription, Topic, company};
use redis::{Cmd, Value};

use crate::bus::Shared;
use crate::entry;
use crate::failure::Failure;
use crate::keys::{PartitionKeys, number};
use crate::reply::{array, count, parts, published_at, text};
use crate::tag::Tag;

/// Bytes of payload that one claim hands out; a larger message is handed out by itself. What a claim hands out is held
/// in memory, here and by whoever claimed, so messages alone are no measure.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Where the next claim of each group begins, so that no partition is always the last.
pub(crate) struct Turns([AtomicUsize; Topic::ALL.len() * Group::ALL.len()]);

impl Turns {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicUsize::new(0)))
    }

    fn next(&self, topic: Topic, group: Group) -> usize {
        let of_group = Group::ALL.iter().position(|known| *known == group).unwrap_or_default();
        let turn = self.0.get((number(topic) - 1) * Group::ALL.len() + of_group);
        turn.map_or(0, |turn| turn.fetch_add(1, Ordering::Relaxed))
    }
}

/// Claims what there is, without waiting.
pub(crate) async fn claim(shared: &Shared, sub: &Subscription, max: usize) -> Result<Vec<Delivery>, Failure> {
    let partitions = &shared.keys.partitions;
    let first = shared.turns.next(sub.topic, sub.group) % partitions.len().max(1);
    let (before, from) = partitions.split_at(first);
    let mut taken = Taken { deliveries: Vec::new(), messages: max, bytes: MAX_BYTES };
    for keys in from.iter().chain(before) {
        if taken.is_enough() {
            break;
        }
        match claim_from(shared, sub, keys, &taken).await {
            Ok(deliveries) => taken.add(deliveries),
            // What is in hand already must not be lost for a partition that is down.
            Err(failure) if taken.deliveries.is_empty() => return Err(failure),
            Err(_said_again_by_the_next_claim) => break,
        }
    }
    Ok(taken.deliveries)
}

struct Taken {
    deliveries: Vec<Delivery>,
    /// Room for so many more: beside what is handed out again, for few.
    messages: usize,
    bytes: usize,
}

impl Taken {
    fn is_enough(&self) -> bool {
        self.messages == 0 || self.bytes == 0
    }

    fn add(&mut self, deliveries: Vec<Delivery>) {
        for delivery in deliveries {
            self.bytes = self.bytes.saturating_sub(delivery.message.payload.len());
            self.deliveries.push(delivery);
            self.messages = self.messages.saturating_sub(1);
        }
        let smallest = self.deliveries.iter().map(|delivery| company(delivery.attempt)).min();
        let room = smallest.unwrap_or(usize::MAX).saturating_sub(self.deliveries.len());
        self.messages = self.messages.min(room);
    }
}

async fn claim_from(
    shared: &Shared,
    sub: &Subscription,
    keys: &PartitionKeys,
    taken: &Taken,
) -> Result<Vec<Delivery>, Failure> {
    let fill = |command: &mut Cmd| {
        command.arg(sub.group.as_str()).arg(consumer(sub));
        command
            .arg(taken.messages)
            .arg(taken.bytes)
            .arg(taken.deliveries.len())
            .arg(company(2))
            .arg(company(3));
    };
    let answer = shared.server.run(&shared.scripts.claim, &[keys.stream(sub.topic)], fill).await?;
    let partition = Partition::from_index(keys.index());
    array(answer, "a claim")?.into_iter().map(|handed_out| delivery(handed_out, partition)).collect()
}

/// A consumer's name in Redis: with how long its claims hold, for whoever comes next to respect.
pub(crate) fn consumer(sub: &Subscription) -> String {
    // A claim that holds for no time at all would be handed out to everybody at once.
    format!("{}/{}", sub.claim_ttl.as_millis().max(1), sub.consumer)
}

fn delivery(handed_out: Value, partition: Partition) -> Result<Delivery, Failure> {
    const WHAT: &str = "a delivery";
    let [attempt, id, fields] = parts(handed_out, WHAT)?;
    let attempt = u32::try_from(count(attempt, WHAT)?).map_err(|_too_many| Failure::Corrupt(WHAT))?;
    let id = text(id, WHAT)?;
    let message = entry::read(fields, partition)?;
    let published_at = published_at(&id)?;
    let tag = Tag {
        id,
        partition: partition.index(),
        attempt,
        receipts: message.receipts,
        tenant: message.tenant.clone(),
    };
    Ok(Delivery { tag: tag.to_delivery_tag(), attempt, published_at, message })
}
