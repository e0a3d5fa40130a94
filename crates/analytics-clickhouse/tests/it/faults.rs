//! A server that is gone, hangs or refuses: unavailable, soon, and without a word of what was to be written.

use std::error::Error;
use std::time::Duration;

use analytics_clickhouse::{ClickHouseAnalytics, ClickHouseOptions, SchemaError};
use contract_tests::fixtures::{at, event, salon};
use domain::action::Action;
use ports::analytics::{AnalyticsError, AnalyticsStore, Period};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::world::database;

const NAME: &str = "somebody-in-particular";

/// Longer than anything takes that is going to end at all.
const PATIENCE: Duration = Duration::from_secs(20);

async fn assert_all_unavailable(analytics: &ClickHouseAnalytics) {
    let asking = async {
        let absorbed = analytics.absorb(&[event(NAME, 0, Action::Message)]).await;
        let period = Period { from: at(0), until: at(1) };
        let answered = analytics.overview(&salon(), period).await.map(drop);
        let swept = analytics.sweep(at(0)).await.map(drop);
        for answer in [absorbed, answered, swept, analytics.probe().await] {
            assert_unavailable(answer.unwrap_err());
        }
        let checked = analytics.check_schema().await;
        assert!(matches!(checked, Err(SchemaError::Unavailable(_))), "{checked:?}");
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("an answer, if a bad one");
}

fn assert_unavailable(error: AnalyticsError) {
    assert!(matches!(error, AnalyticsError::Unavailable(_)), "{error:?}");
    assert!(!said(&error).contains(NAME), "{}", said(&error));
}

/// An error with all its causes.
fn said(error: &dyn Error) -> String {
    let mut words = format!("{error:?} {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error:?} {error}");
        cause = error.source();
    }
    words
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_gone_is_unavailable_and_used_again_when_it_is_back() {
    let database = database().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let options = ClickHouseOptions { url: format!("http://127.0.0.1:{port}"), ..database.options.clone() };
    let analytics = ClickHouseAnalytics::new(&options).unwrap();
    assert_all_unavailable(&analytics).await;
    let upstream = database.options.url.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let relaying = async {
        let mut connections = JoinSet::new();
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut far = TcpStream::connect(&upstream).await.unwrap();
            connections.spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        }
    };
    let working = async {
        analytics.absorb(&[event(NAME, 0, Action::Message)]).await.unwrap();
        let figures = analytics.overview(&salon(), Period { from: at(0), until: at(1) }).await.unwrap();
        assert_eq!(figures[0].sessions.total, 1);
    };
    tokio::select! {
        () = relaying => {}
        () = working => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_unavailable_when_the_time_is_over() {
    // Takes connections, as the kernel does for a stopped process, and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let short = Duration::from_millis(100);
    let options = ClickHouseOptions {
        url: format!("http://{}", listener.local_addr().unwrap()),
        max_age: Duration::from_millis(1),
        insert_timeout: short,
        query_timeout: short,
        sweep_timeout: short,
        ..ClickHouseOptions::default()
    };
    assert_all_unavailable(&ClickHouseAnalytics::new(&options).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inserts_that_are_refused_are_unavailable_and_work_when_they_are_not() {
    let database = database().await;
    let analytics = database.analytics();
    let settings = "parts_to_delay_insert = 1, parts_to_throw_insert = 1";
    database.run("SYSTEM STOP MERGES sessions").await;
    analytics.absorb(&[event(NAME, 0, Action::Message)]).await.unwrap();
    database.run(&format!("ALTER TABLE sessions MODIFY SETTING {settings}")).await;
    let refused = analytics.absorb(&[event(NAME, 1, Action::Book)]).await.unwrap_err();
    assert!(said(&refused).contains("252 TOO_MANY_PARTS"), "{}", said(&refused));
    assert_unavailable(refused);
    database.run("ALTER TABLE sessions RESET SETTING parts_to_delay_insert, parts_to_throw_insert").await;
    database.run("SYSTEM START MERGES sessions").await;
    analytics.absorb(&[event(NAME, 1, Action::Book)]).await.unwrap();
    let figures = analytics.overview(&salon(), Period { from: at(0), until: at(1) }).await.unwrap();
    assert_eq!((figures[0].sessions.total, figures[0].sessions.booked), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_gone_is_unavailable() {
    let database = database().await;
    database.analytics().absorb(&[event(NAME, 0, Action::Message)]).await.unwrap();
    database.run("DROP TABLE sessions SYNC").await;
    let period = Period { from: at(0), until: at(1) };
    let refused = database.analytics().overview(&salon(), period).await.unwrap_err();
    assert!(said(&refused).contains("60 UNKNOWN_TABLE"), "{}", said(&refused));
    assert_unavailable(refused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_unavailable() {
    let database = database().await;
    let options = ClickHouseOptions { password: "wrong".to_owned(), ..database.options.clone() };
    assert_all_unavailable(&ClickHouseAnalytics::new(&options).unwrap()).await;
}
