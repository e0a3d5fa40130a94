//! What the quarantine must take, whatever comes.

use contract_tests::fixtures::{at, batch, contradiction, event, quarantined, salon};
use domain::action::Action;
use domain::id::ReceiptId;
use domain::quarantine::{QuarantineState, Stage};
use ports::ledger::{Ledger, LedgerReader, Recorded};
use ports::quarantine::QuarantineStore;

use crate::world::schema;

#[tokio::test]
async fn a_pointer_to_a_key_that_postgresql_cannot_spell_is_kept_readable() {
    let schema = schema().await;
    let ledger = schema.open_ledger();
    let mut entry = quarantined(ReceiptId::generate(), Stage::Normalize, 10);
    entry.reason.pointer = Some("/a\0b".to_owned());
    ledger.quarantine(std::slice::from_ref(&entry)).await.unwrap();
    let shown = ledger.show(&salon(), entry.receipt).await.unwrap();
    assert_eq!(shown[0].reason.pointer.as_deref(), Some("/a\u{2400}b"));
}

#[tokio::test]
async fn a_contradiction_delivered_twice_in_one_call_still_waits() {
    let schema = schema().await;
    let ledger = schema.open_ledger();
    let first = event("s-1", 0, Action::Message);
    let contradicting = batch(&[contradiction(&first)]);
    ledger.record(&[batch(&[first])], at(1)).await.unwrap();
    let call = [contradicting.clone(), contradicting.clone()];
    assert_eq!(ledger.record(&call, at(2)).await.unwrap(), [Recorded::Conflict, Recorded::Conflict]);
    let shown = ledger.show(&salon(), contradicting.receipt).await.unwrap();
    assert_eq!(shown.iter().map(|entry| entry.state).collect::<Vec<_>>(), [QuarantineState::Open]);
    let books = &ledger.books().await.unwrap()[0];
    assert_eq!((books.stored, books.duplicate, books.quarantined), (1, 0, 1));
}
