//! The contract of [`ports::audit::AuditLog`].

use domain::audit::{AuditEntry, Who};
use domain::event::Sealed;
use domain::id::{ReceiptId, TenantId};
use domain::quarantine::Stage;

use crate::World;
use crate::fixtures::{at, salon, tenant};
use crate::ledger::Port;

/// One named test per clause. `open` is the path of an `async fn() -> impl World<dyn LedgerStore>`.
#[macro_export]
macro_rules! audit_contract {
    ($open:path) => {
        $crate::named_tests!(store, $open, $crate::ledger::Port, $crate::audit:
            what_was_opened_is_listed_with_the_last_first
            a_tenant_sees_what_was_opened_of_its_own);
        $crate::named_tests!(world, $open, $crate::ledger::Port, $crate::audit:
            what_was_opened_survives_reopening);
    };
}

pub async fn what_was_opened_is_listed_with_the_last_first(ledger: &Port) {
    let by_key = opened(&salon(), 10, Who::Key("abc".to_owned()));
    let by_account = opened(&salon(), 5, Who::Account("uid 1000".to_owned()));
    ledger.add_audit(&by_key).await.unwrap();
    ledger.add_audit(&by_account).await.unwrap();
    assert_eq!(ledger.audit(Some(&salon()), 10).await.unwrap(), [by_account.clone(), by_key]);
    assert_eq!(ledger.audit(Some(&salon()), 1).await.unwrap(), [by_account]);
}

pub async fn a_tenant_sees_what_was_opened_of_its_own(ledger: &Port) {
    let (ours, theirs) = (
        opened(&salon(), 1, Who::Key("a".to_owned())),
        opened(&tenant("rival"), 2, Who::Key("b".to_owned())),
    );
    ledger.add_audit(&ours).await.unwrap();
    ledger.add_audit(&theirs).await.unwrap();
    assert_eq!(ledger.audit(Some(&salon()), 10).await.unwrap(), std::slice::from_ref(&ours));
    assert_eq!(ledger.audit(None, 10).await.unwrap(), [theirs, ours]);
}

pub async fn what_was_opened_survives_reopening(world: &dyn World<Port>) {
    let ledger = world.open().await;
    let entry = opened(&salon(), 1, Who::Key("a".to_owned()));
    ledger.add_audit(&entry).await.unwrap();
    drop(ledger);
    assert_eq!(world.open().await.audit(None, 10).await.unwrap(), [entry]);
}

fn opened(tenant: &TenantId, second: u64, who: Who) -> AuditEntry {
    AuditEntry {
        at: at(second),
        tenant: tenant.clone(),
        who,
        receipt: ReceiptId::generate(),
        stage: Stage::Normalize,
        reason: Sealed::from_bytes(vec![0, 255, 7]),
    }
}
