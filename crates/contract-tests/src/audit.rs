//! The contract of [`ports::audit::AuditLog`].

use domain::audit::{About, AuditEntry, Deed, Who};
use domain::event::Sealed;
use domain::id::{LeadId, ReceiptId, SessionId, SourceId, TenantId};
use domain::quarantine::Stage;
use domain::subject::{Identity, IdentityKind};
use ports::audit::AuditQuery;

use crate::World;
use crate::fixtures::{at, salon, tenant};
use crate::ledger::Port;

/// One named test per clause. `open` is the path of an `async fn() -> impl World<dyn LedgerStore>`.
#[macro_export]
macro_rules! audit_contract {
    ($open:path) => {
        $crate::named_tests!(store, $open, $crate::ledger::Port, $crate::audit:
            what_was_opened_is_listed_with_the_last_first
            everything_that_can_be_done_with_anything_is_kept_as_it_was_written
            what_was_done_is_found_among_everything_else
            a_tenant_sees_what_was_opened_of_its_own);
        $crate::named_tests!(world, $open, $crate::ledger::Port, $crate::audit:
            what_was_opened_survives_reopening);
    };
}

pub async fn what_was_opened_is_listed_with_the_last_first(ledger: &Port) {
    let by_key = opened(&salon(), 10, Who::Key("abc".to_owned()));
    let by_account = opened(&salon(), 5, Who::Account("uid 1000".to_owned()));
    ledger.add_audit(&[by_key.clone(), by_account.clone()]).await.unwrap();
    assert_eq!(ledger.audit(&of(Some(salon()))).await.unwrap(), [by_account.clone(), by_key]);
    assert_eq!(ledger.audit(&AuditQuery { limit: 1, ..of(Some(salon())) }).await.unwrap(), [by_account]);
    ledger.add_audit(&[]).await.unwrap();
}

pub async fn everything_that_can_be_done_with_anything_is_kept_as_it_was_written(ledger: &Port) {
    let about = [
        About::Entry { receipt: ReceiptId::generate(), stage: Stage::Record },
        About::Cause { group: "00ff".to_owned(), example: ReceiptId::generate() },
        About::Session(SessionId::parse("разговор 7").unwrap()),
        About::Lead(LeadId::from_number(7)),
        About::Client(Identity::parse(IdentityKind::Phone, "v1:p").unwrap()),
        About::Source(SourceId::parse("bot").unwrap()),
    ];
    let mut entries = Vec::new();
    for (second, about) in (0..).zip(about) {
        for deed in Deed::ALL {
            let entry = opened(&salon(), second, Who::Visitor);
            entries.push(AuditEntry { deed, about: about.clone(), reason: None, ..entry });
        }
    }
    ledger.add_audit(&entries).await.unwrap();
    entries.reverse();
    assert_eq!(ledger.audit(&of(None)).await.unwrap(), entries);
}

pub async fn what_was_done_is_found_among_everything_else(ledger: &Port) {
    let found = opened(&salon(), 1, Who::Key("a".to_owned()));
    let read = |second| AuditEntry {
        deed: Deed::Read,
        about: About::Lead(LeadId::from_number(7)),
        reason: None,
        ..opened(&salon(), second, Who::Key("a".to_owned()))
    };
    ledger.add_audit(&[read(0), found.clone(), read(2), read(3)]).await.unwrap();
    let query = AuditQuery { deed: Some(Deed::Opened), limit: 1, ..of(Some(salon())) };
    assert_eq!(ledger.audit(&query).await.unwrap(), [found]);
}

pub async fn a_tenant_sees_what_was_opened_of_its_own(ledger: &Port) {
    let (ours, theirs) = (
        opened(&salon(), 1, Who::Key("a".to_owned())),
        opened(&tenant("rival"), 2, Who::Key("b".to_owned())),
    );
    ledger.add_audit(std::slice::from_ref(&ours)).await.unwrap();
    ledger.add_audit(std::slice::from_ref(&theirs)).await.unwrap();
    assert_eq!(ledger.audit(&of(Some(salon()))).await.unwrap(), std::slice::from_ref(&ours));
    assert_eq!(ledger.audit(&of(None)).await.unwrap(), [theirs, ours]);
}

pub async fn what_was_opened_survives_reopening(world: &dyn World<Port>) {
    let ledger = world.open().await;
    let entry = opened(&salon(), 1, Who::Key("a".to_owned()));
    ledger.add_audit(std::slice::from_ref(&entry)).await.unwrap();
    drop(ledger);
    assert_eq!(world.open().await.audit(&of(None)).await.unwrap(), [entry]);
}

fn of(tenant: Option<TenantId>) -> AuditQuery {
    AuditQuery { tenant, deed: None, limit: 100 }
}

fn opened(tenant: &TenantId, second: u64, who: Who) -> AuditEntry {
    AuditEntry {
        at: at(second),
        tenant: tenant.clone(),
        who,
        deed: Deed::Opened,
        about: About::Entry { receipt: ReceiptId::generate(), stage: Stage::Normalize },
        reason: Some(Sealed::from_bytes(vec![0, 255, 7])),
    }
}
