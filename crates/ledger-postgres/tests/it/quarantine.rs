//! What the quarantine must take, whatever comes.

use contract_tests::fixtures::{quarantined, salon};
use domain::id::ReceiptId;
use domain::quarantine::Stage;
use ports::ledger::Ledger;
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
