//! Recording events: each once, each receipt with one outcome.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::event::Digest;
use domain::id::{EventId, LeadId, ReceiptId, SourceId, TenantId};
use domain::quarantine::{QuarantineEntry, QuarantineState, Reason, ReasonClass, Stage};
use domain::rollup::SessionRollup;
use domain::session::Outcome;
use domain::source_state::SourceNews;
use domain::subject::Learned;
use domain::timestamp::Timestamp;
use ports::ledger::{ReceiptBatch, Recorded};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Statement, params};

use crate::columns::digest;
use crate::failure::Failure;
use crate::ledger::{quarantine, sources, subjects};
use crate::session_rollup::{columns, merge_by_session, merge_with_kept, write};

/// How a receipt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Stored,
    Duplicate,
    Quarantined,
}

impl Ending {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Duplicate => "duplicate",
            Self::Quarantined => "quarantined",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Stored, Self::Duplicate, Self::Quarantined].into_iter().find(|ending| ending.as_str() == word)
    }

    const fn of(verdict: Recorded) -> Option<Self> {
        match verdict {
            Recorded::Stored => Some(Self::Stored),
            Recorded::Duplicate => Some(Self::Duplicate),
            Recorded::Conflict => Some(Self::Quarantined),
            Recorded::Already => None,
        }
    }
}

/// What changes in a tenant's books.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Change {
    stored: i64,
    duplicate: i64,
    quarantined: i64,
}

impl Change {
    pub(crate) fn add(&mut self, ending: Ending, receipts: i64) {
        *match ending {
            Ending::Stored => &mut self.stored,
            Ending::Duplicate => &mut self.duplicate,
            Ending::Quarantined => &mut self.quarantined,
        } += receipts;
    }
}

/// What the writer needs of a [`ReceiptBatch`], owned.
pub(crate) struct Batch {
    receipt: ReceiptId,
    tenant: TenantId,
    source: SourceId,
    received_at: Timestamp,
    message: Bytes,
    events: Vec<Entry>,
}

struct Entry {
    id: EventId,
    digest: Digest,
    lead: Option<LeadId>,
    wire: Bytes,
    rollup: SessionRollup,
    learned: Learned,
    /// What it teaches where it is known already.
    heard_again: Learned,
}

impl Batch {
    pub(crate) fn of(batch: &ReceiptBatch) -> Self {
        let events = batch.events.iter().map(|entry| {
            // Whose it is, is the batch's to say: the wall must not depend on the content.
            let mut learned = Learned::default();
            learned.add(&batch.tenant, &entry.event);
            let mut heard_again = Learned::default();
            heard_again.hear_again(&batch.tenant, &entry.event);
            Entry {
                id: entry.event.id,
                digest: entry.event.content_digest,
                lead: entry.event.lead,
                wire: entry.wire.clone(),
                rollup: SessionRollup { tenant: batch.tenant.clone(), ..SessionRollup::of(&entry.event) },
                learned,
                heard_again,
            }
        });
        Self {
            receipt: batch.receipt,
            tenant: batch.tenant.clone(),
            source: batch.source.clone(),
            received_at: batch.received_at,
            message: batch.message.clone(),
            events: events.collect(),
        }
    }
}

/// Records batches in the order given; one verdict each.
pub(crate) fn record(
    connection: &Connection,
    batches: Vec<Batch>,
    now: Timestamp,
) -> Result<Vec<Recorded>, Failure> {
    let mut recording = Recording {
        connection,
        now,
        mark: connection.prepare_cached(MARK)?,
        insert: connection.prepare_cached(INSERT)?,
        news: Vec::new(),
        sources: SourceNews::default(),
        learned: Learned::default(),
        books: BTreeMap::new(),
    };
    let mut verdicts = Vec::with_capacity(batches.len());
    for batch in batches {
        verdicts.push(recording.record(batch)?);
    }
    sources::write(connection, &recording.sources)?;
    write_sessions(connection, recording.news)?;
    subjects::learn(connection, recording.learned)?;
    write_books(connection, &recording.books)?;
    Ok(verdicts)
}

/// What [`mark`] executes.
pub(crate) const MARK: &str = "INSERT INTO receipts (receipt, outcome, received_at) VALUES (?1, ?2, ?3)
     ON CONFLICT (receipt) DO NOTHING";

/// Marks a receipt with an ending unless it has one; returns the one it had. `statement` is [`MARK`].
pub(crate) fn mark(
    connection: &Connection,
    statement: &mut Statement<'_>,
    receipt: ReceiptId,
    ending: Ending,
    received_at: Timestamp,
) -> Result<Option<Ending>, Failure> {
    let values = params![receipt.as_bytes().as_slice(), ending.as_str(), received_at.unix_micros()];
    if statement.execute(values)? > 0 {
        return Ok(None);
    }
    let word: String = connection
        .prepare_cached("SELECT outcome FROM receipts WHERE receipt = ?1")?
        .query_one([receipt.as_bytes().as_slice()], |row| row.get(0))?;
    Ending::parse(&word).map(Some).ok_or(Failure::Corrupt("a receipt's outcome"))
}

pub(crate) fn write_books(
    connection: &Connection,
    books: &BTreeMap<TenantId, Change>,
) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO books (tenant, stored, duplicate, quarantined) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (tenant) DO UPDATE SET stored = stored + excluded.stored,
                                            duplicate = duplicate + excluded.duplicate,
                                            quarantined = quarantined + excluded.quarantined",
    )?;
    for (tenant, change) in books {
        statement.execute(params![tenant.as_str(), change.stored, change.duplicate, change.quarantined])?;
    }
    Ok(())
}

const INSERT: &str =
    "INSERT INTO events (tenant, event_id, digest, session, lead, occurred_at, received_at, stored_at, wire)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
     ON CONFLICT (tenant, event_id) DO NOTHING";

struct Recording<'c> {
    connection: &'c Connection,
    now: Timestamp,
    // Looked for once, as that costs more than to bind one.
    /// [`MARK`].
    mark: CachedStatement<'c>,
    /// [`INSERT`].
    insert: CachedStatement<'c>,
    /// What the new events say of their sessions.
    news: Vec<SessionRollup>,
    /// What they say of their sources.
    sources: SourceNews,
    /// What they teach about persons.
    learned: Learned,
    books: BTreeMap<TenantId, Change>,
}

/// How an event compares with what is there.
enum Compared {
    New,
    Same,
    Contradicts,
}

impl Recording<'_> {
    fn record(&mut self, batch: Batch) -> Result<Recorded, Failure> {
        // Most receipts end as stored, so that is written at once and corrected where it is not true.
        let before = mark(self.connection, &mut self.mark, batch.receipt, Ending::Stored, batch.received_at)?;
        if matches!(before, Some(Ending::Stored | Ending::Duplicate)) {
            return Ok(Recorded::Already);
        }
        let Batch { receipt, tenant, source, received_at, message, events } = batch;
        let (mut anything_new, mut contradicts) = (events.is_empty(), false);
        for entry in events {
            match self.insert(&entry, received_at)? {
                Compared::New => {
                    anything_new = true;
                    let rollup = entry.rollup;
                    let heard = (&rollup.session, rollup.last);
                    self.sources.add((&tenant, &source), received_at, heard);
                    self.news.push(rollup);
                    self.learned.append(entry.learned);
                }
                Compared::Same => self.learned.append(entry.heard_again),
                Compared::Contradicts => contradicts = true,
            }
        }
        if contradicts {
            let now = self.now;
            if before.is_some() {
                // A replay that was understood at last: where it waited before, nothing waits any more. The entry of
                // this very stage does, and is not touched: what follows renews it, or finds it the same.
                quarantine::leave(self.connection, receipt, Stage::Normalize)?;
            }
            quarantine::put(
                self.connection,
                &conflict(receipt, &tenant, source, received_at, &message, now),
            )?;
        }
        let verdict = match (contradicts, anything_new) {
            (true, _) => Recorded::Conflict,
            (false, true) => Recorded::Stored,
            (false, false) => Recorded::Duplicate,
        };
        self.end(receipt, tenant, before, verdict)?;
        Ok(verdict)
    }

    /// Writes down how a receipt ended that was new or in quarantine.
    fn end(
        &mut self,
        receipt: ReceiptId,
        tenant: TenantId,
        before: Option<Ending>,
        verdict: Recorded,
    ) -> Result<(), Failure> {
        let Some(ending) = Ending::of(verdict).filter(|ending| before != Some(*ending)) else {
            return Ok(());
        };
        let change = self.books.entry(tenant).or_default();
        change.add(ending, 1);
        if before.is_some() {
            change.add(Ending::Quarantined, -1);
            quarantine::bring_home(self.connection, receipt)?;
        }
        if before.is_some() || ending != Ending::Stored {
            self.connection
                .prepare_cached("UPDATE receipts SET outcome = ?2 WHERE receipt = ?1")?
                .execute(params![receipt.as_bytes().as_slice(), ending.as_str()])?;
        }
        Ok(())
    }

    fn insert(&mut self, entry: &Entry, received_at: Timestamp) -> Result<Compared, Failure> {
        let rollup = &entry.rollup;
        let added = self.insert.execute(params![
            rollup.tenant.as_str(),
            entry.id.as_bytes().as_slice(),
            entry.digest.as_bytes().as_slice(),
            rollup.session.as_str(),
            entry.lead.map(|lead| lead.number().cast_signed()),
            rollup.last.at.unix_micros(),
            received_at.unix_micros(),
            self.now.unix_micros(),
            &entry.wire[..]
        ])?;
        if added > 0 {
            return Ok(Compared::New);
        }
        let first = self
            .connection
            .prepare_cached("SELECT digest FROM events WHERE tenant = ?1 AND event_id = ?2")?
            .query_row(params![rollup.tenant.as_str(), entry.id.as_bytes().as_slice()], |row| {
                Ok(digest(row, 0))
            })
            .optional()?
            .ok_or(Failure::Corrupt("an event's id"))??;
        Ok(if first == entry.digest { Compared::Same } else { Compared::Contradicts })
    }
}

fn conflict(
    receipt: ReceiptId,
    tenant: &TenantId,
    source: SourceId,
    received_at: Timestamp,
    message: &Bytes,
    now: Timestamp,
) -> QuarantineEntry {
    QuarantineEntry {
        receipt,
        stage: Stage::Record,
        tenant: tenant.clone(),
        source,
        reason: Reason {
            class: ReasonClass::Conflict,
            pointer: None,
            detail: "an event with this id and other content is in the ledger already".to_owned(),
        },
        received_at,
        quarantined_at: now,
        message: message.to_vec(),
        state: QuarantineState::Open,
        replays: 0,
    }
}

fn write_sessions(connection: &Connection, news: Vec<SessionRollup>) -> Result<(), Failure> {
    let mut query = connection.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM sessions WHERE tenant = ?1 AND session = ?2"
    ))?;
    let mut statement = connection.prepare_cached(concat!(
        "INSERT INTO sessions (",
        columns!(),
        ", outcome, events)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
         ON CONFLICT (tenant, session) DO UPDATE SET
             channel = excluded.channel, opened_at = excluded.opened_at, opened_event = excluded.opened_event,
             last_at = excluded.last_at, last_event = excluded.last_event, marks = excluded.marks,
             lead = excluded.lead, lead_at = excluded.lead_at, lead_event = excluded.lead_event,
             step = excluded.step, step_at = excluded.step_at, step_event = excluded.step_event,
             outcome = excluded.outcome, events = events + excluded.events"
    ))?;
    for (news, events) in merge_by_session(news) {
        let rollup = merge_with_kept(&mut query, news)?;
        write(&mut statement, &rollup, &[&Outcome::of(&rollup).as_str(), &events])?;
    }
    Ok(())
}
