//! The messages of a topic: appending, handing over, settling, trimming, and the books over all that.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use bytes::Bytes;
use domain::id::TenantId;
use domain::timestamp::Timestamp;
use ports::bus::{Backlog, Delivery, Group, Message, Origin, Partition, Settlement, Topic};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::bus::claims::{Claims, Range};
use crate::bus::tag::Tag;
use crate::columns::{count, counted, instant, parsed, parsed_if_any};
use crate::failure::Failure;

/// Messages deleted at a time, so that what others write does not wait for it. More than one settlement covers, so
/// that deleting keeps up.
const TRIMMED_AT_ONCE: i64 = 4_000;

/// Whether there was room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    All,
    Full,
}

/// Appends messages unless they would be too many.
pub(crate) fn publish(
    connection: &Connection,
    topic: Topic,
    messages: &[Message],
    max: i64,
    now: Timestamp,
) -> Result<Published, Failure> {
    if topic != Topic::Dead {
        let room = max - count(messages.len());
        if held(connection)? > room {
            Topic::ALL.into_iter().try_for_each(|topic| trim(connection, topic))?;
            if held(connection)? > room {
                return Ok(Published::Full);
            }
        }
    }
    append(connection, topic, messages, now)?;
    Ok(Published::All)
}

/// Takes deliveries off a group's hands, and publishes what they lead to. Returns the topics published to.
pub(crate) fn settle(
    connection: &Connection,
    topic: Topic,
    group: Group,
    settlements: Vec<Settlement>,
    now: Timestamp,
) -> Result<Vec<Topic>, Failure> {
    let tags: Vec<_> = settlements.iter().map(|settlement| Tag::parse(&settlement.tag)).collect();
    let settled = Claims::of(connection, topic, group).settle(&tags)?;
    let mut done: BTreeMap<&TenantId, i64> = BTreeMap::new();
    let mut outputs: BTreeMap<Topic, Vec<Message>> = BTreeMap::new();
    for ((settlement, tag), settled) in settlements.into_iter().zip(&tags).zip(settled) {
        let Some(tag) = tag.as_ref().filter(|_| settled) else { continue };
        *done.entry(&tag.tenant).or_default() += i64::from(tag.receipts.get());
        for (to, message) in settlement.outputs {
            outputs.entry(to).or_default().push(Message { partition: tag.partition, ..message });
        }
    }
    for (tenant, receipts) in done {
        count_settled(connection, topic, group, tenant.as_str(), receipts)?;
    }
    for (to, messages) in &outputs {
        append(connection, *to, messages, now)?;
    }
    trim(connection, topic)?;
    Ok(outputs.into_keys().collect())
}

/// Reads the messages of ranges just claimed.
pub(crate) fn read(
    connection: &Connection,
    topic: Topic,
    ranges: &[Range],
) -> Result<Vec<Delivery>, Failure> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT seq, tenant, part, published_at, origin_topic, origin_group, origin_attempts, origin_reason, payload,
                receipts
         FROM messages_{} WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq",
        topic.as_str()
    ))?;
    let mut deliveries = Vec::new();
    for range in ranges {
        let rows = statement.query_and_then([range.first, range.last], |row| delivery(row, range))?;
        for row in rows {
            deliveries.push(row?);
        }
    }
    Ok(deliveries)
}

/// Makes a group known, from the oldest message kept.
pub(crate) fn ensure_group(connection: &Connection, topic: Topic, group: Group) -> Result<(), Failure> {
    let added = connection
        .prepare_cached(
            "INSERT INTO groups (topic, grp, next_seq, next_claim)
             SELECT topic, ?2, first_kept, 1 FROM topics WHERE topic = ?1
             ON CONFLICT (topic, grp) DO NOTHING",
        )?
        .execute(params![topic.as_str(), group.as_str()])?;
    if added == 0 {
        return Ok(());
    }
    // What was trimmed before its time is none of its backlog.
    let kept = kept(connection, topic)?;
    for (tenant, accepted) in accepted(connection, topic)? {
        let gone = accepted.saturating_sub(kept.get(&tenant).copied().unwrap_or_default());
        let gone = i64::try_from(gone).unwrap_or(i64::MAX);
        count_settled(connection, topic, group, tenant.as_str(), gone)?;
    }
    Ok(())
}

/// What a group has yet to settle. A group not known yet has all that is kept before it.
pub(crate) fn backlog(connection: &Connection, topic: Topic, group: Group) -> Result<Backlog, Failure> {
    let lowest = lowest_needed(connection, topic, Some(group))?;
    let receipts = match lowest {
        Some(_) => unsettled(connection, topic, group)?,
        None => kept(connection, topic)?,
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT published_at FROM messages_{} WHERE seq >= ?1 ORDER BY seq LIMIT 1",
        topic.as_str()
    ))?;
    let mut oldest = statement.query_and_then([lowest.unwrap_or_default()], |row| instant(row, 0))?;
    Ok(Backlog { receipts, oldest: oldest.next().transpose()? })
}

/// Receipts ever published, per tenant.
pub(crate) fn accepted(connection: &Connection, topic: Topic) -> Result<BTreeMap<TenantId, u64>, Failure> {
    connection
        .prepare_cached("SELECT tenant, messages FROM accepted WHERE topic = ?1")?
        .query_and_then([topic.as_str()], per_tenant)?
        .collect()
}

fn append(
    connection: &Connection,
    topic: Topic,
    messages: &[Message],
    now: Timestamp,
) -> Result<(), Failure> {
    let end: i64 = connection
        .prepare_cached("UPDATE topics SET next_seq = next_seq + ?2 WHERE topic = ?1 RETURNING next_seq")?
        .query_one(params![topic.as_str(), count(messages.len())], |row| row.get(0))?;
    let mut insert = connection.prepare_cached(&format!(
        "INSERT INTO messages_{} (seq, tenant, part, published_at, origin_topic, origin_group, origin_attempts,
                                  origin_reason, payload, receipts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        topic.as_str()
    ))?;
    let mut accepted: BTreeMap<&TenantId, i64> = BTreeMap::new();
    for (seq, message) in (end - count(messages.len())..).zip(messages) {
        let origin = message.origin.as_ref();
        insert.execute(params![
            seq,
            message.tenant.as_str(),
            message.partition.index(),
            now.unix_micros(),
            origin.map(|origin| origin.topic.as_str()),
            origin.map(|origin| origin.group.as_str()),
            origin.map(|origin| origin.attempts),
            origin.map(|origin| origin.reason.as_str()),
            &message.payload[..],
            message.receipts.get()
        ])?;
        *accepted.entry(&message.tenant).or_default() += i64::from(message.receipts.get());
    }
    let mut book = connection.prepare_cached(
        "INSERT INTO accepted (topic, tenant, messages) VALUES (?1, ?2, ?3)
         ON CONFLICT (topic, tenant) DO UPDATE SET messages = messages + excluded.messages",
    )?;
    for (tenant, receipts) in accepted {
        book.execute(params![topic.as_str(), tenant.as_str(), receipts])?;
    }
    Ok(())
}

/// Deletes what no group needs any more. A topic without groups keeps everything.
fn trim(connection: &Connection, topic: Topic) -> Result<(), Failure> {
    let Some(needed) = lowest_needed(connection, topic, None)? else { return Ok(()) };
    let first_kept: i64 = connection
        .prepare_cached("SELECT first_kept FROM topics WHERE topic = ?1")?
        .query_one([topic.as_str()], |row| row.get(0))?;
    let until = needed.min(first_kept + TRIMMED_AT_ONCE);
    if until <= first_kept {
        return Ok(());
    }
    connection
        .prepare_cached(&format!("DELETE FROM messages_{} WHERE seq < ?1", topic.as_str()))?
        .execute([until])?;
    connection
        .prepare_cached("UPDATE topics SET first_kept = ?2 WHERE topic = ?1")?
        .execute(params![topic.as_str(), until])?;
    Ok(())
}

/// The lowest message that a group, or any group, has not settled; `None` without a group.
fn lowest_needed(
    connection: &Connection,
    topic: Topic,
    group: Option<Group>,
) -> Result<Option<i64>, Failure> {
    let lowest = connection
        .prepare_cached(
            "SELECT MIN(COALESCE((SELECT MIN(c.first_seq) FROM claims c WHERE c.topic = g.topic AND c.grp = g.grp),
                                 g.next_seq))
             FROM groups g WHERE g.topic = ?1 AND (?2 IS NULL OR g.grp = ?2)",
        )?
        .query_one(params![topic.as_str(), group.map(Group::as_str)], |row| row.get::<_, Option<i64>>(0))
        .optional()?;
    Ok(lowest.flatten())
}

/// Messages held against the bound.
fn held(connection: &Connection) -> Result<i64, Failure> {
    let held = connection
        .prepare_cached("SELECT SUM(next_seq - first_kept) FROM topics WHERE topic <> ?1")?
        .query_one([Topic::Dead.as_str()], |row| row.get(0))?;
    Ok(held)
}

fn kept(connection: &Connection, topic: Topic) -> Result<BTreeMap<TenantId, u64>, Failure> {
    connection
        .prepare_cached(&format!(
            "SELECT tenant, SUM(receipts) FROM messages_{} GROUP BY tenant",
            topic.as_str()
        ))?
        .query_and_then([], per_tenant)?
        .collect()
}

fn unsettled(
    connection: &Connection,
    topic: Topic,
    group: Group,
) -> Result<BTreeMap<TenantId, u64>, Failure> {
    connection
        .prepare_cached(
            "SELECT a.tenant, a.messages - COALESCE(s.messages, 0) FROM accepted a
             LEFT JOIN settled s ON s.topic = a.topic AND s.grp = ?2 AND s.tenant = a.tenant
             WHERE a.topic = ?1 AND a.messages > COALESCE(s.messages, 0)",
        )?
        .query_and_then(params![topic.as_str(), group.as_str()], per_tenant)?
        .collect()
}

fn count_settled(
    connection: &Connection,
    topic: Topic,
    group: Group,
    tenant: &str,
    receipts: i64,
) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "INSERT INTO settled (topic, grp, tenant, messages) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (topic, grp, tenant) DO UPDATE SET messages = messages + excluded.messages",
        )?
        .execute(params![topic.as_str(), group.as_str(), tenant, receipts])?;
    Ok(())
}

fn per_tenant(row: &Row<'_>) -> Result<(TenantId, u64), Failure> {
    Ok((parsed(row, 0, "a tenant", |text| TenantId::parse(text).ok())?, counted(row, 1)?))
}

fn delivery(row: &Row<'_>, range: &Range) -> Result<Delivery, Failure> {
    let tenant = parsed(row, 1, "a message's tenant", |text| TenantId::parse(text).ok())?;
    let partition = Partition::from_index(row.get(2)?);
    let receipts = NonZeroU32::new(row.get(9)?).ok_or(Failure::Corrupt("the receipts of a message"))?;
    let tag = Tag { claim: range.claim, seq: row.get(0)?, partition, receipts, tenant: tenant.clone() };
    let origin = match parsed_if_any(row, 4, "the topic of a dead letter", Topic::parse)? {
        None => None,
        Some(topic) => Some(Origin {
            topic,
            group: parsed(row, 5, "the group of a dead letter", Group::parse)?,
            attempts: row.get(6)?,
            reason: row.get(7)?,
        }),
    };
    let payload = Bytes::copy_from_slice(row.get_ref(8)?.as_blob()?);
    Ok(Delivery {
        tag: tag.to_delivery_tag(),
        attempt: range.attempt,
        published_at: instant(row, 3)?,
        message: Message { tenant, partition, payload, receipts, origin },
    })
}
