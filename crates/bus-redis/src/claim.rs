//! Claiming: going round partitions until there is enough.

use ports::bus::{Delivery, Partition, Subscription, company};
use redis::{Cmd, Value};

use crate::bus::Shared;
use crate::entry;
use crate::failure::Failure;
use crate::keys::PartitionKeys;
use crate::reply::{array, count, parts, published_at, text};
use crate::rounds::Hint;
use crate::tag::Tag;

/// Bytes of payload that one claim hands out; a larger message is handed out by itself. What a claim hands out is held
/// in memory, here and by whoever claimed, so messages alone are no measure.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Messages that one plain read takes, at the most: what was said of their sizes may not have been all of them.
const MOST_READ: usize = 32;

/// Claims what there is, without waiting, where there was said to be something, or everywhere.
pub(crate) async fn claim(
    shared: &Shared,
    sub: &Subscription,
    max: usize,
    everywhere: bool,
) -> Result<Vec<Delivery>, Failure> {
    let Some(round) = shared.rounds.of(sub.topic, sub.group) else { return Ok(Vec::new()) };
    let mut taken = Taken { deliveries: Vec::new(), messages: max, bytes: MAX_BYTES };
    let mut partitions = round.look(everywhere);
    while !taken.is_enough()
        && let Some((index, hint)) = partitions.next()
    {
        let Some(keys) = shared.keys.partitions.get(index) else { continue };
        let claimed = match hint {
            Hint::Anything => claim_any(shared, sub, keys, &taken).await,
            Hint::New { largest } => claim_new(shared, sub, keys, largest, &taken).await,
        };
        match claimed {
            Ok(HandedOut { deliveries, is_more }) => {
                if is_more {
                    round.mark(index, hint);
                    // Whoever else waits found this partition taken.
                    shared.wakes.wake(sub.topic);
                }
                taken.add(deliveries);
            }
            Err(failure) => {
                round.mark(index, Hint::Anything);
                if taken.deliveries.is_empty() {
                    return Err(failure);
                }
                // What is in hand already must not be lost for a partition that is down; the next claim says it again.
                break;
            }
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

/// What one partition gave.
struct HandedOut {
    deliveries: Vec<Delivery>,
    /// There was no room for all that it has.
    is_more: bool,
}

/// Claims new messages, for where nothing else was said to be. Not by a script: every payload would pass through it.
async fn claim_new(
    shared: &Shared,
    sub: &Subscription,
    keys: &PartitionKeys,
    largest: usize,
    taken: &Taken,
) -> Result<HandedOut, Failure> {
    const WHAT: &str = "a read";
    let fit = (taken.bytes / largest.max(1)).min(MOST_READ);
    // The first one comes however large it is.
    let many = fit.max(usize::from(taken.deliveries.is_empty())).min(taken.messages);
    if many == 0 {
        return Ok(HandedOut { deliveries: Vec::new(), is_more: true });
    }
    let mut command = redis::cmd("XREADGROUP");
    command.arg("GROUP").arg(sub.group.as_str()).arg(consumer(sub)).arg("COUNT").arg(many);
    command.arg("STREAMS").arg(keys.stream(sub.topic)).arg(">");
    let Some(stream) = array(shared.server.ask(&command).await?, WHAT)?.into_iter().next() else {
        return Ok(HandedOut { deliveries: Vec::new(), is_more: false });
    };
    let [_name, entries] = parts(stream, WHAT)?;
    let partition = Partition::from_index(keys.index());
    let entries = array(entries, WHAT)?.into_iter();
    let deliveries: Vec<_> =
        entries.map(|entry| delivery(1, entry, partition)).collect::<Result<_, Failure>>()?;
    Ok(HandedOut { is_more: deliveries.len() == many, deliveries })
}

/// Claims expired messages, then new ones.
async fn claim_any(
    shared: &Shared,
    sub: &Subscription,
    keys: &PartitionKeys,
    taken: &Taken,
) -> Result<HandedOut, Failure> {
    const WHAT: &str = "a claim";
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
    let [is_more, handed_out] = parts(answer, WHAT)?;
    let deliveries = array(handed_out, WHAT)?.into_iter().map(|handed_out| {
        let [attempt, entry] = parts(handed_out, WHAT)?;
        let attempt = u32::try_from(count(attempt, WHAT)?).map_err(|_too_many| Failure::Corrupt(WHAT))?;
        delivery(attempt, entry, partition)
    });
    Ok(HandedOut { is_more: count(is_more, WHAT)? > 0, deliveries: deliveries.collect::<Result<_, _>>()? })
}

/// A consumer's name in Redis: with how long its claims hold, for whoever comes next to respect.
pub(crate) fn consumer(sub: &Subscription) -> String {
    // A claim that holds for no time at all would be handed out to everybody at once.
    format!("{}/{}", sub.claim_ttl.as_millis().max(1), sub.consumer)
}

fn delivery(attempt: u32, entry: Value, partition: Partition) -> Result<Delivery, Failure> {
    const WHAT: &str = "a delivery";
    let [id, fields] = parts(entry, WHAT)?;
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
