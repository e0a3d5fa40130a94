//! Migrations, and the statements they are made of.

use std::time::Duration;

use analytics_clickhouse::{Applied, ClickHouseOptions, MigrateError, SchemaError, ddl, migrate};
use domain::retention::Retention;
use futures_util::future::join_all;

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
        ["0001-events-and-rollups", "retention of events 90d"]
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
