//! The contract of [`ports::ledger::Ledger`], [`ports::ledger::LedgerReader`] and [`ports::subjects::SubjectReader`].

pub mod keeping;
pub mod persons;
pub mod reading;
pub mod recording;

use domain::id::TenantId;
use ports::audit::AuditLog;
use ports::ledger::{Books, Ledger, LedgerReader, ReceiptBatch, Recorded, SessionQuery};
use ports::quarantine::QuarantineStore;
use ports::sources::SourceWatch;
use ports::subjects::SubjectReader;

use crate::fixtures::at;

/// The ledger with all its faces: what an adapter keeps in one database.
pub trait LedgerStore:
    Ledger + LedgerReader + QuarantineStore + SourceWatch + SubjectReader + AuditLog
{
}

impl<T: Ledger + LedgerReader + QuarantineStore + SourceWatch + SubjectReader + AuditLog> LedgerStore for T {}

/// The port.
pub type Port = dyn LedgerStore;

/// One named test per clause. `open` is the path of an `async fn() -> impl World<dyn LedgerStore>`.
#[macro_export]
macro_rules! ledger_contract {
    ($open:path) => {
        $crate::named_tests!(store, $open, $crate::ledger::Port, $crate::ledger::recording:
            a_new_event_is_stored
            a_resend_is_a_duplicate
            a_receipt_reported_twice_has_one_outcome
            a_receipt_without_events_counts_as_stored
            several_events_with_one_id_count_as_one
            one_call_may_mix_everything
            a_contradiction_goes_to_quarantine_and_leaves_the_first
            a_contradiction_takes_no_neighbour_with_it
            a_contradiction_reported_twice_is_counted_once
            one_event_id_of_two_tenants_is_two_events
            of_many_that_record_one_event_at_once_one_stores_it
            any_order_of_calls_gives_the_same_ledger);
        $crate::named_tests!(store, $open, $crate::ledger::Port, $crate::ledger::reading:
            a_timeline_is_ordered_by_what_happened_first
            a_timeline_comes_in_pages
            the_events_of_a_lead_come_from_all_its_sessions
            the_events_of_a_lead_come_in_pages
            sessions_come_with_the_latest_first
            sessions_come_in_pages
            sessions_are_filtered_by_channel_outcome_and_period
            a_session_says_what_is_known_of_it
            a_session_is_found_under_any_of_its_ids
            no_read_crosses_to_another_tenant);
        $crate::named_tests!(store, $open, $crate::ledger::Port, $crate::ledger::persons:
            what_one_event_names_is_one_person_over_all_channels
            a_ruling_holds_against_what_comes_later_and_until_another
            a_ruling_is_of_no_conversation_and_taken_back_leaves_what_was_there
            what_is_nobodys_joins_nobody
            a_ruling_from_the_future_does_not_hold_against_later_ones
            a_contradiction_and_a_duplicate_teach_nothing
            the_first_door_is_the_earliest_whenever_it_is_told
            what_was_consented_to_is_kept_with_who_it_names
            a_consent_is_of_when_it_was_first_heard_where_its_clock_is_ahead
            of_very_many_consents_the_newest_come_back
            of_very_many_conversations_the_newest_come_back
            any_order_of_calls_gives_the_same_persons
            many_who_teach_the_same_at_once_agree
            no_person_crosses_to_another_tenant
            persons_are_forgotten_with_their_last_conversation_unless_they_agreed_to_something
            one_known_by_very_many_links_is_answered_in_part);
        $crate::named_tests!(store, $open, $crate::ledger::Port, $crate::ledger::keeping:
            sweeping_deletes_what_is_old_and_nothing_else
            a_session_reported_late_stays_as_long_as_its_events
            sweeping_leaves_the_books
            sweeping_leaves_what_waits_in_quarantine_without_its_message
            sweeping_goes_on_where_it_stopped
            a_ledger_that_works_passes_its_probe);
        $crate::named_tests!(world, $open, $crate::ledger::Port, $crate::ledger::keeping:
            what_was_recorded_survives_reopening);
    };
}

/// Records one batch.
pub(crate) async fn record(ledger: &Port, batch: &ReceiptBatch) -> Recorded {
    let verdicts = ledger.record(std::slice::from_ref(batch), at(100)).await.unwrap();
    assert_eq!(verdicts.len(), 1);
    verdicts[0]
}

/// A tenant's books as `(stored, duplicate, quarantined)`; nothing at all is `(0, 0, 0)`.
pub(crate) async fn books(ledger: &Port, tenant: &TenantId) -> (u64, u64, u64) {
    let all = ledger.books().await.unwrap();
    let mut of_tenant = all.into_iter().filter(|books| books.tenant == *tenant);
    let Some(Books { stored, duplicate, quarantined, .. }) = of_tenant.next() else { return (0, 0, 0) };
    assert!(of_tenant.next().is_none(), "one row a tenant");
    (stored, duplicate, quarantined)
}

/// All sessions of a tenant.
pub(crate) fn all_sessions(tenant: &TenantId) -> SessionQuery {
    SessionQuery {
        tenant: tenant.clone(),
        channel: None,
        outcome: None,
        from: None,
        until: None,
        after: None,
        limit: 1_000,
    }
}

/// The wire forms of a session's timeline.
pub(crate) async fn timeline(ledger: &Port, tenant: &TenantId, session: &str) -> Vec<String> {
    let session = crate::fixtures::session(session);
    let events = ledger.timeline(tenant, &session, None, 1_000).await.unwrap();
    events.into_iter().map(|event| String::from_utf8(event.wire.to_vec()).unwrap()).collect()
}
