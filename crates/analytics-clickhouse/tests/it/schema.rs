//! Migrations, and the statements they are made of.

use std::time::Duration;

use analytics_clickhouse::{Applied, ClickHouseOptions, MigrateError, SchemaError, ddl, migrate};
use contract_tests::fixtures::{appointment, at, event, salon};
use domain::action::{Action, Word};
use domain::channel::Channel;
use domain::event::{Appointment, Event};
use domain::id::{EventId, LeadId};
use domain::retention::Retention;
use domain::rollup::Moment;
use futures_util::future::join_all;
use ports::analytics::{AnalyticsStore, Period};

use crate::world::{Database, database, empty_database};

fn plain() -> ClickHouseOptions {
    ClickHouseOptions::default()
}

fn cluster() -> ClickHouseOptions {
    ClickHouseOptions { cluster: "main".to_owned(), ..ClickHouseOptions::default() }
}

#[test]
fn the_plain_form_is_what_it_was() {
    let statements = ddl(&plain(), Retention::default()).unwrap();
    insta::assert_snapshot!("plain", statements.join(";\n\n"));
    // One that does not begin with it is run everywhere.
    assert!(statements.iter().all(|statement| !statement.contains("only in a cluster")));
}

#[test]
fn the_cluster_form_is_what_it_was() {
    let statements = ddl(&cluster(), Retention::default()).unwrap();
    insta::assert_snapshot!("cluster", statements.join(";\n\n"));
}

#[tokio::test]
async fn the_server_can_read_both_forms() {
    let database = empty_database();
    let client = database.client().with_database("default");
    for statement in
        [plain(), cluster()].iter().flat_map(|options| ddl(options, Retention::default()).unwrap())
    {
        let parsed = client.query_raw(&format!("EXPLAIN AST {statement}")).execute().await;
        assert!(parsed.is_ok(), "{statement}: {parsed:?}");
    }
}

#[tokio::test]
async fn migrating_again_does_nothing() {
    let database = empty_database();
    let done = migrate(&database.options, Retention::default()).await.unwrap();
    assert_eq!(
        done.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "0001-events-and-rollups",
            "0002-sessions-and-appointments",
            "0003-merged-parts-are-kept",
            "retention of events 90d"
        ]
    );
    assert_eq!(migrate(&database.options, Retention::default()).await.unwrap(), []);
    database.analytics().check_schema().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_migrate_at_once() {
    let database = empty_database();
    let migrating = (0..6).map(|_| migrate(&database.options, Retention::default()));
    for migrated in join_all(migrating).await {
        migrated.unwrap();
    }
    database.analytics().check_schema().await.unwrap();
    assert_eq!(migrate(&database.options, Retention::default()).await.unwrap(), []);
}

#[tokio::test]
async fn a_migration_that_stopped_half_way_is_finished_by_the_next() {
    let database = database().await;
    database.run("DROP TABLE probe SYNC").await;
    database.run("TRUNCATE TABLE schema_migrations").await;
    assert!(matches!(database.analytics().check_schema().await, Err(SchemaError::Missing)));
    migrate(&database.options, Retention::default()).await.unwrap();
    database.analytics().check_schema().await.unwrap();
    assert_eq!(database.number("SELECT count() FROM probe").await, 0);
}

#[tokio::test]
async fn another_retention_changes_how_long_events_are_kept() {
    let database = database().await;
    let week = Retention { events: Duration::from_secs(7 * 86_400), ..Retention::default() };
    let done = migrate(&database.options, week).await.unwrap();
    assert_eq!(done, [Applied::Retention(week.events)]);
    assert_eq!(migrate(&database.options, week).await.unwrap(), []);
    // As long as one likes.
    let ever = Retention { events: Duration::MAX, ..Retention::default() };
    assert_eq!(migrate(&database.options, ever).await.unwrap(), [Applied::Retention(Duration::MAX)]);
}

#[tokio::test]
async fn no_database_and_no_schema_are_said_to_be_missing() {
    let database = empty_database();
    assert!(matches!(database.analytics().check_schema().await, Err(SchemaError::Missing)));
    database.client().with_database("default").query_raw(&create(&database)).execute().await.unwrap();
    let missing = database.analytics().check_schema().await.unwrap_err();
    assert_eq!(missing.to_string(), "the database has no schema yet: run letopis-admin migrate");
}

fn create(database: &Database) -> String {
    format!("CREATE DATABASE `{}`", database.options.database)
}

#[tokio::test]
async fn a_schema_of_a_later_release_is_refused() {
    let database = database().await;
    database.run("INSERT INTO schema_migrations (version, name, checksum) VALUES (7, 'later', 'x')").await;
    let newer = database.analytics().check_schema().await;
    assert!(matches!(newer, Err(SchemaError::Newer { found: 7, .. })), "{newer:?}");
    let refused = migrate(&database.options, Retention::default()).await;
    assert!(matches!(refused, Err(MigrateError::Schema(SchemaError::Newer { found: 7, .. }))), "{refused:?}");
}

#[tokio::test]
async fn a_migration_with_another_content_is_refused() {
    let database = database().await;
    database.run("TRUNCATE TABLE schema_migrations").await;
    database.run("INSERT INTO schema_migrations (version, name, checksum) VALUES (1, 'changed', 'x')").await;
    let changed = database.analytics().check_schema().await;
    assert!(matches!(changed, Err(SchemaError::Changed(1))), "{changed:?}");
    let refused = migrate(&database.options, Retention::default()).await;
    assert!(matches!(refused, Err(MigrateError::Schema(SchemaError::Changed(1)))), "{refused:?}");
}

/// A row of a conversation that began by Telegram and came to a booking, and of that booking; and one of each of which
/// no more is known than that it is there.
const OLD_ROWS: [&str; 2] = [
    "INSERT INTO session_rollups VALUES
        ('salon', 's-1', (1768467600000000, repeat('a', 16), 0), (1768467605000000, repeat('b', 16)), 24,
         (1768467601000000, repeat('c', 16), 7), (1768467605000000, repeat('b', 16), 0)),
        ('salon', 's-2', (1768467600000000, repeat('d', 16), 6), (1768467600000000, repeat('d', 16)), 0,
         (9223372036854775807, unhex(repeat('ff', 16)), 0), (-1, unhex(repeat('00', 16)), 255))",
    "INSERT INTO appointment_rollups VALUES
        ('salon', 'a-1', (1768467605000000, repeat('b', 16), 0, 's-1'), 1768467609000000,
         (1768467605000000, repeat('b', 16), 1768474800000000), (1768467606000000, repeat('e', 16), 4), 528),
        ('salon', 'a-2', (1768467605000000, repeat('f', 16), 6, 's-2'), 1768467605000000,
         (-1, unhex(repeat('00', 16)), -1), (-1, unhex(repeat('00', 16)), 255), 0)",
];

#[tokio::test]
async fn rollups_of_the_first_schema_lie_in_the_second_as_if_written_there() {
    let old = empty_database();
    let client = old.client().with_database("default");
    let statements = ddl(&old.options, Retention::default()).unwrap();
    for statement in statements.iter().take_while(|statement| !statement.contains("RENAME TABLE")) {
        client.query_raw(statement).execute().await.unwrap();
    }
    for rows in OLD_ROWS {
        old.run(rows).await;
    }
    migrate(&old.options, Retention::default()).await.unwrap();

    let new = database().await;
    let moment =
        |second, letter| Moment { at: at(second), event: EventId::from_slice(&[letter; 16]).unwrap() };
    let told = |letter, second, session: &str, channel, action| Event {
        id: moment(second, letter).event,
        channel,
        ..event(session, second, action)
    };
    let booked = |booking: &str, starts: Option<u64>, event: Event| Event {
        appointment: Some(Appointment { starts_at: starts.map(at), ..appointment(booking) }),
        ..event
    };
    let telegram = |letter, second, action| told(letter, second, "s-1", Channel::Telegram, action);
    new.analytics()
        .absorb(&[
            telegram(b'a', 0, Action::Other(Word::parse("greeting").unwrap())),
            Event { lead: Some(LeadId::from_number(7)), ..telegram(b'c', 1, Action::CreateLead) },
            booked("a-1", Some(7_200), telegram(b'b', 5, Action::Book)),
            told(b'd', 0, "s-2", Channel::Site, Action::Other(Word::parse("greeting").unwrap())),
        ])
        .await
        .unwrap();
    let sessions = "SELECT tenant, key, session, min(s.opened), max(s.last), groupBitOr(s.marks), min(s.lead), max(s.step)
                    FROM sessions AS s GROUP BY tenant, key, session ORDER BY session";
    assert_eq!(told_by(&old, sessions).await, told_by(&new, sessions).await);
    let first = "SELECT key, appointment, opened, starts FROM appointments WHERE appointment = 'a-1'";
    assert_eq!(told_by(&old, first).await, told_by(&new, first).await);
    let figures = old.analytics().overview(&salon(), Period { from: at(0), until: at(6) }).await.unwrap();
    let [telegram, site] = figures.as_slice() else { panic!("{figures:?}") };
    assert_eq!(
        (telegram.channel, telegram.appointments.attended, telegram.sessions.booked),
        (Channel::Telegram, 1, 1)
    );
    assert_eq!((site.channel, site.appointments.booked, site.sessions.total), (Channel::Site, 1, 1));
    assert_eq!(old.number("SELECT count() FROM system.tables WHERE database = currentDatabase()").await, 5);
}

async fn told_by(database: &Database, query: &str) -> String {
    let mut cursor = database.client().query_raw(query).fetch_bytes("TSV").unwrap();
    String::from_utf8(cursor.collect().await.unwrap().to_vec()).unwrap()
}
