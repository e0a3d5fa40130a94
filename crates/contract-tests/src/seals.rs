//! The contract of [`ports::seals::SealedStore`].

use std::collections::BTreeSet;

use bytes::Bytes;
use domain::action::Action;
use domain::audit::{About, AuditEntry, Deed, Who};
use domain::event::Sealed;
use domain::id::{ReceiptId, SourceId};
use domain::quarantine::{QuarantineState, Stage};
use domain::registry::{Source, SourceKind, SourceSecret, Tenant, Trade};
use ports::audit::AuditQuery;
use ports::registry::Registry;
use ports::seals::{Place, Replacement, SealedAt, SealedRow, SealedStore};

use crate::fixtures::{at, batch, event, quarantined, salon, session, tenant};
use crate::ledger::{LedgerStore, record};

/// The ledger with its seals and the registry: what an adapter keeps in one database.
pub trait WholeLedger: LedgerStore + Registry + SealedStore {}

impl<T: LedgerStore + Registry + SealedStore> WholeLedger for T {}

/// The port.
pub type Port = dyn WholeLedger;

/// One named test per clause. `open` is the path of an `async fn() -> impl World<dyn WholeLedger>`.
#[macro_export]
macro_rules! seals_contract {
    ($open:path) => {
        $crate::named_tests!(store, $open, $crate::seals::Port, $crate::seals:
            an_empty_store_has_nothing_under_seal
            every_place_gives_out_what_lies_in_it_in_pages
            what_is_replaced_is_what_readers_get
            a_row_that_changed_meanwhile_keeps_its_change
            replacing_changes_nothing_but_the_content
            a_renewed_secret_is_another_version_of_the_registry);
    };
}

pub async fn an_empty_store_has_nothing_under_seal(store: &Port) {
    for place in Place::ALL {
        assert_eq!(store.count_sealed(place).await.unwrap(), 0, "{place:?}");
        assert_eq!(store.sealed(place, None, 10).await.unwrap(), [], "{place:?}");
    }
}

pub async fn every_place_gives_out_what_lies_in_it_in_pages(store: &Port) {
    fill(store).await;
    for (place, rows) in [
        (Place::Events, 7),
        (Place::Quarantine, 3),
        (Place::Secrets, 3),
        (Place::Forwards, 2),
        (Place::Reasons, 2),
    ] {
        assert_eq!(store.count_sealed(place).await.unwrap(), rows, "{place:?}");
        let all = store.sealed(place, None, 100).await.unwrap();
        assert!(all.iter().all(|row| row.at.place() == place));
        assert_eq!(u64::try_from(all.len()).unwrap(), rows, "{place:?}");
        for limit in 1..=4 {
            assert_eq!(in_pages(store, place, limit).await, all, "{place:?} by {limit}");
        }
        let places: BTreeSet<String> = all.iter().map(|row| format!("{:?}", row.at)).collect();
        assert_eq!(places.len(), all.len(), "each row has a place of its own");
    }
}

pub async fn what_is_replaced_is_what_readers_get(store: &Port) {
    fill(store).await;
    for place in Place::ALL {
        let rows = in_pages(store, place, 2).await;
        let anew: Vec<_> = rows.iter().map(|row| replacement(row, b"anew ")).collect();
        assert_eq!(store.replace_sealed(&anew).await.unwrap(), u64::try_from(rows.len()).unwrap());
        let expected: Vec<_> =
            anew.iter().map(|row| SealedRow { at: row.at.clone(), content: row.after.clone() }).collect();
        assert_eq!(in_pages(store, place, 3).await, expected, "{place:?}");
    }
    let is_anew = |bytes: &[u8]| bytes.starts_with(b"anew ");
    let timeline = store.timeline(&salon(), &session("s-1"), None, 10).await.unwrap();
    assert!(timeline.len() == 3 && timeline.iter().all(|event| is_anew(&event.wire)));
    let snapshot = store.snapshot().await.unwrap();
    let secrets = snapshot.sources.iter().flat_map(|source| &source.secrets);
    assert!(secrets.clone().count() == 3 && secrets.clone().all(|secret| is_anew(secret.sealed.as_bytes())));
    let forwards = snapshot.sources.iter().filter_map(|source| source.forward_to.as_ref());
    assert!(forwards.clone().count() == 2 && forwards.clone().all(|to| is_anew(to.as_bytes())));
    let query = AuditQuery { deed: Some(Deed::Opened), ..AuditQuery::last_of(None, 10) };
    let audit = store.audit(&query).await.unwrap();
    let reasons = audit.iter().filter_map(|row| row.entry.reason.as_ref());
    assert!(reasons.clone().count() == 2 && reasons.clone().all(|reason| is_anew(reason.as_bytes())));
}

pub async fn a_row_that_changed_meanwhile_keeps_its_change(store: &Port) {
    fill(store).await;
    for place in Place::ALL {
        let row = store.sealed(place, None, 1).await.unwrap().remove(0);
        let (first, second) = (replacement(&row, b"first "), replacement(&row, b"second "));
        assert_eq!(store.replace_sealed(std::slice::from_ref(&first)).await.unwrap(), 1, "{place:?}");
        assert_eq!(store.replace_sealed(&[second]).await.unwrap(), 0, "{place:?}");
        assert_eq!(store.sealed(place, None, 1).await.unwrap()[0].content, first.after, "{place:?}");
    }
}

pub async fn replacing_changes_nothing_but_the_content(store: &Port) {
    fill(store).await;
    let before = store.show(&salon(), receipt(1)).await.unwrap().remove(0);
    let books = store.books().await.unwrap();
    for place in [Place::Events, Place::Quarantine] {
        let rows = in_pages(store, place, 10).await;
        store
            .replace_sealed(&rows.iter().map(|row| replacement(row, b"anew ")).collect::<Vec<_>>())
            .await
            .unwrap();
    }
    let after = store.show(&salon(), receipt(1)).await.unwrap().remove(0);
    assert_eq!(after.message, [b"anew ".as_slice(), &before.message].concat());
    assert_eq!(domain::quarantine::QuarantineEntry { message: before.message.clone(), ..after }, before);
    assert_eq!(before.state, QuarantineState::Open);
    assert_eq!(store.books().await.unwrap(), books);
    let resend = batch(&[event("s-1", 1, Action::Message)]);
    let known = store.timeline(&salon(), &session("s-1"), None, 10).await.unwrap().len();
    record(store, &resend).await;
    assert_eq!(store.timeline(&salon(), &session("s-1"), None, 10).await.unwrap().len(), known + 1);
}

pub async fn a_renewed_secret_is_another_version_of_the_registry(store: &Port) {
    fill(store).await;
    for (place, changes) in [(Place::Secrets, true), (Place::Forwards, true), (Place::Events, false)] {
        let version = store.version().await.unwrap();
        let row = store.sealed(place, None, 1).await.unwrap().remove(0);
        store.replace_sealed(&[replacement(&row, b"anew ")]).await.unwrap();
        assert_eq!(store.version().await.unwrap() != version, changes, "{place:?}");
    }
}

async fn in_pages(store: &Port, place: Place, limit: u32) -> Vec<SealedRow> {
    let mut rows: Vec<SealedRow> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.at.clone());
        let page = store.sealed(place, after.as_ref(), limit).await.unwrap();
        if page.is_empty() {
            return rows;
        }
        rows.extend(page);
    }
}

fn replacement(row: &SealedRow, mark: &[u8]) -> Replacement {
    let after = Bytes::from([mark, &row.content].concat());
    Replacement { at: SealedAt::clone(&row.at), before: row.content.clone(), after }
}

/// Seven events of two tenants over three days, three entries of quarantine, three secrets and two addresses of two
/// sources, two entries of the audit with a reason and two without.
async fn fill(store: &Port) {
    const DAY: u64 = 24 * 60 * 60;
    let events = [("s-1", 1), ("s-1", 1), ("s-1", DAY), ("s-2", 2 * DAY), ("s-3", 5), ("a", 7)];
    for (session, second) in events {
        record(store, &batch(&[event(session, second, Action::Message)])).await;
    }
    let mut rivals = event("s-1", 1, Action::Message);
    rivals.tenant = tenant("rival");
    record(store, &batch(&[rivals])).await;
    let entries = [(1, Stage::Normalize), (1, Stage::Analyse), (2, Stage::Record)];
    let entries = entries.map(|(number, stage)| quarantined(receipt(number), stage, 10));
    store.quarantine(&entries).await.unwrap();
    register(store).await;
    for _ in 0..2 {
        let who = Who::Key("abc".to_owned());
        let (at, reason) = (at(1), Sealed::from_bytes(b"because".to_vec()));
        let about = About::Entry { receipt: receipt(1), stage: Stage::Normalize };
        let (tenant, deed, reason) = (salon(), Deed::Opened, Some(reason));
        let opened = AuditEntry { at, tenant, who, deed, about, reason };
        let read = AuditEntry {
            deed: Deed::Read,
            about: About::Session(session("s-1")),
            reason: None,
            ..opened.clone()
        };
        store.add_audit(&[read, opened]).await.unwrap();
    }
}

async fn register(store: &Port) {
    let (id, name, trade) = (salon(), "Салон".to_owned(), Trade::Ordinary);
    let tenant = Tenant { id, name, trade, created_at: at(0), revoked_at: None };
    store.add_tenant(&tenant).await.unwrap();
    let secret = || SourceSecret { sealed: Sealed::from_bytes(b"secret".to_vec()), created_at: at(0) };
    for (id, secrets) in [("bot", vec![secret(), secret()]), ("tg", vec![secret()])] {
        let source = Source {
            id: SourceId::parse(id).unwrap(),
            tenant: salon(),
            kind: SourceKind::Telegram,
            name: String::new(),
            secrets,
            mapping: None,
            rate_limit: None,
            forward_to: Some(Sealed::from_bytes(b"address".to_vec())),
            created_at: at(0),
            revoked_at: None,
        };
        store.add_source(&source).await.unwrap();
    }
    let mute = SourceId::parse("tg").unwrap();
    store.set_forward(&mute, Some(&Sealed::from_bytes(b"another".to_vec()))).await.unwrap();
}

fn receipt(number: u128) -> ReceiptId {
    ReceiptId::from_slice(&number.to_be_bytes()).unwrap()
}
