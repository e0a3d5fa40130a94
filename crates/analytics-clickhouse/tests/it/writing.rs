//! What lies in the tables after writing and sweeping.

use std::time::Duration;

use contract_tests::fixtures::{appointment, at, event, salon};
use domain::action::Action;
use domain::event::Event;
use domain::id::SessionId;
use domain::timestamp::Timestamp;
use futures_util::future::join_all;
use ports::analytics::{AnalyticsStore, Period};

use crate::world::database;

/// The last instant there is.
fn last() -> Timestamp {
    Timestamp::EPOCH.plus(Duration::MAX)
}

fn whole() -> Period {
    Period { from: Timestamp::EPOCH, until: last() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_many_write_at_once_is_one_part_a_table() {
    let mut database = database().await;
    // So long that all of them are sure to come together: what is waited for is the number.
    database.options.max_age = Duration::from_secs(30);
    database.options.max_rows = 40.try_into().unwrap();
    for table in ["events", "sessions", "appointments"] {
        database.run(&format!("SYSTEM STOP MERGES {table}")).await;
    }
    let analytics = database.analytics();
    let batches: Vec<Vec<Event>> = (0_u64..20)
        .map(|n| {
            let booked = Event {
                appointment: Some(appointment(&format!("a-{}", n % 5))),
                ..event(&format!("s-{}", n % 4), n, Action::Book)
            };
            vec![booked, event(&format!("s-{}", n % 4), n, Action::Message)]
        })
        .collect();
    for absorbed in join_all(batches.iter().map(|batch| analytics.absorb(batch))).await {
        absorbed.unwrap();
    }
    for (table, rows) in [("events", 40), ("sessions", 4), ("appointments", 5)] {
        let parts = format!(
            "SELECT count() FROM system.parts WHERE database = currentDatabase() AND table = '{table}' AND active"
        );
        assert_eq!(database.number(&parts).await, 1, "{table}");
        assert_eq!(database.number(&format!("SELECT count() FROM {table}")).await, rows, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_instant_there_is_can_be_written_and_counts() {
    let database = database().await;
    let analytics = database.analytics();
    // Received in many more months than the server likes in one insert.
    let happened: Vec<_> = (0_u32..110)
        .map(|month| {
            let instant = Timestamp::from_unix_seconds(i64::from(month) * 37_000_000).unwrap();
            let name = format!("s-{month}");
            Event { occurred_at: instant, received_at: instant, ..event(&name, 0, Action::Message) }
        })
        .chain([Event { occurred_at: last(), received_at: last(), ..event("last", 0, Action::Book) }])
        .collect();
    analytics.absorb(&happened).await.unwrap();
    let of_last = Period { from: last().minus(Duration::from_secs(1)), until: last() };
    assert_eq!(analytics.overview(&salon(), of_last).await.unwrap(), []);
    assert_eq!(analytics.overview(&salon(), whole()).await.unwrap()[0].sessions.total, 110);
    database.run("OPTIMIZE TABLE events FINAL").await;
    let old = "SELECT count() FROM events WHERE received_at < now() - INTERVAL 90 DAY";
    assert_eq!(database.number(old).await, 0);
    let far = "SELECT count() FROM events WHERE received_at > '2099-12-31 00:00:00'";
    assert_eq!(database.number(far).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_with_any_name_is_swept_and_its_neighbour_stays() {
    let database = database().await;
    let analytics = database.analytics();
    let odd = ["it's", "\\", "\"x\"", "a`b", "{before:Int64}", "?", "сеанс №1", "[('a','b')]", "🙂"];
    let long = "ы".repeat(SessionId::MAX_CHARS);
    let many: Vec<_> = (0..600).map(|n| format!("{n}{}", &long[..240])).collect();
    let names = odd.into_iter().chain([long.as_str()]).chain(many.iter().map(String::as_str));
    let mut happened: Vec<_> = names.map(|name| event(name, 10, Action::Message)).collect();
    let old = happened.len();
    happened.push(event("later", 60, Action::Message));
    // A key whose rows are not merged, the newest of which keeps it.
    analytics.absorb(&happened).await.unwrap();
    analytics.absorb(&[event("it's", 5, Action::Message), event("🙂", 70, Action::Message)]).await.unwrap();
    assert_eq!(analytics.sweep(at(50)).await.unwrap(), u64::try_from(old).unwrap() - 1);
    let figures = analytics.overview(&salon(), whole()).await.unwrap();
    assert_eq!(figures[0].sessions.total, 2);
    let begun = Period { from: at(10), until: at(11) };
    assert_eq!(
        analytics.overview(&salon(), begun).await.unwrap()[0].sessions.total,
        1,
        "the whole key stayed"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_appointment_is_kept_for_as_long_as_anything_is_heard_of_it() {
    let database = database().await;
    let analytics = database.analytics();
    let about = |second, action| Event {
        appointment: Some(domain::event::Appointment { starts_at: None, ..appointment("a-1") }),
        ..event("s-1", second, action)
    };
    analytics.absorb(&[about(10, Action::Book)]).await.unwrap();
    // Neither a step nor a date.
    analytics.absorb(&[about(60, Action::Remind)]).await.unwrap();
    assert_eq!(analytics.sweep(at(50)).await.unwrap(), 0);
    assert_eq!(analytics.sweep(at(70)).await.unwrap(), 2);
    for table in ["sessions", "appointments"] {
        assert_eq!(database.number(&format!("SELECT count() FROM {table}")).await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_few_that_began_lately_are_found_among_many_that_ended_long_before() {
    let database = database().await;
    let analytics = database.analytics();
    let about = |session: &str, second, action| Event {
        appointment: Some(appointment(&format!("of-{session}"))),
        ..event(session, second, action)
    };
    let old: Vec<_> = (0..4_000).map(|n| about(&format!("old-{n}"), n % 100, Action::Book)).collect();
    analytics.absorb(&old).await.unwrap();
    let lately: Vec<_> = (0..10).map(|n| about(&format!("new-{n}"), 100_000 + n, Action::Message)).collect();
    analytics.absorb(&lately).await.unwrap();
    // One that goes on from before the period, and one that goes on beyond it.
    analytics.absorb(&[about("old-7", 100_005, Action::Attend)]).await.unwrap();
    analytics.absorb(&[about("new-7", 300_000, Action::Attend)]).await.unwrap();
    let period = Period { from: at(100_000), until: at(200_000) };
    let figures = analytics.overview(&salon(), period).await.unwrap();
    let [of_channel] = figures.as_slice() else { panic!("{figures:?}") };
    assert_eq!((of_channel.sessions.total, of_channel.sessions.visited), (10, 1));
    assert_eq!((of_channel.appointments.booked, of_channel.appointments.attended), (9, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_lies_there_without_what_is_sealed() {
    let database = database().await;
    // A merge would take it away: it was received long ago.
    database.run("SYSTEM STOP MERGES events").await;
    let sealed = domain::event::Sealed::from_bytes(b"sealed bytes".to_vec());
    let one =
        Event { details: Some(sealed.clone()), contact: Some(sealed), ..event("s-1", 0, Action::Message) };
    database.analytics().absorb(std::slice::from_ref(&one)).await.unwrap();
    let row: Vec<u8> = {
        let mut cursor = database.client().query_raw("SELECT * FROM events").fetch_bytes("TSV").unwrap();
        cursor.collect().await.unwrap().to_vec()
    };
    let row = String::from_utf8(row).unwrap();
    assert!(row.contains(&one.id.to_string()) && row.contains(&one.receipt.to_string()), "{row}");
    assert!(row.contains("2026-01-15 09:00:00.000000") && !row.contains("sealed bytes"), "{row}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probing_leaves_one_row() {
    let database = database().await;
    let analytics = database.analytics();
    for _ in 0..5 {
        analytics.probe().await.unwrap();
    }
    database.run("OPTIMIZE TABLE probe FINAL").await;
    assert_eq!(database.number("SELECT count() FROM probe").await, 1);
}
