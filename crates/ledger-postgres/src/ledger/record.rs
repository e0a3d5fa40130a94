//! Recording events: each once, each receipt with one outcome.
//!
//! One transaction, about ten statements however many batches: receipts are marked, ids are claimed, verdicts follow
//! from the two without asking again, and what is new is written. Batches are judged in the order of the call.

use std::collections::BTreeMap;

use domain::id::{EventId, TenantId};
use domain::quarantine::{QuarantineEntry, QuarantineState, Reason, ReasonClass, Stage};
use domain::rollup::SessionRollup;
use domain::timestamp::Timestamp;
use ports::ledger::{LedgerEntry, ReceiptBatch, Recorded};
use sqlx::PgConnection;

use crate::database::Work;
use crate::failure::Failure;
use crate::ledger::books::Changes;
use crate::ledger::event_ids::{self, Candidate, Found};
use crate::ledger::receipts::{self, Ending};
use crate::ledger::{quarantine, rounds, sessions};
use crate::session_rollup::Kept;

/// One call of `record`.
pub(super) struct Recording<'a> {
    /// Batches with their places in the call, so that no receipt comes twice in a round. More than one round only
    /// where a redelivery lies beside what it repeats.
    rounds: Vec<Vec<(usize, &'a ReceiptBatch)>>,
    batches: usize,
    now: Timestamp,
}

impl<'a> Recording<'a> {
    pub(super) fn of(batches: &'a [ReceiptBatch], now: Timestamp) -> Self {
        let rounds = rounds(batches.iter().enumerate(), |(_, batch)| batch.receipt);
        Self { rounds, batches: batches.len(), now }
    }
}

impl Work for Recording<'_> {
    type Output = Vec<Recorded>;

    async fn run(&self, connection: &mut PgConnection) -> Result<Vec<Recorded>, Failure> {
        let mut verdicts = vec![Recorded::Already; self.batches];
        let mut books = Changes::default();
        let mut news = Vec::new();
        for round in &self.rounds {
            let marks: BTreeMap<_, _> =
                round.iter().map(|(_, batch)| (batch.receipt, batch.received_at)).collect();
            // Most receipts end as stored, so that is written at once and corrected where it is not true.
            let before = receipts::mark(connection, &marks, Ending::Stored).await?;
            let mut judging = Judging::of(round, &before);
            let found = event_ids::claim(connection, &judging.candidates).await?;
            judging.judge(&found);
            write_events(connection, &judging.new, self.now).await?;
            judging.settle(connection, self.now, &mut books).await?;
            for (place, _, _, verdict) in judging.judged {
                verdicts[place] = verdict;
            }
            news.extend(
                judging.new.iter().map(|(batch, entry)| Kept::of(rollup(batch, entry), batch.received_at)),
            );
        }
        sessions::write(connection, news).await?;
        books.write(connection).await?;
        Ok(verdicts)
    }
}

/// Whose it is, is the batch's to say: the wall must not depend on the content.
fn rollup(batch: &ReceiptBatch, entry: &LedgerEntry) -> SessionRollup {
    SessionRollup { tenant: batch.tenant.clone(), ..SessionRollup::of(&entry.event) }
}

/// The batches of one round that have no outcome yet.
struct Judging<'a> {
    open: Vec<(usize, &'a ReceiptBatch, Option<Ending>)>,
    /// The first of each id, in the order of the call.
    candidates: BTreeMap<(TenantId, EventId), Candidate>,
    /// Place, batch, what it was before, what it is now.
    judged: Vec<(usize, &'a ReceiptBatch, Option<Ending>, Recorded)>,
    new: Vec<(&'a ReceiptBatch, &'a LedgerEntry)>,
}

impl<'a> Judging<'a> {
    fn of(round: &[(usize, &'a ReceiptBatch)], before: &BTreeMap<domain::id::ReceiptId, Ending>) -> Self {
        let mut open = Vec::with_capacity(round.len());
        let mut candidates = BTreeMap::new();
        for (place, batch) in round {
            let before = before.get(&batch.receipt).copied();
            if matches!(before, Some(Ending::Stored | Ending::Duplicate)) {
                continue;
            }
            for entry in &batch.events {
                candidates.entry((batch.tenant.clone(), entry.event.id)).or_insert(Candidate {
                    digest: entry.event.content_digest,
                    received_at: batch.received_at,
                });
            }
            open.push((*place, *batch, before));
        }
        Self { open, candidates, judged: Vec::new(), new: Vec::new() }
    }

    /// Compares every event with what was there, or came before it in this round.
    fn judge(&mut self, found: &Found) {
        let mut unseen = found.new.clone();
        for (place, batch, before) in std::mem::take(&mut self.open) {
            let (mut anything_new, mut contradicts) = (batch.events.is_empty(), false);
            for entry in &batch.events {
                let key = (batch.tenant.clone(), entry.event.id);
                if unseen.remove(&key) {
                    anything_new = true;
                    self.new.push((batch, entry));
                    continue;
                }
                let first = found.known.get(&key).or(self.candidates.get(&key).map(|first| &first.digest));
                contradicts |= first != Some(&entry.event.content_digest);
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
         SELECT e.tenant, e.event_id, e.session, e.lead, e.occurred_at, e.received_at, $8, e.wire
         FROM unnest($1::text[], $2::bytea[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bytea[])
                  AS e (tenant, event_id, session, lead, occurred_at, received_at, wire)
         WHERE e.received_at >= (SELECT events_before FROM retention)",
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
