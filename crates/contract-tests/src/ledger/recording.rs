//! Verdicts and books.

use domain::action::Action;
use domain::event::Event;
use domain::id::{ReceiptId, TenantId};
use domain::quarantine::{QuarantineState, ReasonClass, Stage};
use futures_util::future::join_all;
use ports::ledger::{ReceiptBatch, Recorded, SessionRow};
use uuid::Uuid;

use super::{Port, all_sessions, books, record, timeline};
use crate::fixtures::{at, batch, contradiction, event, quarantined, salon, tenant, wire};

pub async fn a_new_event_is_stored(ledger: &Port) {
    let said = event("s-1", 0, Action::Message);
    let verdicts = ledger.record(&[batch(std::slice::from_ref(&said))], at(7)).await.unwrap();
    assert_eq!(verdicts, [Recorded::Stored]);
    let events = ledger.timeline(&salon(), &said.session, None, 10).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].stored_at, &events[0].wire), (at(7), &wire(&said)));
    assert_eq!(books(ledger, &salon()).await, (1, 0, 0));
}

pub async fn a_resend_is_a_duplicate(ledger: &Port) {
    let said = event("s-1", 0, Action::Message);
    assert_eq!(record(ledger, &batch(std::slice::from_ref(&said))).await, Recorded::Stored);
    assert_eq!(record(ledger, &batch(&[said])).await, Recorded::Duplicate);
    assert_eq!(books(ledger, &salon()).await, (1, 1, 0));
    assert_eq!(timeline(ledger, &salon(), "s-1").await.len(), 1);
    let sessions = ledger.sessions(&all_sessions(&salon())).await.unwrap();
    assert_eq!(sessions[0].events, 1);
}

pub async fn a_receipt_reported_twice_has_one_outcome(ledger: &Port) {
    let first = batch(&[event("s-1", 0, Action::Message)]);
    let duplicate = ReceiptBatch { receipt: ReceiptId::generate(), ..first.clone() };
    record(ledger, &first).await;
    record(ledger, &duplicate).await;
    for again in [&first, &duplicate] {
        assert_eq!(record(ledger, again).await, Recorded::Already);
    }
    let new = batch(&[event("s-2", 0, Action::Message)]);
    let verdicts = ledger.record(&[new.clone(), new], at(1)).await.unwrap();
    assert_eq!(verdicts, [Recorded::Stored, Recorded::Already]);
    assert_eq!(books(ledger, &salon()).await, (2, 1, 0));
}

pub async fn a_receipt_without_events_counts_as_stored(ledger: &Port) {
    let empty = batch(&[]);
    assert_eq!(record(ledger, &empty).await, Recorded::Stored);
    assert_eq!(record(ledger, &empty).await, Recorded::Already);
    assert_eq!(books(ledger, &salon()).await, (1, 0, 0));
}

pub async fn several_events_with_one_id_count_as_one(ledger: &Port) {
    let said = event("s-1", 0, Action::Message);
    assert_eq!(record(ledger, &batch(&[said.clone(), said.clone()])).await, Recorded::Stored);
    assert_eq!(timeline(ledger, &salon(), "s-1").await.len(), 1);
    assert_eq!(record(ledger, &batch(&[said.clone(), said])).await, Recorded::Duplicate);
}

pub async fn one_call_may_mix_everything(ledger: &Port) {
    let known = event("s-1", 0, Action::Message);
    let before = batch(std::slice::from_ref(&known));
    record(ledger, &before).await;
    let of_other = Event { tenant: tenant("clinic"), ..event("s-1", 0, Action::Book) };
    let new = event("s-2", 0, Action::Message);
    let call = [
        batch(&[new.clone(), known.clone()]),
        batch(std::slice::from_ref(&known)),
        batch(&[contradiction(&known)]),
        before,
        batch(&[new]),
        batch(&[of_other]),
    ];
    let verdicts = ledger.record(&call, at(9)).await.unwrap();
    use Recorded::{Already, Conflict, Duplicate, Stored};
    assert_eq!(verdicts, [Stored, Duplicate, Conflict, Already, Duplicate, Stored]);
    assert_eq!(books(ledger, &salon()).await, (2, 2, 1));
    assert_eq!(books(ledger, &tenant("clinic")).await, (1, 0, 0));
}

pub async fn a_contradiction_goes_to_quarantine_and_leaves_the_first(ledger: &Port) {
    let first = event("s-1", 0, Action::Message);
    record(ledger, &batch(std::slice::from_ref(&first))).await;
    let other = Event { action: Action::Book, ..contradiction(&first) };
    let contradicting = ReceiptBatch { received_at: at(5), ..batch(&[other]) };
    let verdicts = ledger.record(std::slice::from_ref(&contradicting), at(8)).await.unwrap();
    assert_eq!(verdicts, [Recorded::Conflict]);
    assert_eq!(timeline(ledger, &salon(), "s-1").await, [format!("wire of {}", first.id)]);
    let session = ledger.session(&salon(), &[first.session]).await.unwrap().unwrap();
    assert_eq!((session.events, session.rollup.step), (1, None));

    let entries = ledger.show(&salon(), contradicting.receipt).await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].stage, entries[0].reason.class), (Stage::Record, ReasonClass::Conflict));
    assert_eq!((entries[0].received_at, entries[0].quarantined_at), (at(5), at(8)));
    assert_eq!((entries[0].state, entries[0].replays), (QuarantineState::Open, 0));
    assert_eq!((&entries[0].source, &entries[0].tenant), (&contradicting.source, &salon()));
    assert_eq!(entries[0].message, contradicting.message);
    assert_eq!(books(ledger, &salon()).await, (1, 0, 1));
}

pub async fn a_contradiction_takes_no_neighbour_with_it(ledger: &Port) {
    let first = event("s-1", 0, Action::Message);
    record(ledger, &batch(std::slice::from_ref(&first))).await;
    let neighbour = event("s-1", 1, Action::Message);
    let mixed = batch(&[contradiction(&first), neighbour.clone()]);
    assert_eq!(record(ledger, &mixed).await, Recorded::Conflict);
    assert_eq!(timeline(ledger, &salon(), "s-1").await.len(), 2);
    assert_eq!(record(ledger, &batch(&[neighbour])).await, Recorded::Duplicate);
}

pub async fn a_contradiction_reported_twice_is_counted_once(ledger: &Port) {
    let first = event("s-1", 0, Action::Message);
    record(ledger, &batch(std::slice::from_ref(&first))).await;
    let contradicting = batch(&[contradiction(&first)]);
    record(ledger, &contradicting).await;
    record(ledger, &contradicting).await;
    assert_eq!(books(ledger, &salon()).await, (1, 0, 1));
    assert_eq!(ledger.show(&salon(), contradicting.receipt).await.unwrap().len(), 1);
}

pub async fn one_event_id_of_two_tenants_is_two_events(ledger: &Port) {
    let ours = event("s-1", 0, Action::Message);
    let theirs = Event { tenant: tenant("clinic"), ..contradiction(&ours) };
    assert_eq!(record(ledger, &batch(&[ours])).await, Recorded::Stored);
    assert_eq!(record(ledger, &batch(&[theirs])).await, Recorded::Stored);
    assert_eq!(timeline(ledger, &salon(), "s-1").await.len(), 1);
    assert_eq!(timeline(ledger, &tenant("clinic"), "s-1").await.len(), 1);
}

pub async fn of_many_that_record_one_event_at_once_one_stores_it(ledger: &Port) {
    let said = event("s-1", 0, Action::Message);
    let receipts: Vec<_> = (0..8).map(|_| batch(std::slice::from_ref(&said))).collect();
    let verdicts = join_all(receipts.iter().map(|receipt| record(ledger, receipt))).await;
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Recorded::Stored).count(), 1, "{verdicts:?}");
    assert_eq!(books(ledger, &salon()).await, (1, 7, 0));
    let sessions = ledger.sessions(&all_sessions(&salon())).await.unwrap();
    assert_eq!(sessions[0].events, 1);
}

/// What one call reports.
#[derive(Clone)]
enum Report {
    Events(Vec<ReceiptBatch>),
    Failure(ReceiptId),
}

pub async fn any_order_of_calls_gives_the_same_ledger(ledger: &Port) {
    let mut first_seen = None;
    for (round, order) in orders(12, 24, 6).into_iter().enumerate() {
        let salon = tenant(&format!("salon-{round}"));
        let reports = reports(&salon);
        for index in order {
            match &reports[index % reports.len()] {
                Report::Events(batches) => drop(ledger.record(batches, at(500)).await.unwrap()),
                Report::Failure(receipt) => {
                    let mut entry = quarantined(*receipt, Stage::Normalize, 50);
                    entry.tenant = salon.clone();
                    ledger.quarantine(&[entry]).await.unwrap();
                }
            }
        }
        // Of two receipts with the same event, the later one is the duplicate: only their sum is without order.
        let (stored, duplicate, quarantined) = books(ledger, &salon).await;
        let seen = (
            (stored + duplicate, quarantined),
            ledger
                .sessions(&all_sessions(&salon))
                .await
                .unwrap()
                .into_iter()
                .map(nameless)
                .collect::<Vec<_>>(),
            timeline(ledger, &salon, "s-0").await,
            timeline(ledger, &salon, "s-1").await,
        );
        assert_eq!(*first_seen.get_or_insert_with(|| seen.clone()), seen, "round {round}");
    }
}

/// Six calls: events of two sessions, a resend, a batch of several, a failure that comes home and one that does not.
/// The same for every tenant but for the receipts.
fn reports(salon: &TenantId) -> Vec<Report> {
    let actions =
        [Action::Message, Action::CreateLead, Action::Book, Action::Cancel, Action::Book, Action::Attend];
    let said: Vec<_> = (0_u8..)
        .zip(actions)
        .map(|(n, action)| {
            // Some in the same second, so that ids break ties.
            let mut said = event(&format!("s-{}", n % 2), u64::from(n / 2) * 10, action);
            said.id = domain::id::EventId::from_uuid(Uuid::from_u128(1_000 - u128::from(n)));
            said.tenant = salon.clone();
            said
        })
        .collect();
    let home = batch(&said[5..]);
    vec![
        Report::Events(vec![batch(&said[..1]), batch(&said[1..2])]),
        Report::Events(vec![batch(&said[..2])]),
        Report::Events(vec![batch(&said[1..5])]),
        Report::Failure(home.receipt),
        Report::Events(vec![home]),
        Report::Failure(ReceiptId::generate()),
    ]
}

fn nameless(row: SessionRow) -> SessionRow {
    SessionRow { rollup: domain::rollup::SessionRollup { tenant: salon(), ..row.rollup }, ..row }
}

/// Orders of the numbers below `of`, each with repetitions; the same on every run.
pub(super) fn orders(how_many: u64, length: u64, of: u64) -> Vec<Vec<usize>> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % of).unwrap()
    };
    let mut orders: Vec<Vec<usize>> =
        (0..how_many).map(|_| (0..length).map(|_| random()).collect()).collect();
    // Whatever chance left out comes last, so that every order says everything at least once.
    orders.iter_mut().for_each(|order| order.extend((0..usize::try_from(of).unwrap()).rev()));
    orders
}
