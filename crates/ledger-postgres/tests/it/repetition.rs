//! Large calls, which take everything for new, where it is not.

use contract_tests::fixtures::{at, batch, contradiction, event, quarantined};
use domain::action::Action;
use domain::event::Event;
use domain::quarantine::Stage;
use ports::ledger::{Books, Ledger, LedgerReader, ReceiptBatch, Recorded};

use crate::world::schema;

/// Of one event each, as many as make a large call.
fn receipts() -> Vec<ReceiptBatch> {
    (0..100).map(|n| batch(&[event(&format!("s-{}", n % 7), n, Action::Message)])).collect()
}

fn sent_again(receipts: &[ReceiptBatch]) -> Vec<ReceiptBatch> {
    receipts.iter().map(|receipt| batch(&[receipt.events[0].event.clone()])).collect()
}

#[tokio::test]
async fn what_was_recorded_before_is_found_among_what_is_new() {
    let schema = schema().await;
    let ledger = schema.open_ledger();
    let (first, second) = (receipts(), receipts());
    assert_eq!(ledger.record(&first, at(0)).await.unwrap(), vec![Recorded::Stored; 100]);
    // Redelivered, sent again, contradicted, waiting in quarantine until now, new.
    let waiting = quarantined(second[0].receipt, Stage::Normalize, 10);
    ledger.quarantine(&[waiting]).await.unwrap();
    let contradicting: Vec<Event> =
        first[60..80].iter().map(|receipt| contradiction(&receipt.events[0].event)).collect();
    let calls = [
        first[..20].to_vec(),
        sent_again(&first[20..60]),
        contradicting.iter().map(|event| batch(std::slice::from_ref(event))).collect(),
        second,
    ];
    let expected = [Recorded::Already, Recorded::Duplicate, Recorded::Conflict, Recorded::Stored];
    let call: Vec<ReceiptBatch> = calls.concat();
    let verdicts: Vec<Recorded> =
        calls.iter().zip(expected).flat_map(|(call, verdict)| vec![verdict; call.len()]).collect();
    assert_eq!(ledger.record(&call, at(1)).await.unwrap(), verdicts);
    assert_eq!(ledger.record(&call[..20], at(2)).await.unwrap(), vec![Recorded::Already; 20]);
    let books = &ledger.books().await.unwrap()[0];
    assert_eq!(*books, Books { stored: 200, duplicate: 40, quarantined: 20, ..books.clone() });
    let sessions = ["s-0", "s-1", "s-2", "s-3", "s-4", "s-5", "s-6"];
    let mut events = 0;
    for session in sessions {
        let ids = [contract_tests::fixtures::session(session)];
        let tenant = contract_tests::fixtures::salon();
        events += ledger.session(&tenant, &ids).await.unwrap().unwrap().events;
    }
    assert_eq!(events, 200);
}

#[tokio::test]
async fn an_event_that_comes_twice_in_one_large_call_is_a_duplicate_of_itself() {
    let schema = schema().await;
    let ledger = schema.open_ledger();
    let first = receipts();
    let call = [first.clone(), sent_again(&first[..10])].concat();
    let verdicts = [vec![Recorded::Stored; 100], vec![Recorded::Duplicate; 10]].concat();
    assert_eq!(ledger.record(&call, at(0)).await.unwrap(), verdicts);
    // And so is a receipt that comes twice.
    let second = receipts();
    let call = [second.clone(), second[..10].to_vec()].concat();
    let verdicts = [vec![Recorded::Stored; 100], vec![Recorded::Already; 10]].concat();
    assert_eq!(ledger.record(&call, at(0)).await.unwrap(), verdicts);
}
