//! What a group has been handed and not settled: ranges of message numbers, each with its claim, attempt and deadline.
//!
//! A claim of many messages that is settled whole never becomes more than one row. Only what is treated differently
//! from its neighbours (settled, extended, released, or handed out alone) is cut out of its range.

use domain::timestamp::Timestamp;
use ports::bus::{Group, Subscription, Topic, company};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::bus::room::Room;
use crate::bus::tag::Tag;
use crate::columns::count;
use crate::failure::Failure;

/// The claim of what was given back: none, so that no tag fits it any more. Claims are numbered from 1.
const NOBODYS: i64 = 0;

/// Messages from `first` to `last` that share a fate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) claim: i64,
    /// Deliveries that count: 0 for what was handed out once and given back.
    pub(crate) attempt: u32,
    deadline: i64,
    consumer: String,
}

impl Range {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            first: row.get(0)?,
            last: row.get(1)?,
            claim: row.get(2)?,
            attempt: row.get(3)?,
            deadline: row.get(4)?,
            consumer: row.get(5)?,
        })
    }

    fn contains(&self, tag: &Tag) -> bool {
        self.claim == tag.claim && (self.first..=self.last).contains(&tag.seq)
    }
}

/// Ends every claim there is.
pub(crate) fn release_all(connection: &Connection) -> Result<(), Failure> {
    connection.prepare_cached("UPDATE claims SET deadline = 0")?.execute([])?;
    Ok(())
}

/// The claims of one group on one topic.
pub(crate) struct Claims<'c> {
    connection: &'c Connection,
    topic: Topic,
    group: Group,
}

impl<'c> Claims<'c> {
    pub(crate) fn of(connection: &'c Connection, topic: Topic, group: Group) -> Self {
        Self { connection, topic, group }
    }

    /// Claims up to `max` messages, as far as there is [`Room`]: expired ones first, then new ones.
    pub(crate) fn take(&self, sub: &Subscription, max: usize, now: Timestamp) -> Result<Vec<Range>, Failure> {
        let (next_seq, claim) = self.place()?.ok_or(Failure::UnknownGroup)?;
        let fresh = Range {
            first: next_seq,
            last: next_seq,
            claim,
            attempt: 1,
            deadline: now.plus(sub.claim_ttl).unix_micros(),
            consumer: sub.consumer.clone(),
        };
        let mut room = Room::of(self.connection, self.topic, max);
        let mut taken = self.take_expired(&fresh, &mut room, now)?;
        let available = room.take(next_seq, self.topic_end()? - next_seq)?;
        if available > 0 {
            let new = Range { last: next_seq + available - 1, ..fresh };
            self.insert(&new)?;
            taken.push(new);
        }
        if !taken.is_empty() {
            self.move_on(next_seq + available, claim + 1)?;
        }
        Ok(taken)
    }

    fn take_expired(
        &self,
        fresh: &Range,
        room: &mut Room<'_>,
        now: Timestamp,
    ) -> Result<Vec<Range>, Failure> {
        let mut taken = Vec::new();
        for expired in self.expired(room.messages(), now)? {
            let attempt = expired.attempt + 1;
            // What wants less company than there is already comes another time.
            let fit = count(company(attempt)) - room.taken();
            if fit <= 0 {
                continue;
            }
            let many = room.take(expired.first, fit.min(expired.last - expired.first + 1))?;
            if many == 0 {
                break;
            }
            room.leave(count(company(attempt)) - room.taken());
            let last = expired.first + many - 1;
            self.cut(&expired, expired.first, last)?;
            let again = Range { first: expired.first, last, attempt, ..fresh.clone() };
            self.insert(&again)?;
            taken.push(again);
        }
        Ok(taken)
    }

    /// Takes what the tags name off the group's hands. Says of each tag whether it was still in them; of a tag given
    /// twice, only once.
    pub(crate) fn settle(&self, tags: &[Option<Tag>]) -> Result<Vec<bool>, Failure> {
        let mut settled = vec![false; tags.len()];
        let named: Vec<_> = tags.iter().enumerate().filter_map(|(i, tag)| Some((i, tag.as_ref()?))).collect();
        self.cut_out(named, |index| {
            if let Some(flag) = settled.get_mut(index) {
                *flag = true;
            }
        })?;
        Ok(settled)
    }

    /// Gives what the tags name, as far as it is still in the group's hands, a new deadline.
    pub(crate) fn extend(&self, tags: &[Tag], deadline: Timestamp) -> Result<(), Failure> {
        for piece in self.cut_out(tags.iter().enumerate().collect(), |_index| ())? {
            self.insert(&Range { deadline: deadline.unix_micros(), ..piece })?;
        }
        Ok(())
    }

    /// Gives what the tags name, as far as it is still in the group's hands, back as if it had not been handed out.
    pub(crate) fn release(&self, tags: &[Tag]) -> Result<(), Failure> {
        for piece in self.cut_out(tags.iter().enumerate().collect(), |_index| ())? {
            let attempt = piece.attempt.saturating_sub(1);
            self.insert(&Range { claim: NOBODYS, attempt, deadline: 0, ..piece })?;
        }
        Ok(())
    }

    /// Takes the tagged messages out of their ranges, in runs as long as possible.
    fn cut_out(
        &self,
        mut tags: Vec<(usize, &Tag)>,
        mut cut: impl FnMut(usize),
    ) -> Result<Vec<Range>, Failure> {
        tags.sort_unstable_by_key(|(index, tag)| (tag.seq, tag.claim, *index));
        let mut pieces = Vec::new();
        let mut rest = tags.as_slice();
        while let Some(((_, first), after)) = rest.split_first() {
            let Some(range) = self.around(first)? else {
                rest = after;
                continue;
            };
            let run = rest
                .iter()
                .zip(first.seq..)
                .take_while(|((_, tag), seq)| tag.seq == *seq && range.contains(tag));
            let length = run.inspect(|((index, _), _)| cut(*index)).count();
            let last = first.seq + count(length) - 1;
            self.cut(&range, first.seq, last)?;
            pieces.push(Range { first: first.seq, last, ..range });
            rest = rest.get(length..).unwrap_or_default();
        }
        Ok(pieces)
    }

    /// The range a tag's message is in, if the tag's claim still holds it.
    fn around(&self, tag: &Tag) -> Result<Option<Range>, Failure> {
        let range = self
            .connection
            .prepare_cached(
                "SELECT first_seq, last_seq, claim, attempt, deadline, consumer FROM claims
                 WHERE topic = ?1 AND grp = ?2 AND first_seq <= ?3 ORDER BY first_seq DESC LIMIT 1",
            )?
            .query_row(params![self.topic.as_str(), self.group.as_str(), tag.seq], Range::from_row)
            .optional()?;
        Ok(range.filter(|range| range.contains(tag)))
    }

    fn expired(&self, limit: i64, now: Timestamp) -> Result<Vec<Range>, Failure> {
        let mut statement = self.connection.prepare_cached(
            "SELECT first_seq, last_seq, claim, attempt, deadline, consumer FROM claims
             WHERE topic = ?1 AND grp = ?2 AND deadline <= ?3 ORDER BY first_seq LIMIT ?4",
        )?;
        let key = params![self.topic.as_str(), self.group.as_str(), now.unix_micros(), limit];
        let ranges = statement.query_map(key, Range::from_row)?.collect::<Result<_, _>>()?;
        Ok(ranges)
    }

    /// Takes `first..=last` out of a range; what is left of it on either side stays as it was.
    fn cut(&self, range: &Range, first: i64, last: i64) -> Result<(), Failure> {
        self.connection
            .prepare_cached("DELETE FROM claims WHERE topic = ?1 AND grp = ?2 AND first_seq = ?3")?
            .execute(params![self.topic.as_str(), self.group.as_str(), range.first])?;
        if range.first < first {
            self.insert(&Range { last: first - 1, ..range.clone() })?;
        }
        if last < range.last {
            self.insert(&Range { first: last + 1, ..range.clone() })?;
        }
        Ok(())
    }

    fn insert(&self, range: &Range) -> Result<(), Failure> {
        self.connection
            .prepare_cached(
                "INSERT INTO claims (topic, grp, first_seq, last_seq, claim, attempt, deadline, consumer)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                self.topic.as_str(),
                self.group.as_str(),
                range.first,
                range.last,
                range.claim,
                range.attempt,
                range.deadline,
                range.consumer
            ])?;
        Ok(())
    }

    fn place(&self) -> Result<Option<(i64, i64)>, Failure> {
        let place = self
            .connection
            .prepare_cached("SELECT next_seq, next_claim FROM groups WHERE topic = ?1 AND grp = ?2")?
            .query_row(params![self.topic.as_str(), self.group.as_str()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        Ok(place)
    }

    fn topic_end(&self) -> Result<i64, Failure> {
        let end = self
            .connection
            .prepare_cached("SELECT next_seq FROM topics WHERE topic = ?1")?
            .query_row(params![self.topic.as_str()], |row| row.get(0))?;
        Ok(end)
    }

    fn move_on(&self, next_seq: i64, next_claim: i64) -> Result<(), Failure> {
        self.connection
            .prepare_cached("UPDATE groups SET next_seq = ?3, next_claim = ?4 WHERE topic = ?1 AND grp = ?2")?
            .execute(params![self.topic.as_str(), self.group.as_str(), next_seq, next_claim])?;
        Ok(())
    }
}
