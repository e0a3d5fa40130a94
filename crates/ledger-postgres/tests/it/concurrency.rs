//! Several replicas that record the same things at once.

use std::collections::BTreeMap;

use contract_tests::fixtures::{at, batch, event, quarantined, salon, session};
use domain::action::Action;
use domain::event::Event;
use domain::id::LeadId;
use domain::quarantine::Stage;
use domain::rollup::SessionRollup;
use ledger_postgres::PostgresLedger;
use ports::ledger::{Books, Ledger, LedgerReader, ReceiptBatch};
use rand::seq::SliceRandom as _;
use sqlx::Row as _;
use tokio::task::JoinSet;

use crate::world::{Schema, rows, schema};

const SESSIONS: usize = 7;
const EVENTS: usize = 300;

/// What the replicas are given: events of few sessions, each in two receipts, some receipts in quarantine first.
#[derive(Clone)]
pub(crate) struct Load {
    events: Vec<Event>,
    batches: Vec<ReceiptBatch>,
    failed: Vec<ReceiptBatch>,
}

impl Load {
    pub(crate) fn new() -> Self {
        let actions = [Action::Message, Action::CreateLead, Action::Book, Action::Cancel, Action::Attend];
        let events: Vec<_> = (0..EVENTS)
            .map(|n| {
                let second = u64::try_from(n * 7 % 100).unwrap();
                let lead = (n % 5 == 0).then(|| LeadId::from_number(second + 1));
                let action = actions[n % actions.len()].clone();
                Event { lead, ..event(&format!("s-{}", n % SESSIONS), second, action) }
            })
            .collect();
        let mut batches: Vec<_> = events.chunks(3).map(batch).collect();
        // The same events again under other receipts, cut otherwise.
        batches.extend(events.chunks(2).map(batch));
        let failed = batches.iter().step_by(9).cloned().collect();
        Self { events, batches, failed }
    }

    /// Reports everything once, in an order and in portions of its own, until it is through.
    pub(crate) async fn report(mut self, ledger: PostgresLedger, portion: usize) {
        for failed in self.failed.chunks(4) {
            let entries: Vec<_> =
                failed.iter().map(|batch| quarantined(batch.receipt, Stage::Normalize, 10)).collect();
            while ledger.quarantine(&entries).await.is_err() {
                tokio::task::yield_now().await;
            }
        }
        self.batches.shuffle(&mut rand::rng());
        for portion in self.batches.chunks(portion) {
            while ledger.record(portion, at(1_000)).await.is_err() {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Compares the ledger with what one report would have made of it.
    pub(crate) async fn assert_recorded_once(&self, schema: &Schema) {
        let ledger = schema.open_ledger();
        let receipts = u64::try_from(self.batches.len()).unwrap();
        let books = ledger.books().await.unwrap();
        let [Books { stored, duplicate, quarantined, .. }] = books[..] else { panic!("{books:?}") };
        assert_eq!((stored + duplicate, quarantined), (receipts, 0));
        let mut expected: BTreeMap<_, (SessionRollup, u64)> = BTreeMap::new();
        for event in &self.events {
            let one = SessionRollup::of(event);
            expected
                .entry(event.session.clone())
                .and_modify(|(rollup, events)| {
                    *rollup = rollup.clone().merge(one.clone());
                    *events += 1;
                })
                .or_insert((one, 1));
        }
        for (id, (rollup, events)) in expected {
            let row = ledger.session(&salon(), std::slice::from_ref(&id)).await.unwrap().unwrap();
            assert_eq!((row.rollup, row.events), (rollup, events));
            let timeline = ledger.timeline(&salon(), &id, None, 1_000).await.unwrap();
            assert_eq!(u64::try_from(timeline.len()).unwrap(), events);
        }
        assert_eq!(ledger.session(&salon(), &[session("s-7")]).await.unwrap(), None);
        let sums = "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM event_ids),
                           (SELECT count(*) FROM receipts WHERE outcome = 'stored'),
                           (SELECT count(*) FROM receipts WHERE outcome = 'duplicate'),
                           (SELECT count(*) FROM quarantine WHERE state <> 'resolved')";
        let row = &rows(&mut schema.owner().await, sums).await[0];
        let sums: Vec<i64> = (0..5).map(|column| row.get(column)).collect();
        let events = i64::try_from(EVENTS).unwrap();
        let expected = [events, events, stored.cast_signed(), duplicate.cast_signed(), 0];
        assert_eq!(sums, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_record_the_same_things_at_once_record_them_once() {
    let schema = schema().await;
    let load = Load::new();
    let mut replicas = JoinSet::new();
    // Small portions are looked for first; large ones are taken for new, which they mostly are not.
    for portion in [20, 20, 40, 50, 100] {
        replicas.spawn(load.clone().report(schema.open_ledger(), portion));
    }
    replicas.join_all().await;
    load.assert_recorded_once(&schema).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_at_once_through_one_handle_do_not_get_in_each_others_way() {
    let schema = schema().await;
    let ledger = schema.open_ledger();
    let load = Load::new();
    // None of them fails, and so none of them deadlocks more often than is hidden.
    let ledger = std::sync::Arc::new(ledger);
    let mut calls = JoinSet::new();
    for portion in load.batches.chunks(10) {
        let (ledger, portion) = (ledger.clone(), portion.to_vec());
        calls.spawn(async move { ledger.record(&portion, at(1_000)).await.unwrap().len() });
    }
    assert_eq!(calls.join_all().await.into_iter().sum::<usize>(), load.batches.len());
    load.assert_recorded_once(&schema).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_swept_while_it_is_recorded_is_counted_once() {
    let schema = schema().await;
    let load = Load::new();
    let mut recording = JoinSet::new();
    for portion in load.batches.chunks(load.batches.len() / 3) {
        let (ledger, portion) = (schema.open_ledger(), portion.to_vec());
        recording.spawn(async move {
            for batch in portion.chunks(4) {
                ledger.record(batch, at(1_000)).await.unwrap();
            }
        });
    }
    let sweeper = schema.open_ledger();
    // Everything is old at once: rows go while others look at them.
    while !recording.is_empty() {
        if let Some(ended) = recording.try_join_next() {
            ended.unwrap();
        }
        sweeper.sweep(at(90), at(90), 50).await.unwrap();
    }
    let books = &sweeper.books().await.unwrap()[0];
    let receipts = u64::try_from(load.batches.len()).unwrap();
    assert_eq!((books.stored + books.duplicate, books.quarantined), (receipts, 0));
    while sweeper.sweep(at(200), at(200), 1_000).await.unwrap() > 0 {}
    let left = "SELECT (SELECT count(*) FROM event_ids) + (SELECT count(*) FROM receipts)
                     + (SELECT count(*) FROM sessions)";
    assert_eq!(rows(&mut schema.owner().await, left).await[0].get::<i64, _>(0), 0);
}
