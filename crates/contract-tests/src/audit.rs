//! The contract of [`ports::audit::AuditLog`].

use domain::audit::{About, AuditEntry, Deed, Who};
use domain::event::Sealed;
use domain::id::{LeadId, ReceiptId, SessionId, SourceId, TenantId};
use domain::quarantine::Stage;
use domain::subject::{Identity, IdentityKind};
use ports::audit::{AboutFilter, AuditQuery};

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
            what_was_done_is_read_in_pages
            what_was_done_with_something_is_found_and_in_a_period
            a_tenant_sees_what_was_opened_of_its_own);
        $crate::named_tests!(world, $open, $crate::ledger::Port, $crate::audit:
            what_was_opened_survives_reopening);
    };
}

pub async fn what_was_opened_is_listed_with_the_last_first(ledger: &Port) {
    let by_key = opened(&salon(), 10, Who::Key("abc".to_owned()));
    let by_account = opened(&salon(), 5, Who::Account("uid 1000".to_owned()));
    ledger.add_audit(&[by_key.clone(), by_account.clone()]).await.unwrap();
    assert_eq!(listed(ledger, &of(Some(salon()))).await, [by_account.clone(), by_key]);
    assert_eq!(listed(ledger, &AuditQuery { limit: 1, ..of(Some(salon())) }).await, [by_account]);
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
    assert_eq!(listed(ledger, &of(None)).await, entries);
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
    assert_eq!(listed(ledger, &query).await, [found]);
}

pub async fn what_was_done_is_read_in_pages(ledger: &Port) {
    let entries: Vec<_> = (0..7).map(|second| opened(&salon(), second, Who::Key("a".to_owned()))).collect();
    ledger.add_audit(&entries).await.unwrap();
    ledger.add_audit(&[opened(&tenant("rival"), 9, Who::Visitor)]).await.unwrap();
    let mut paged = Vec::new();
    let mut query = AuditQuery { limit: 3, ..of(Some(salon())) };
    loop {
        let page = ledger.audit(&query).await.unwrap();
        let Some(last) = page.last() else { break };
        query.before = Some(last.number);
        paged.extend(page.into_iter().map(|row| row.entry));
    }
    paged.reverse();
    assert_eq!(paged, entries);
}

pub async fn what_was_done_with_something_is_found_and_in_a_period(ledger: &Port) {
    let read = |second, number| AuditEntry {
        deed: Deed::Read,
        about: About::Lead(LeadId::from_number(number)),
        reason: None,
        ..opened(&salon(), second, Who::Visitor)
    };
    let entries = [read(1, 7), opened(&salon(), 2, Who::Visitor), read(3, 8), read(4, 7)];
    ledger.add_audit(&entries).await.unwrap();
    let [first, body, other, last] = entries;
    for tenant in [Some(salon()), None] {
        let about = |about| AuditQuery { about: Some(about), ..of(tenant.clone()) };
        let leads = listed(ledger, &about(AboutFilter::Kind("lead"))).await;
        assert_eq!(leads, [last.clone(), other.clone(), first.clone()]);
        let of_lead = about(AboutFilter::OneOf(vec![first.about.clone()]));
        assert_eq!(listed(ledger, &of_lead).await, [last.clone(), first.clone()]);
        let opened = AuditQuery { deed: Some(Deed::Opened), ..of_lead };
        assert_eq!(listed(ledger, &opened).await, []);
        let of_entry = about(AboutFilter::OneOf(vec![body.about.clone()]));
        assert_eq!(listed(ledger, &of_entry).await, std::slice::from_ref(&body));
        let period = AuditQuery { from: Some(at(2)), until: Some(at(4)), ..of(tenant.clone()) };
        assert_eq!(listed(ledger, &period).await, [other.clone(), body.clone()]);
    }
}

pub async fn a_tenant_sees_what_was_opened_of_its_own(ledger: &Port) {
    let (ours, theirs) = (
        opened(&salon(), 1, Who::Key("a".to_owned())),
        opened(&tenant("rival"), 2, Who::Key("b".to_owned())),
    );
    ledger.add_audit(std::slice::from_ref(&ours)).await.unwrap();
    ledger.add_audit(std::slice::from_ref(&theirs)).await.unwrap();
    assert_eq!(listed(ledger, &of(Some(salon()))).await, std::slice::from_ref(&ours));
    assert_eq!(listed(ledger, &of(None)).await, [theirs, ours]);
}

pub async fn what_was_opened_survives_reopening(world: &dyn World<Port>) {
    let ledger = world.open().await;
    let entry = opened(&salon(), 1, Who::Key("a".to_owned()));
    ledger.add_audit(std::slice::from_ref(&entry)).await.unwrap();
    drop(ledger);
    assert_eq!(listed(&*world.open().await, &of(None)).await, [entry]);
}

fn of(tenant: Option<TenantId>) -> AuditQuery {
    AuditQuery::last_of(tenant, 100)
}

async fn listed(ledger: &Port, query: &AuditQuery) -> Vec<AuditEntry> {
    let rows = ledger.audit(query).await.unwrap();
    assert!(rows.is_sorted_by_key(|row| std::cmp::Reverse(row.number)), "the one written last comes first");
    rows.into_iter().map(|row| row.entry).collect()
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
