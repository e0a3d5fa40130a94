//! The contract of [`ports::sources::SourceWatch`].

use std::time::Duration;

use domain::action::Action;
use domain::id::{SourceId, TenantId};
use domain::quarantine::Stage;
use domain::rollup::Moment;
use domain::source_state::{Heard, Period, Refusal, Refused, SourceState};
use domain::timestamp::Timestamp;
use futures_util::future::join_all;
use ports::ledger::{ReceiptBatch, Recorded};
use ports::sources::RefusalCount;

use crate::World;
use crate::fixtures::{at, batch, contradiction, event, quarantined, salon, session, source, tenant};
use crate::ledger::{Port, record};

/// One named test per clause. `open` is the path of an `async fn() -> impl World<dyn LedgerStore>`.
#[macro_export]
macro_rules! sources_contract {
    ($open:path) => {
        $crate::named_tests!(store, $open, $crate::ledger::Port, $crate::sources:
            a_source_nothing_was_heard_of_has_no_state
            the_first_event_and_the_last_are_known
            the_last_event_is_what_was_received_last
            a_duplicate_changes_nothing
            of_a_contradiction_what_is_new_counts
            events_are_counted_by_the_hour_and_the_day
            a_clock_that_was_ahead_is_known_for_a_day
            what_waits_in_quarantine_is_counted_until_it_is_resolved
            refusals_add_up_by_reason
            a_refusal_is_forgotten_after_a_day
            many_that_record_and_tell_at_once_lose_nothing
            forgetting_periods_leaves_the_first_event_and_the_last
            a_tenant_sees_its_own_sources);
        $crate::named_tests!(world, $open, $crate::ledger::Port, $crate::sources:
            the_state_of_a_source_survives_reopening);
    };
}

pub async fn a_source_nothing_was_heard_of_has_no_state(ledger: &Port) {
    assert_eq!(ledger.states(Some(&salon()), at(0)).await.unwrap(), []);
    assert_eq!(ledger.states(None, at(0)).await.unwrap(), []);
}

pub async fn the_first_event_and_the_last_are_known(ledger: &Port) {
    let (first, last) = (event("s-1", 10, Action::Message), event("s-2", 70, Action::Book));
    // Received a little after they happened, and reported the other way round.
    let received = |of: &domain::event::Event| ReceiptBatch {
        received_at: of.occurred_at.plus(Duration::from_secs(2)),
        ..batch(std::slice::from_ref(of))
    };
    record(ledger, &received(&last)).await;
    record(ledger, &received(&first)).await;
    let expected = Heard {
        first_at: at(12),
        last_at: at(72),
        last_session: session("s-2"),
        last_event: Moment { at: at(70), event: last.id },
    };
    let state = state(ledger, at(100)).await;
    assert_eq!(state.heard, Some(expected.clone()));
    assert_eq!((state.tenant, state.source), (salon(), source()));
    assert_eq!(expected.last_skew_micros(), -2_000_000);
}

pub async fn the_last_event_is_what_was_received_last(ledger: &Port) {
    // Of one delivery several events happened at different times: the latest of them is the last.
    let said = [event("s-1", 30, Action::Message), event("s-2", 50, Action::Message)];
    let both = ReceiptBatch { received_at: at(60), ..batch(&said) };
    record(ledger, &both).await;
    assert_eq!(state(ledger, at(100)).await.heard.unwrap().last_session, session("s-2"));
    // What comes later is the last, however long ago it happened.
    let late = ReceiptBatch { received_at: at(90), ..batch(&[event("s-3", 5, Action::Message)]) };
    record(ledger, &late).await;
    let heard = state(ledger, at(100)).await.heard.unwrap();
    assert_eq!((heard.last_session, heard.last_at, heard.first_at), (session("s-3"), at(90), at(60)));
}

pub async fn a_duplicate_changes_nothing(ledger: &Port) {
    let said = event("s-1", 10, Action::Message);
    record(ledger, &batch(std::slice::from_ref(&said))).await;
    let before = state(ledger, at(100)).await;
    let again = ReceiptBatch { received_at: at(50), ..batch(&[said]) };
    assert_eq!(record(ledger, &again).await, Recorded::Duplicate);
    assert_eq!(record(ledger, &again).await, Recorded::Already);
    assert_eq!(state(ledger, at(100)).await, before);
}

pub async fn of_a_contradiction_what_is_new_counts(ledger: &Port) {
    let said = event("s-1", 10, Action::Message);
    record(ledger, &batch(std::slice::from_ref(&said))).await;
    let mixed = batch(&[contradiction(&said), event("s-2", 20, Action::Message)]);
    assert_eq!(record(ledger, &mixed).await, Recorded::Conflict);
    let state = state(ledger, at(100)).await;
    assert_eq!((state.events_last_day, state.quarantined), (2, 1));
}

pub async fn events_are_counted_by_the_hour_and_the_day(ledger: &Port) {
    for second in [0, 1, 3_000, 7_000, 7_200] {
        record(ledger, &batch(&[event("s-1", second, Action::Message)])).await;
    }
    let at_second = async |second| {
        let state = state(ledger, at(second)).await;
        (state.events_last_hour, state.events_last_day)
    };
    assert_eq!(at_second(7_200).await, (2, 5));
    assert_eq!(at_second(7_200 + 3_600).await, (1, 5));
    assert_eq!(at_second(86_400 + 300).await, (0, 3));
    assert_eq!(at_second(2 * 86_400).await, (0, 0));
}

pub async fn a_clock_that_was_ahead_is_known_for_a_day(ledger: &Port) {
    let ahead = event("s-1", 500, Action::Message);
    record(ledger, &ReceiptBatch { received_at: at(100), ..batch(&[ahead]) }).await;
    let right = event("s-1", 600, Action::Message);
    record(ledger, &ReceiptBatch { received_at: at(610), ..batch(&[right]) }).await;
    let now = state(ledger, at(700)).await;
    assert_eq!(now.greatest_ahead, Some(Duration::from_secs(400)));
    assert_eq!(now.heard.unwrap().last_skew_micros(), -10_000_000);
    assert_eq!(state(ledger, at(86_400 + 400)).await.greatest_ahead, None);
}

pub async fn what_waits_in_quarantine_is_counted_until_it_is_resolved(ledger: &Port) {
    let entries = [10, 20].map(|second| quarantined(batch(&[]).receipt, Stage::Normalize, second));
    ledger.quarantine(&entries).await.unwrap();
    let waiting = state(ledger, at(100)).await;
    assert_eq!((waiting.quarantined, waiting.quarantined_at), (2, Some(at(20))));
    assert_eq!(waiting.heard, None);
    ledger.mark_replaying(&entries[1]).await.unwrap();
    assert_eq!(state(ledger, at(100)).await.quarantined, 2);
    let home = ReceiptBatch { receipt: entries[1].receipt, ..batch(&[event("s-1", 20, Action::Message)]) };
    record(ledger, &home).await;
    let rest = state(ledger, at(100)).await;
    assert_eq!((rest.quarantined, rest.quarantined_at), (1, Some(at(10))));
}

pub async fn refusals_add_up_by_reason(ledger: &Port) {
    let told = [refusal(Refusal::WrongProof, 3, 10), refusal(Refusal::TooFast, 5, 20)];
    ledger.add_refusals(&told).await.unwrap();
    // Of an earlier instant than what was told before, and of another period.
    ledger.add_refusals(&[refusal(Refusal::WrongProof, 1, 5)]).await.unwrap();
    ledger.add_refusals(&[refusal(Refusal::WrongProof, 2, 1_000)]).await.unwrap();
    ledger.add_refusals(&[]).await.unwrap();
    let mut refused = state(ledger, at(2_000)).await.refused;
    refused.sort_by_key(|refused| refused.reason);
    let expected = [(Refusal::WrongProof, 6, 1_000), (Refusal::TooFast, 5, 20)];
    assert_eq!(
        refused,
        expected.map(|(reason, times, second)| Refused { reason, times, last_at: at(second) })
    );
}

pub async fn a_refusal_is_forgotten_after_a_day(ledger: &Port) {
    ledger.add_refusals(&[refusal(Refusal::TooLarge, 1, 0)]).await.unwrap();
    assert_eq!(state(ledger, at(86_400)).await.refused.len(), 1);
    assert_eq!(ledger.states(None, at(86_400 + 300)).await.unwrap(), []);
}

pub async fn many_that_record_and_tell_at_once_lose_nothing(ledger: &Port) {
    let tell = (0..8_u64).map(async |n| {
        record(ledger, &batch(&[event(&format!("s-{n}"), n, Action::Message)])).await;
        ledger.add_refusals(&[refusal(Refusal::TooFast, 1, n)]).await.unwrap();
    });
    join_all(tell).await;
    let state = state(ledger, at(100)).await;
    assert_eq!((state.events_last_hour, state.refused[0].times), (8, 8));
    let heard = state.heard.unwrap();
    assert_eq!((heard.first_at, heard.last_at, heard.last_session), (at(0), at(7), session("s-7")));
}

pub async fn forgetting_periods_leaves_the_first_event_and_the_last(ledger: &Port) {
    record(ledger, &batch(&[event("s-1", 0, Action::Message)])).await;
    record(ledger, &batch(&[event("s-1", 400, Action::Message)])).await;
    ledger.add_refusals(&[refusal(Refusal::TooFast, 1, 0)]).await.unwrap();
    assert_eq!(ledger.forget_periods(Period::of(at(0))).await.unwrap(), 0);
    assert_eq!(ledger.forget_periods(Period::of(at(300))).await.unwrap(), 2);
    let state = state(ledger, at(500)).await;
    assert_eq!((state.events_last_day, state.refused.len()), (1, 0));
    assert_eq!(state.heard.unwrap().first_at, at(0));
}

pub async fn a_tenant_sees_its_own_sources(ledger: &Port) {
    record(ledger, &batch(&[event("s-1", 0, Action::Message)])).await;
    let rival = tenant("rival");
    let said = domain::event::Event { tenant: rival.clone(), ..event("s-1", 0, Action::Message) };
    record(ledger, &batch(&[said])).await;
    let site = SourceId::parse("site").unwrap();
    let of_site = ReceiptBatch { source: site.clone(), ..batch(&[event("s-9", 0, Action::Message)]) };
    record(ledger, &of_site).await;
    let whose = async |tenant: Option<TenantId>| {
        let states = ledger.states(tenant.as_ref(), at(100)).await.unwrap();
        states.into_iter().map(|state| (state.tenant, state.source)).collect::<Vec<_>>()
    };
    assert_eq!(whose(Some(rival.clone())).await, [(rival.clone(), source())]);
    assert_eq!(whose(Some(salon())).await, [(salon(), source()), (salon(), site.clone())]);
    assert_eq!(whose(None).await, [(rival, source()), (salon(), source()), (salon(), site)]);
}

pub async fn the_state_of_a_source_survives_reopening(world: &dyn World<Port>) {
    let ledger = world.open().await;
    record(&*ledger, &batch(&[event("s-1", 0, Action::Message)])).await;
    ledger.add_refusals(&[refusal(Refusal::TooFast, 1, 0)]).await.unwrap();
    let before = state(&*ledger, at(100)).await;
    drop(ledger);
    assert_eq!(state(&*world.open().await, at(100)).await, before);
}

/// The state of the one source there is.
async fn state(ledger: &Port, now: Timestamp) -> SourceState {
    let mut states = ledger.states(Some(&salon()), now).await.unwrap();
    assert_eq!(states.len(), 1, "{states:?}");
    states.pop().unwrap()
}

fn refusal(reason: Refusal, times: u64, second: u64) -> RefusalCount {
    RefusalCount { tenant: salon(), source: source(), reason, times, last_at: at(second) }
}
