//! The contract of the quarantine: [`ports::quarantine::QuarantineStore`] and [`ports::ledger::Ledger::quarantine`].

use domain::action::Action;
use domain::id::ReceiptId;
use domain::quarantine::{
    Cause, Dismissal, ListedEntry, QuarantineEntry, QuarantineState, Reason, ReasonClass, Stage,
};
use ports::ledger::{ReceiptBatch, Recorded};
use ports::quarantine::QuarantineQuery;

use crate::fixtures::{at, batch, contradiction, event, quarantined, salon};
use crate::ledger::{Port, books, record};

/// One named test per clause. `open` is the path of an `async fn() -> impl World<dyn LedgerStore>`.
#[macro_export]
macro_rules! quarantine_contract {
    ($open:path) => {
        $crate::named_tests!(store, $open, $crate::ledger::Port, $crate::quarantine:
            an_entry_is_kept_as_it_was_put_in
            an_entry_put_in_twice_is_counted_once
            a_replay_that_comes_home_moves_the_books
            a_replay_that_turns_out_a_duplicate_moves_the_books
            a_replay_that_comes_home_before_it_is_marked_stays_resolved
            a_failure_reported_after_the_receipt_came_home_is_ignored
            what_analytics_could_not_handle_is_kept_beside_the_books
            a_replay_is_counted
            a_replay_that_fails_again_waits_again
            a_replay_that_fails_again_before_it_is_marked_still_waits
            a_failure_delivered_twice_does_not_undo_a_replay
            a_contradiction_delivered_twice_in_one_call_still_waits
            entries_of_several_stages_are_shown_together
            the_youngest_entry_is_listed_first
            entries_are_listed_in_pages
            entries_are_loaded_with_their_messages
            entries_are_filtered_by_class_and_state
            what_waits_is_counted_by_cause
            entries_are_filtered_by_cause
            what_is_dismissed_waits_no_more_and_counts_in_the_books_as_before
            only_what_has_not_come_home_is_dismissed
            what_was_dismissed_waits_again_once_that_is_taken_back
            a_replay_brings_home_what_was_dismissed
            entries_are_filtered_by_source_and_stage
            naming_what_is_not_there_changes_nothing);
    };
}

pub async fn an_entry_is_kept_as_it_was_put_in(ledger: &Port) {
    let entry = QuarantineEntry { received_at: at(3), ..failed(10) };
    let plain = QuarantineEntry {
        reason: Reason { class: ReasonClass::Unopenable, pointer: None, detail: String::new() },
        ..failed(20)
    };
    ledger.quarantine(&[entry.clone(), plain.clone()]).await.unwrap();
    assert_eq!(ledger.show(&salon(), entry.receipt).await.unwrap(), [entry]);
    assert_eq!(ledger.show(&salon(), plain.receipt).await.unwrap(), [plain]);
    assert_eq!(books(ledger, &salon()).await, (0, 0, 2));
}

pub async fn an_entry_put_in_twice_is_counted_once(ledger: &Port) {
    let entry = failed(10);
    ledger.quarantine(&[entry.clone(), entry.clone()]).await.unwrap();
    ledger.quarantine(std::slice::from_ref(&entry)).await.unwrap();
    assert_eq!(ledger.list(&everything()).await.unwrap(), listed(&[entry]));
    assert_eq!(books(ledger, &salon()).await, (0, 0, 1));
}

pub async fn a_replay_that_comes_home_moves_the_books(ledger: &Port) {
    let entry = failed(10);
    ledger.quarantine(std::slice::from_ref(&entry)).await.unwrap();
    ledger.mark_replaying(&entry).await.unwrap();
    let home = coming_home(&entry);
    assert_eq!(record(ledger, &home).await, Recorded::Stored);
    assert_eq!(books(ledger, &salon()).await, (1, 0, 0));
    let shown = ledger.show(&salon(), entry.receipt).await.unwrap();
    assert_eq!((shown[0].state, shown[0].replays), (QuarantineState::Resolved, 1));
    assert_eq!(record(ledger, &home).await, Recorded::Already);
    assert_eq!(books(ledger, &salon()).await, (1, 0, 0));
}

pub async fn a_replay_that_turns_out_a_duplicate_moves_the_books(ledger: &Port) {
    let said = event("s-1", 0, Action::Message);
    record(ledger, &batch(std::slice::from_ref(&said))).await;
    let entry = failed(10);
    ledger.quarantine(std::slice::from_ref(&entry)).await.unwrap();
    let home = ReceiptBatch { receipt: entry.receipt, ..batch(&[said]) };
    assert_eq!(record(ledger, &home).await, Recorded::Duplicate);
    assert_eq!(books(ledger, &salon()).await, (1, 1, 0));
}

pub async fn a_replay_that_comes_home_before_it_is_marked_stays_resolved(ledger: &Port) {
    let entry = failed(10);
    ledger.quarantine(std::slice::from_ref(&entry)).await.unwrap();
    record(ledger, &coming_home(&entry)).await;
    ledger.mark_replaying(&entry).await.unwrap();
    let shown = ledger.show(&salon(), entry.receipt).await.unwrap();
    assert_eq!((shown[0].state, shown[0].replays), (QuarantineState::Resolved, 1));
}

pub async fn a_failure_reported_after_the_receipt_came_home_is_ignored(ledger: &Port) {
    let entry = failed(10);
    record(ledger, &coming_home(&entry)).await;
    let at_the_ledger = QuarantineEntry { stage: Stage::Record, ..entry.clone() };
    ledger.quarantine(&[entry.clone(), at_the_ledger]).await.unwrap();
    assert_eq!(ledger.show(&salon(), entry.receipt).await.unwrap(), []);
    assert_eq!(books(ledger, &salon()).await, (1, 0, 0));
}

pub async fn what_analytics_could_not_handle_is_kept_beside_the_books(ledger: &Port) {
    let entry = QuarantineEntry { stage: Stage::Analyse, ..failed(10) };
    let home = coming_home(&entry);
    record(ledger, &home).await;
    ledger.quarantine(std::slice::from_ref(&entry)).await.unwrap();
    assert_eq!(ledger.show(&salon(), entry.receipt).await.unwrap(), std::slice::from_ref(&entry));
    assert_eq!(books(ledger, &salon()).await, (1, 0, 0));

    // It says nothing about the ledger even where the ledger has not heard of the receipt.
    let early = QuarantineEntry { stage: Stage::Analyse, ..failed(20) };
    ledger.quarantine(std::slice::from_ref(&early)).await.unwrap();
    assert_eq!(books(ledger, &salon()).await, (1, 0, 0));
    assert_eq!(record(ledger, &coming_home(&early)).await, Recorded::Stored);
    assert_eq!(ledger.show(&salon(), early.receipt).await.unwrap()[0].state, QuarantineState::Open);

    ledger.resolve(&entry).await.unwrap();
    assert_eq!(ledger.show(&salon(), entry.receipt).await.unwrap()[0].state, QuarantineState::Resolved);
}

pub async fn a_replay_is_counted(ledger: &Port) {
    let entry = failed(10);
    ledger.quarantine(std::slice::from_ref(&entry)).await.unwrap();
    for replays in 1..4 {
        ledger.mark_replaying(&entry).await.unwrap();
        let expected = QuarantineEntry { state: QuarantineState::Replaying, replays, ..entry.clone() };
        assert_eq!(ledger.show(&salon(), entry.receipt).await.unwrap(), [expected]);
    }
    assert_eq!(books(ledger, &salon()).await, (0, 0, 1));
}

pub async fn a_replay_that_fails_again_waits_again(ledger: &Port) {
    let entry = failed(10);
    ledger.quarantine(std::slice::from_ref(&entry)).await.unwrap();
    ledger.mark_replaying(&entry).await.unwrap();
    let reason = Reason { class: ReasonClass::HandlerFailed, ..entry.reason.clone() };
    let again = QuarantineEntry { quarantined_at: at(90), reason, ..entry.clone() };
    ledger.quarantine(std::slice::from_ref(&again)).await.unwrap();
    let shown = ledger.show(&salon(), entry.receipt).await.unwrap();
    assert_eq!(shown, [QuarantineEntry { replays: 1, ..again }]);
    assert_eq!(books(ledger, &salon()).await, (0, 0, 1));
}

pub async fn a_replay_that_fails_again_before_it_is_marked_still_waits(ledger: &Port) {
    let entry = failed(10);
    ledger.quarantine(std::slice::from_ref(&entry)).await.unwrap();
    let again = QuarantineEntry { quarantined_at: at(90), ..entry.clone() };
    ledger.quarantine(std::slice::from_ref(&again)).await.unwrap();
    ledger.mark_replaying(&entry).await.unwrap();
    ledger.resolve(&entry).await.unwrap();
    let shown = ledger.show(&salon(), entry.receipt).await.unwrap();
    assert_eq!((shown[0].state, shown[0].replays), (QuarantineState::Open, 1));
}

pub async fn a_failure_delivered_twice_does_not_undo_a_replay(ledger: &Port) {
    let entry = failed(10);
    ledger.quarantine(std::slice::from_ref(&entry)).await.unwrap();
    ledger.mark_replaying(&entry).await.unwrap();
    ledger.quarantine(std::slice::from_ref(&entry)).await.unwrap();
    let shown = ledger.show(&salon(), entry.receipt).await.unwrap();
    assert_eq!((shown[0].state, shown[0].replays), (QuarantineState::Replaying, 1));
}

pub async fn a_contradiction_delivered_twice_in_one_call_still_waits(ledger: &Port) {
    let first = event("s-1", 0, Action::Message);
    let contradicting = batch(&[contradiction(&first)]);
    record(ledger, &batch(&[first])).await;
    let call = [contradicting.clone(), contradicting.clone()];
    assert_eq!(ledger.record(&call, at(2)).await.unwrap(), [Recorded::Conflict, Recorded::Conflict]);
    let shown = ledger.show(&salon(), contradicting.receipt).await.unwrap();
    assert_eq!(shown.iter().map(|entry| entry.state).collect::<Vec<_>>(), [QuarantineState::Open]);
    assert_eq!(books(ledger, &salon()).await, (1, 0, 1));
}

pub async fn entries_of_several_stages_are_shown_together(ledger: &Port) {
    let entry = failed(10);
    let stages = Stage::ALL.map(|stage| QuarantineEntry { stage, ..entry.clone() });
    ledger.quarantine(&stages).await.unwrap();
    let mut shown = ledger.show(&salon(), entry.receipt).await.unwrap();
    shown.sort_by_key(|entry| entry.stage);
    assert_eq!(shown, stages);
    assert_eq!(books(ledger, &salon()).await, (0, 0, 1));
    assert_eq!(ledger.show(&salon(), ReceiptId::generate()).await.unwrap(), []);
}

pub async fn the_youngest_entry_is_listed_first(ledger: &Port) {
    let entries = [failed(20), failed(10), failed(30)];
    ledger.quarantine(&entries).await.unwrap();
    let [middle, oldest, youngest] = entries;
    assert_eq!(ledger.list(&everything()).await.unwrap(), listed(&[youngest, middle, oldest]));
}

pub async fn entries_are_listed_in_pages(ledger: &Port) {
    let entries: Vec<_> = (0..10).map(|n| failed(n / 4)).collect();
    ledger.quarantine(&entries).await.unwrap();
    let all = ledger.list(&everything()).await.unwrap();
    let mut paged = Vec::new();
    let mut query = QuarantineQuery { limit: 3, ..everything() };
    loop {
        let page = ledger.list(&query).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 3);
        query.after = Some((last.quarantined_at, last.receipt));
        paged.extend(page);
    }
    assert_eq!(all.len(), 10);
    assert_eq!(paged, all);
}

pub async fn entries_are_loaded_with_their_messages(ledger: &Port) {
    let entries = [failed(10), QuarantineEntry { message: vec![0; 100_000], ..failed(20) }, failed(30)];
    let theirs = QuarantineEntry { tenant: crate::fixtures::tenant("rival"), ..failed(40) };
    ledger.quarantine(&entries).await.unwrap();
    ledger.quarantine(std::slice::from_ref(&theirs)).await.unwrap();
    let key = |entry: &QuarantineEntry| (entry.receipt, entry.stage);
    let elsewhere = (entries[2].receipt, Stage::Record);
    let asked = [key(&entries[0]), key(&entries[1]), elsewhere, key(&theirs)];
    let mut loaded = ledger.load(&salon(), &asked).await.unwrap();
    loaded.sort_by_key(|entry| entry.quarantined_at);
    assert_eq!(loaded, entries[..2]);
    assert_eq!(ledger.load(&salon(), &[]).await.unwrap(), []);
}

pub async fn entries_are_filtered_by_class_and_state(ledger: &Port) {
    let invalid = failed(10);
    let reason = Reason { class: ReasonClass::Unreadable, ..invalid.reason.clone() };
    let unreadable = QuarantineEntry { reason, ..failed(20) };
    ledger.quarantine(&[invalid.clone(), unreadable.clone()]).await.unwrap();
    ledger.mark_replaying(&unreadable).await.unwrap();
    let class = QuarantineQuery { class: Some(ReasonClass::Invalid), ..everything() };
    assert_eq!(ledger.list(&class).await.unwrap(), listed(std::slice::from_ref(&invalid)));
    let open = QuarantineQuery { state: Some(QuarantineState::Open), ..everything() };
    assert_eq!(ledger.list(&open).await.unwrap(), listed(&[invalid]));
    let replaying = QuarantineQuery { state: Some(QuarantineState::Replaying), ..everything() };
    assert_eq!(ledger.list(&replaying).await.unwrap()[0].receipt, unreadable.receipt);
}

pub async fn what_waits_is_counted_by_cause(ledger: &Port) {
    let late = |second| QuarantineEntry { received_at: at(second), ..failed(second) };
    let frequent = [late(10), late(20), late(30)];
    let rare = of_cause(late(40), None, "an event");
    let theirs = QuarantineEntry { tenant: crate::fixtures::tenant("rival"), ..late(50) };
    ledger.quarantine(&frequent).await.unwrap();
    ledger.quarantine(&[rare.clone(), theirs]).await.unwrap();
    ledger.mark_replaying(&frequent[1]).await.unwrap();
    let causes = ledger.causes(&salon(), 10).await.unwrap();
    let counts: Vec<_> = causes.iter().map(|count| (count.open, count.replaying)).collect();
    assert_eq!(counts, [(2, 1), (1, 0)]);
    assert_eq!(causes[0].cause, cause_of(&frequent[0]));
    assert_eq!((causes[0].first_at, causes[0].last_at), (at(10), at(30)));
    assert!(frequent.iter().any(|entry| entry.receipt == causes[0].example));
    assert_eq!((&causes[1].cause, causes[1].example), (&cause_of(&rare), rare.receipt));
    assert_eq!(ledger.causes(&salon(), 1).await.unwrap().len(), 1);
    ledger.resolve(&frequent[1]).await.unwrap();
    assert_eq!(ledger.causes(&salon(), 10).await.unwrap()[0].replaying, 0);
}

pub async fn entries_are_filtered_by_cause(ledger: &Port) {
    let plain = failed(10);
    let others = [
        of_cause(failed(20), None, &plain.reason.detail),
        of_cause(failed(30), Some("/elsewhere"), &plain.reason.detail),
        of_cause(failed(40), plain.reason.pointer.as_deref(), "another"),
        QuarantineEntry { stage: Stage::Record, ..failed(50) },
        QuarantineEntry { source: domain::id::SourceId::parse("site").unwrap(), ..failed(60) },
    ];
    ledger.quarantine(std::slice::from_ref(&plain)).await.unwrap();
    ledger.quarantine(&others).await.unwrap();
    for entry in others.into_iter().chain([plain]) {
        let query = QuarantineQuery { cause: Some(cause_of(&entry)), ..everything() };
        assert_eq!(ledger.list(&query).await.unwrap(), listed(&[entry]));
    }
}

pub async fn what_is_dismissed_waits_no_more_and_counts_in_the_books_as_before(ledger: &Port) {
    let entries = [failed(10), failed(20), failed(30)];
    let other = of_cause(failed(40), None, "an event");
    ledger.quarantine(&entries).await.unwrap();
    ledger.quarantine(std::slice::from_ref(&other)).await.unwrap();
    let (salon, cause) = (salon(), cause_of(&entries[0]));
    let dismiss = |limit| ledger.dismiss(Dismissal::Dismiss, (&salon, &cause), at(90), limit);
    assert_eq!(dismiss(2).await.unwrap(), 2, "as many as may be moved at once");
    assert_eq!(dismiss(2).await.unwrap(), 1);
    assert_eq!(dismiss(2).await.unwrap(), 0);
    let causes = ledger.causes(&salon, 10).await.unwrap();
    let counts: Vec<_> = causes.iter().map(|count| (&count.cause, count.open, count.dismissed)).collect();
    assert_eq!(counts, [(&cause, 0, 3), (&cause_of(&other), 1, 0)]);
    let open = QuarantineQuery { state: Some(QuarantineState::Open), ..everything() };
    assert_eq!(ledger.list(&open).await.unwrap(), listed(&[other]));
    assert_eq!(ledger.list(&everything()).await.unwrap().len(), 4, "nothing is deleted");
    assert_eq!(books(ledger, &salon).await, (0, 0, 4));
}

pub async fn only_what_has_not_come_home_is_dismissed(ledger: &Port) {
    let [waits, replaying, home, late] = [failed(10), failed(20), failed(30), failed(80)];
    let theirs = QuarantineEntry { tenant: crate::fixtures::tenant("rival"), ..failed(10) };
    let all = [&waits, &replaying, &home, &late, &theirs].map(Clone::clone);
    ledger.quarantine(&all).await.unwrap();
    ledger.mark_replaying(&replaying).await.unwrap();
    record(ledger, &coming_home(&home)).await;
    let (salon, cause) = (salon(), cause_of(&waits));
    let before = late.quarantined_at;
    assert_eq!(ledger.dismiss(Dismissal::Dismiss, (&salon, &cause), before, 10).await.unwrap(), 2);
    let mut states = Vec::new();
    for entry in [&waits, &replaying, &home, &late] {
        states.push(ledger.show(&salon, entry.receipt).await.unwrap()[0].state);
    }
    use QuarantineState::{Dismissed, Open, Resolved};
    assert_eq!(states, [Dismissed, Dismissed, Resolved, Open]);
    assert_eq!(ledger.show(&theirs.tenant, theirs.receipt).await.unwrap(), [theirs]);
    let causes = ledger.causes(&salon, 10).await.unwrap();
    let counts: Vec<_> = causes.iter().map(|count| (count.open, count.replaying, count.dismissed)).collect();
    assert_eq!(
        counts.iter().copied().collect::<std::collections::BTreeSet<_>>(),
        [(0, 0, 2), (1, 0, 0)].into()
    );
}

pub async fn what_was_dismissed_waits_again_once_that_is_taken_back(ledger: &Port) {
    let entry = failed(10);
    ledger.quarantine(std::slice::from_ref(&entry)).await.unwrap();
    let (salon, cause) = (salon(), cause_of(&entry));
    for dismissal in [Dismissal::Dismiss, Dismissal::TakeBack] {
        assert_eq!(ledger.dismiss(dismissal, (&salon, &cause), at(90), 10).await.unwrap(), 1);
    }
    assert_eq!(ledger.show(&salon, entry.receipt).await.unwrap(), [entry], "as if nothing had been");
}

pub async fn a_replay_brings_home_what_was_dismissed(ledger: &Port) {
    let entry = failed(10);
    ledger.quarantine(std::slice::from_ref(&entry)).await.unwrap();
    let (salon, cause) = (salon(), cause_of(&entry));
    ledger.dismiss(Dismissal::Dismiss, (&salon, &cause), at(90), 10).await.unwrap();
    ledger.mark_replaying(&entry).await.unwrap();
    assert_eq!(ledger.show(&salon, entry.receipt).await.unwrap()[0].state, QuarantineState::Replaying);
    assert_eq!(record(ledger, &coming_home(&entry)).await, Recorded::Stored);
    assert_eq!(ledger.show(&salon, entry.receipt).await.unwrap()[0].state, QuarantineState::Resolved);
    assert_eq!(books(ledger, &salon).await, (1, 0, 0));
}

pub async fn entries_are_filtered_by_source_and_stage(ledger: &Port) {
    let site = domain::id::SourceId::parse("site").unwrap();
    let plain = failed(10);
    let of_site = QuarantineEntry { source: site.clone(), ..failed(20) };
    let at_the_ledger = QuarantineEntry { source: site.clone(), stage: Stage::Record, ..failed(30) };
    ledger.quarantine(&[plain.clone(), of_site.clone(), at_the_ledger.clone()]).await.unwrap();
    let query = |source, stage| QuarantineQuery { source, stage, ..everything() };
    let all = ledger.list(&query(Some(site.clone()), None)).await.unwrap();
    assert_eq!(all, listed(&[at_the_ledger.clone(), of_site.clone()]));
    assert_eq!(ledger.list(&query(Some(site), Some(Stage::Normalize))).await.unwrap(), listed(&[of_site]));
    assert_eq!(ledger.list(&query(None, Some(Stage::Record))).await.unwrap(), listed(&[at_the_ledger]));
    assert_eq!(ledger.list(&query(Some(plain.source.clone()), None)).await.unwrap(), listed(&[plain]));
}

fn of_cause(entry: QuarantineEntry, pointer: Option<&str>, detail: &str) -> QuarantineEntry {
    let (class, pointer, detail) = (entry.reason.class, pointer.map(str::to_owned), detail.to_owned());
    QuarantineEntry { reason: Reason { class, pointer, detail }, ..entry }
}

fn cause_of(entry: &QuarantineEntry) -> Cause {
    Cause {
        source: entry.source.clone(),
        stage: entry.stage,
        class: entry.reason.class,
        pointer: entry.reason.pointer.clone(),
        detail: entry.reason.detail.clone(),
    }
}

pub async fn naming_what_is_not_there_changes_nothing(ledger: &Port) {
    let entry = failed(10);
    ledger.quarantine(std::slice::from_ref(&entry)).await.unwrap();
    let other_stage = QuarantineEntry { stage: Stage::Analyse, ..entry.clone() };
    ledger.mark_replaying(&other_stage).await.unwrap();
    ledger.resolve(&other_stage).await.unwrap();
    assert_eq!(ledger.list(&everything()).await.unwrap(), listed(&[entry]));
}

fn failed(second: u64) -> QuarantineEntry {
    quarantined(ReceiptId::generate(), Stage::Normalize, second)
}

fn coming_home(entry: &QuarantineEntry) -> ReceiptBatch {
    let events = [event("s-1", 0, Action::Message)];
    ReceiptBatch { receipt: entry.receipt, received_at: entry.received_at, ..batch(&events) }
}

fn listed(entries: &[QuarantineEntry]) -> Vec<ListedEntry> {
    entries.iter().map(ListedEntry::from).collect()
}

fn everything() -> QuarantineQuery {
    QuarantineQuery::all_of(salon(), 1_000)
}
