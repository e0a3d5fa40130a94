//! Connections that are lost, and a server that is not there or does not answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use contract_tests::fixtures::{at, batch, event};
use domain::action::Action;
use ledger_postgres::{PostgresLedger, PostgresOptions, SchemaError};
use ports::ledger::{Ledger, LedgerError, LedgerReader, Recorded};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::concurrency::Load;
use crate::world::{eventually, execute, rows, schema};

/// Ends the connections that are at work in this schema, and no others.
fn terminate(schema: &str) -> String {
    format!(
        "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a
             WHERE a.pid <> pg_backend_pid() AND a.usename = 'letopis' AND a.pid IN (
                 SELECT l.pid FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                     JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '{schema}')"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_killed_meanwhile_lose_nothing_and_double_nothing() {
    let schema = schema().await;
    let load = Load::new();
    let mut killer = schema.app().await;
    let done = Arc::new(AtomicBool::new(false));
    let mut replicas = JoinSet::new();
    for portion in [20, 40, 60] {
        replicas.spawn(load.clone().report(schema.open_ledger(), portion));
    }
    let killing = async {
        let (mut killed, sql) = (0, terminate(&schema.options.schema));
        // Each kill costs a replica a new connection; enough of them, and then let it come to an end.
        while killed < 40 && !done.load(Ordering::Relaxed) {
            killed += rows(&mut killer, &sql).await.len();
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        killed
    };
    let recording = async {
        replicas.join_all().await;
        done.store(true, Ordering::Relaxed);
    };
    let (killed, ()) = tokio::join!(killing, recording);
    assert!(killed > 0, "nothing was killed");
    load.assert_recorded_once(&schema).await;
}

#[tokio::test]
async fn it_opens_while_postgresql_is_down_and_says_so_when_used() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let ledger = PostgresLedger::new(&options(&format!("postgres://u@{address}/d"))).unwrap();
    assert!(matches!(ledger.probe().await, Err(LedgerError::Unavailable(_))));
    assert!(matches!(ledger.check_schema().await, Err(SchemaError::Unavailable(_))));
}

#[tokio::test]
async fn a_server_that_takes_connections_and_says_nothing_is_not_waited_for_forever() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let ledger = PostgresLedger::new(&options(&format!("postgres://u@{address}/d"))).unwrap();
    let recorded = ledger.record(&[batch(&[event("s-1", 0, Action::Message)])], at(0)).await;
    assert!(matches!(recorded, Err(LedgerError::Unavailable(_))));
    assert!(matches!(ledger.books().await, Err(LedgerError::Unavailable(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_is_given_up_and_used_again_when_it_speaks() {
    let schema = schema().await;
    let line = Line::to(&schema.options.url).await;
    let options = PostgresOptions {
        url: schema.options.url.replace(&line.server, &line.address),
        acquire_timeout: Duration::from_millis(700),
        statement_timeout: Duration::from_millis(700),
        ..schema.options.clone()
    };
    let ledger = PostgresLedger::new(&options).unwrap();
    let (before, after) =
        (batch(&[event("s-1", 0, Action::Message)]), batch(&[event("s-1", 1, Action::Book)]));
    ledger.record(&[before], at(0)).await.unwrap();
    line.silent.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        let recorded = ledger.record(std::slice::from_ref(&after), at(0)).await;
        assert!(matches!(recorded, Err(LedgerError::Unavailable(_))), "{recorded:?}");
        assert!(matches!(ledger.probe().await, Err(LedgerError::Unavailable(_))));
    }
    line.silent.store(false, Ordering::Relaxed);
    eventually("an answer", async || ledger.record(std::slice::from_ref(&after), at(0)).await.is_ok()).await;
    assert_eq!(ledger.books().await.unwrap()[0].stored, 2);
}

/// A line to the server that can fall silent without breaking, as when the server's processes are stopped.
struct Line {
    server: String,
    address: String,
    silent: Arc<AtomicBool>,
    _forwarding: JoinSet<()>,
}

impl Line {
    async fn to(url: &str) -> Self {
        let (_, place) = url.split_once('@').unwrap();
        let server = place.split('/').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let silent = Arc::new(AtomicBool::new(false));
        let mut forwarding = JoinSet::new();
        let (to, quiet) = (server.clone(), silent.clone());
        forwarding.spawn(async move {
            let mut directions = JoinSet::new();
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let (near_read, near_write) = near.into_split();
                let (far_read, far_write) = TcpStream::connect(&to).await.unwrap().into_split();
                directions.spawn(forward(near_read, far_write, quiet.clone()));
                directions.spawn(forward(far_read, near_write, quiet.clone()));
            }
        });
        Self { server, address, silent, _forwarding: forwarding }
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, silent: Arc<AtomicBool>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        while silent.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
}

#[tokio::test]
async fn a_lock_that_somebody_holds_is_given_up_in_time_and_the_call_can_be_repeated() {
    let schema = schema().await;
    let options = PostgresOptions { lock_timeout: Duration::from_millis(200), ..schema.options.clone() };
    let ledger = PostgresLedger::new(&options).unwrap();
    let mut owner = schema.owner().await;
    execute(&mut owner, "BEGIN; LOCK TABLE books").await.unwrap();
    let call = [batch(&[event("s-1", 0, Action::Message)])];
    assert!(matches!(ledger.record(&call, at(0)).await, Err(LedgerError::Unavailable(_))));
    execute(&mut owner, "ROLLBACK").await.unwrap();
    assert_eq!(ledger.record(&call, at(0)).await.unwrap(), [Recorded::Stored]);
}

#[tokio::test]
async fn a_caller_that_stops_waiting_leaves_no_connection_in_disorder() {
    let schema = schema().await;
    let options = PostgresOptions { max_connections: 1, ..schema.options.clone() };
    let ledger = PostgresLedger::new(&options).unwrap();
    let call = [batch(&[event("s-1", 0, Action::Message)])];
    let mut owner = schema.owner().await;
    execute(&mut owner, "BEGIN; LOCK TABLE books").await.unwrap();
    let waiting = tokio::time::timeout(Duration::from_millis(300), ledger.record(&call, at(0))).await;
    assert!(waiting.is_err(), "it waits for the lock");
    execute(&mut owner, "ROLLBACK").await.unwrap();
    let recorded = ledger.record(&call, at(0)).await.unwrap();
    assert!(matches!(recorded[..], [Recorded::Stored]), "{recorded:?}");
    assert_eq!(ledger.books().await.unwrap()[0].stored, 1);
}

fn options(url: &str) -> PostgresOptions {
    PostgresOptions {
        url: format!("{url}?sslmode=disable"),
        acquire_timeout: Duration::from_millis(300),
        statement_timeout: Duration::from_millis(300),
        ..PostgresOptions::default()
    }
}
