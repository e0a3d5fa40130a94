//! Recording events: each once, each receipt with one outcome.
//!
//! One transaction, about nine statements however many batches: receipts are marked, ids are claimed, verdicts follow
//! from the two without asking again, and what is new is written. Batches are judged in the order of the call.
//!
//! Statements take their rows as arrays, in the list of what they select: in `FROM`, every one would be written down
//! and read again first. `COPY` is no cheaper, and with sqlx 0.9.0 each one waits 40 ms for an acknowledgement.

use std::collections::BTreeMap;

use domain::id::ReceiptId;
use domain::quarantine::{QuarantineEntry, QuarantineState, Reason, ReasonClass, Stage};
use domain::rollup::{Moment, SessionRollup};
use domain::source_state::SourceNews;
use domain::subject::Learned;
use domain::timestamp::Timestamp;
use ports::ledger::{LedgerEntry, ReceiptBatch, Recorded};
use sqlx::PgConnection;

use crate::database::Work;
use crate::failure::Failure;
use crate::ledger::books::Changes;
use crate::ledger::event_ids::{self, Candidate, Found};
use crate::ledger::receipts::{self, Ending};
use crate::ledger::{quarantine, rounds, sessions, sources, subjects};
use crate::session_rollup::Kept;

/// One call of `record`.
pub(super) struct Recording<'a> {
    /// Batches with their places in the call, so that no receipt comes twice in a round. More than one round only
    /// where a redelivery lies beside what it repeats.
    rounds: Vec<Vec<(usize, &'a ReceiptBatch)>>,
    batches: usize,
    now: Timestamp,
    /// Whether to take everything for new. If it is not, that is [`Failure::AlreadyThere`].
    pub(super) expect_new: bool,
}

impl<'a> Recording<'a> {
    pub(super) fn of(batches: &'a [ReceiptBatch], now: Timestamp) -> Self {
        let rounds = rounds(batches.iter().enumerate(), |(_, batch)| batch.receipt);
        Self { rounds, batches: batches.len(), now, expect_new: false }
    }
}

impl Work for Recording<'_> {
    type Output = Vec<Recorded>;

    async fn run(&self, connection: &mut PgConnection) -> Result<Vec<Recorded>, Failure> {
        let mut verdicts = vec![Recorded::Already; self.batches];
        let mut books = Changes::default();
        let (mut news, mut of_sources) = (Vec::new(), SourceNews::default());
        let mut learned = Learned::default();
        for round in &self.rounds {
            let mut marks: Vec<_> =
                round.iter().map(|(_, batch)| (batch.receipt, batch.received_at)).collect();
            marks.sort_unstable();
            // Most receipts end as stored, so that is written at once and corrected where it is not true.
            let before = if self.expect_new {
                receipts::add(connection, &marks, Ending::Stored).await?;
                BTreeMap::new()
            } else {
                receipts::mark(connection, &marks, Ending::Stored).await?
            };
            let mut judging = Judging::of(round, &before);
            let found = if self.expect_new {
                event_ids::add(connection, &judging.candidates).await?
            } else {
                event_ids::claim(connection, &judging.candidates).await?
            };
            judging.judge(&found);
            write_events(connection, &judging.new, self.now).await?;
            judging.settle(connection, self.now, &mut books).await?;
            for (place, _, _, verdict) in judging.judged {
                verdicts[place] = verdict;
            }
            for (batch, entry) in &judging.new {
                let last = Moment { at: entry.event.occurred_at, event: entry.event.id };
                let heard = (&entry.event.session, last);
                of_sources.add((&batch.tenant, &batch.source), batch.received_at, heard);
                learned.add(&batch.tenant, &entry.event);
            }
            for (batch, entry) in &judging.again {
                learned.hear_again(&batch.tenant, &entry.event);
            }
            news.extend(
                judging.new.iter().map(|(batch, entry)| Kept::of(rollup(batch, entry), batch.received_at)),
            );
        }
        sessions::write(connection, news).await?;
        subjects::learn(connection, learned.merged()).await?;
        sources::write(connection, &of_sources).await?;
        books.write(connection).await?;
        Ok(verdicts)
    }
}

/// Whose it is, is the batch's to say: the wall must not depend on the content.
fn rollup(batch: &ReceiptBatch, entry: &LedgerEntry) -> SessionRollup {
    let mut rollup = SessionRollup::of(&entry.event);
    if rollup.tenant != batch.tenant {
        rollup.tenant = batch.tenant.clone();
    }
    rollup
}

/// The batches of one round that have no outcome yet.
struct Judging<'a> {
    open: Vec<(usize, &'a ReceiptBatch, Option<Ending>)>,
    /// The first event of each id, sorted by key.
    candidates: Vec<Candidate<'a>>,
    /// For each event of the open batches, in their order, which candidate has its id.
    slots: Vec<usize>,
    /// Place, batch, what it was before, what it is now.
    judged: Vec<(usize, &'a ReceiptBatch, Option<Ending>, Recorded)>,
    new: Vec<(&'a ReceiptBatch, &'a LedgerEntry)>,
    /// What is known and came once more.
    again: Vec<(&'a ReceiptBatch, &'a LedgerEntry)>,
}

impl<'a> Judging<'a> {
    fn of(round: &[(usize, &'a ReceiptBatch)], before: &BTreeMap<ReceiptId, Ending>) -> Self {
        let mut open = Vec::with_capacity(round.len());
        let mut events = Vec::with_capacity(round.len());
        for (place, batch) in round {
            let before = before.get(&batch.receipt).copied();
            if matches!(before, Some(Ending::Stored | Ending::Duplicate)) {
                continue;
            }
            for entry in &batch.events {
                let candidate = Candidate {
                    tenant: &batch.tenant,
                    event: entry.event.id,
                    digest: entry.event.content_digest,
                    received_at: batch.received_at,
                };
                events.push((events.len(), candidate));
            }
            open.push((*place, *batch, before));
        }
        // Of several with one id, the first of the call stays the first.
        events.sort_by(|(_, a), (_, b)| a.key().cmp(&b.key()));
        let mut slots = vec![0; events.len()];
        let mut candidates: Vec<Candidate<'a>> = Vec::with_capacity(events.len());
        for (nth, candidate) in events {
            if candidates.last().is_none_or(|last| last.key() != candidate.key()) {
                candidates.push(candidate);
            }
            slots[nth] = candidates.len() - 1;
        }
        Self { open, candidates, slots, judged: Vec::new(), new: Vec::new(), again: Vec::new() }
    }

    /// Compares every event with what was there, or came before it in this round.
    fn judge(&mut self, found: &[Found]) {
        let mut taken = vec![false; found.len()];
        let mut slots = self.slots.iter().copied();
        for (place, batch, before) in std::mem::take(&mut self.open) {
            let (mut anything_new, mut contradicts) = (batch.events.is_empty(), false);
            for (entry, slot) in batch.events.iter().zip(&mut slots) {
                let first = match found[slot] {
                    Found::Known(digest) => digest,
                    Found::New if taken[slot] => self.candidates[slot].digest,
                    Found::New => {
                        taken[slot] = true;
                        anything_new = true;
                        self.new.push((batch, entry));
                        continue;
                    }
                };
                if first == entry.event.content_digest {
                    self.again.push((batch, entry));
                } else {
                    contradicts = true;
                }
            }
            let verdict = match (contradicts, anything_new) {
                (true, _) => Recorded::Conflict,
                (false, true) => Recorded::Stored,
                (false, false) => Recorded::Duplicate,
            };
            self.judged.push((place, batch, before, verdict));
        }
    }

    /// Writes down how the receipts ended.
    async fn settle(
        &self,
        connection: &mut PgConnection,
        now: Timestamp,
        books: &mut Changes<'a>,
    ) -> Result<(), Failure> {
        let (mut changes, mut home, mut conflicts) = (Vec::new(), Vec::new(), Vec::new());
        for (_, batch, before, verdict) in &self.judged {
            if before.is_some() {
                // A replay that was understood at last: where it waited before, nothing waits any more.
                home.push(batch.receipt);
            }
            if *verdict == Recorded::Conflict {
                conflicts.push(conflict(batch, now));
            }
            let Some(ending) = Ending::of(*verdict).filter(|ending| *before != Some(*ending)) else {
                continue;
            };
            books.add(&batch.tenant, ending, 1);
            if before.is_some() {
                books.add(&batch.tenant, Ending::Quarantined, -1);
            }
            if before.is_some() || ending != Ending::Stored {
                changes.push((batch.receipt, ending));
            }
        }
        receipts::change(connection, &changes).await?;
        let contradicting: Vec<_> = conflicts.iter().map(|entry| entry.receipt).collect();
        quarantine::bring_home(connection, &home, &contradicting).await?;
        quarantine::put(connection, &conflicts.iter().collect::<Vec<_>>()).await
    }
}

/// Writes events into the partitions of their days. One received before the watermark would be seen by nobody, and
/// its partition may be gone: only its id and its receipt are kept.
async fn write_events(
    connection: &mut PgConnection,
    new: &[(&ReceiptBatch, &LedgerEntry)],
    now: Timestamp,
) -> Result<(), Failure> {
    if new.is_empty() {
        return Ok(());
    }
    let events = || new.iter().map(|(_, entry)| &entry.event);
    sqlx::query(
        "INSERT INTO events (tenant, event_id, session, lead, occurred_at, received_at, stored_at, wire)
         SELECT tenant, event_id, session, lead, occurred_at, received_at, $8, wire
         FROM (SELECT unnest($1::text[]) AS tenant, unnest($2::bytea[]) AS event_id, unnest($3::text[]) AS session,
                      unnest($4::bigint[]) AS lead, unnest($5::bigint[]) AS occurred_at,
                      unnest($6::bigint[]) AS received_at, unnest($7::bytea[]) AS wire) AS e
         WHERE received_at >= (SELECT events_before FROM retention)",
    )
    .bind(new.iter().map(|(batch, _)| batch.tenant.as_str()).collect::<Vec<_>>())
    .bind(events().map(|event| *event.id.as_bytes()).collect::<Vec<_>>())
    .bind(events().map(|event| event.session.as_str()).collect::<Vec<_>>())
    .bind(events().map(|event| event.lead.map(|lead| lead.number().cast_signed())).collect::<Vec<_>>())
    .bind(events().map(|event| event.occurred_at.unix_micros()).collect::<Vec<_>>())
    .bind(new.iter().map(|(batch, _)| batch.received_at.unix_micros()).collect::<Vec<_>>())
    .bind(new.iter().map(|(_, entry)| &entry.wire[..]).collect::<Vec<_>>())
    .bind(now.unix_micros())
    .execute(connection)
    .await?;
    Ok(())
}

fn conflict(batch: &ReceiptBatch, now: Timestamp) -> QuarantineEntry {
    QuarantineEntry {
        receipt: batch.receipt,
        stage: Stage::Record,
        tenant: batch.tenant.clone(),
        source: batch.source.clone(),
        reason: Reason {
            class: ReasonClass::Conflict,
            pointer: None,
            detail: "an event with this id and other content is in the ledger already".to_owned(),
        },
        received_at: batch.received_at,
        quarantined_at: now,
        message: batch.message.to_vec(),
        state: QuarantineState::Open,
        replays: 0,
    }
}
