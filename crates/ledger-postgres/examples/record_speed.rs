//! How fast PostgreSQL takes events, what that costs, and how soon it answers with 1,000,000 of them stored.
//!
//! ```sh
//! eval "$(scripts/engines up --durable)"
//! cargo run --release -p ledger-postgres --example record_speed [EVENTS [STORED [BATCH CALLERS TENANTS]]]
//! ```
//!
//! `EVENTS` (100,000) are recorded into a fresh schema for each way of calling, or the one way that is named; `STORED`
//! (1,000,000) are there for the questions; 0 leaves a part out. A receipt brings one event; 2,000 conversations take
//! turns, so that a call meets as many of them as it can. Says beside the time what CPU it took of us and of the
//! server, its work in the background included, and how many bytes of log it wrote. The server must run on this
//! machine.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for a person to watch")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use contract_tests::fixtures::{at, batch, event, session, tenant};
use domain::action::Action;
use domain::event::Event;
use domain::id::LeadId;
use ledger_postgres::PostgresLedger;
use ports::ledger::{Ledger, LedgerReader, ReceiptBatch, Recorded, SessionCursor, SessionQuery};
use rand::RngExt as _;
use sqlx::{PgConnection, Row as _};
use tokio::task::JoinSet;

use world::{execute, rows, schema};

#[path = "../tests/it/world.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod world;

/// Ways of calling: events of a call, callers at once, tenants.
const WAYS: [[u64; 3]; 6] =
    [[500, 1, 1], [500, 2, 1], [500, 1, 10], [500, 2, 10], [2_000, 1, 1], [2_000, 2, 10]];
const SESSIONS: u64 = 2_000;
/// Events of a conversation, where there are many.
const TURNS: u64 = 5;
const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// What an event of 450 bytes of JSON weighs in the ledger.
const WIRE: usize = 600;
const QUESTIONS: u64 = 400;
/// `getconf CLK_TCK`, on every Linux there is.
const TICKS_A_SECOND: f64 = 100.0;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).map(|number| number.parse().unwrap()).collect();
    let number = |index: usize, usual| numbers.get(index).copied().unwrap_or(usual);
    let (events, stored) = (number(0, 100_000), number(1, 1_000_000));
    let named = numbers.get(2..5).map(|way| vec![[way[0], way[1], way[2]]]);
    if events > 0 {
        println!("   batch  callers  tenants  events/s  our µs/event  its µs/event  log bytes/event");
        for [size, callers, tenants] in named.unwrap_or_else(|| WAYS.to_vec()) {
            recording(events, size, callers, tenants).await;
        }
    }
    if stored > 0 {
        asking(stored).await;
    }
}

async fn recording(events: u64, size: u64, callers: u64, tenants: u64) {
    let schema = schema().await;
    let ledger = Arc::new(schema.open_ledger());
    let mut owner = schema.owner().await;
    let traffic = Traffic { sessions: SESSIONS, tenants, over: Duration::from_secs(600) };
    // Connections, partitions and plans are there when the clock starts.
    record(&ledger, traffic.calls(0..callers * 100, 5), callers).await;
    let calls = traffic.calls(1_000..1_000 + events, size);
    let server = postmaster(&mut owner).await;
    let (ours, its, log) = (cpu("self"), cpu_of_server(&server), log_bytes(&mut owner).await);
    let began = Instant::now();
    record(&ledger, calls, callers).await;
    let seconds = began.elapsed().as_secs_f64();
    let (ours, its) = (cpu("self") - ours, cpu_of_server(&server) - its);
    let log = log_bytes(&mut owner).await - log;
    let each = |seconds: f64| seconds * 1e6 / float(events);
    println!(
        "{size:8} {callers:8} {tenants:8} {:9.0} {:13.1} {:13.1} {:16.0}",
        float(events) / seconds,
        each(ours),
        each(its),
        log / float(events),
    );
    ledger.close().await;
}

/// Records all of them, as so many callers do who take turns.
async fn record(ledger: &Arc<PostgresLedger>, calls: Vec<Vec<ReceiptBatch>>, callers: u64) {
    let calls = Arc::new(Mutex::new(calls.into_iter()));
    let mut calling = JoinSet::new();
    for _ in 0..callers {
        let (ledger, calls) = (ledger.clone(), calls.clone());
        calling.spawn(async move {
            loop {
                let Some(call) = calls.lock().unwrap().next() else { return };
                let recorded = ledger.record(&call, at(0)).await.unwrap();
                assert!(recorded.iter().all(|verdict| *verdict == Recorded::Stored));
            }
        });
    }
    calling.join_all().await;
}

async fn asking(stored: u64) {
    let schema = schema().await;
    let ledger = Arc::new(schema.open_ledger());
    let traffic = Traffic { sessions: stored / TURNS, tenants: 1, over: MONTH };
    println!("{stored} events of {} conversations in {} days", traffic.sessions, MONTH.as_secs() / 86_400);
    for first in (0..stored).step_by(50_000) {
        record(&ledger, traffic.calls(first..stored.min(first + 50_000), 2_000), 2).await;
    }
    ask(&ledger, &traffic, "as recorded").await;
    execute(&mut schema.owner().await, "VACUUM ANALYZE").await.unwrap();
    ask(&ledger, &traffic, "vacuumed").await;
}

async fn ask(ledger: &PostgresLedger, traffic: &Traffic, state: &str) {
    let (mut timelines, mut sessions, mut pages) = (Vec::new(), Vec::new(), Vec::new());
    let latest = SessionQuery {
        tenant: tenant("salon-0"),
        channel: None,
        outcome: None,
        from: None,
        until: None,
        after: None,
        limit: 50,
    };
    for _ in 0..QUESTIONS {
        let number = rand::rng().random_range(0..traffic.sessions);
        let talk = session(&name_of(number));
        let began = Instant::now();
        assert!(!ledger.timeline(&latest.tenant, &talk, None, 200).await.unwrap().is_empty());
        timelines.push(began.elapsed());
        let began = Instant::now();
        assert!(!ledger.sessions(&latest).await.unwrap().is_empty());
        sessions.push(began.elapsed());
        let after = SessionCursor {
            last_at: at(0).minus(MONTH / 1_000 * (1 + u32::try_from(number % 900).unwrap())),
            session: talk,
        };
        let page = SessionQuery { after: Some(after), ..latest.clone() };
        let began = Instant::now();
        assert!(!ledger.sessions(&page).await.unwrap().is_empty());
        pages.push(began.elapsed());
    }
    for (question, mut took) in
        [("timeline", timelines), ("sessions", sessions), ("sessions, a later page", pages)]
    {
        took.sort_unstable();
        println!(
            "{state:12} {question:22} p50 {:8.1?}  p95 {:8.1?}",
            took[took.len() / 2],
            took[took.len() * 95 / 100]
        );
    }
}

/// Conversations that take turns, begun evenly over a time that ends now.
struct Traffic {
    sessions: u64,
    tenants: u64,
    over: Duration,
}

impl Traffic {
    fn calls(&self, numbers: std::ops::Range<u64>, size: u64) -> Vec<Vec<ReceiptBatch>> {
        let numbers: Vec<u64> = numbers.collect();
        let call = |numbers: &[u64]| numbers.iter().map(|number| self.receipt(*number)).collect();
        numbers.chunks(usize::try_from(size).unwrap()).map(call).collect()
    }

    fn receipt(&self, number: u64) -> ReceiptBatch {
        let (session, turn) = (number % self.sessions, number / self.sessions);
        let begun = self.over.as_secs_f64() * float(session) / float(self.sessions);
        let occurred_at =
            at(0).minus(self.over).plus(Duration::from_secs_f64(begun)).plus(Duration::from_secs(20 * turn));
        let turn = turn % 8;
        let action = match turn {
            2 => Action::CreateLead,
            4 => Action::Book,
            5 => Action::Remind,
            _ => Action::Message,
        };
        let event = Event {
            tenant: tenant(&format!("salon-{}", session % self.tenants)),
            lead: matches!(turn, 2 | 4 | 5).then(|| LeadId::from_number(100_000 + session)),
            occurred_at,
            received_at: at(0).plus(Duration::from_micros(50 * number)),
            ..event(&name_of(session), 0, action)
        };
        let mut receipt = batch(&[event]);
        let mut wire = vec![0; WIRE];
        rand::rng().fill(&mut wire[..]);
        receipt.events[0].wire = Bytes::from(wire);
        receipt
    }
}

fn name_of(session: u64) -> String {
    format!("talk-{:016x}", session.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The process all others of the server are children of.
async fn postmaster(connection: &mut PgConnection) -> String {
    let backend: i32 = rows(connection, "SELECT pg_backend_pid()").await[0].get(0);
    stat(&backend.to_string()).expect("a server on this machine")[1].clone()
}

/// Seconds of CPU the server has used, those of its processes that ended included.
fn cpu_of_server(postmaster: &str) -> f64 {
    let mut ticks = 0.0;
    for process in std::fs::read_dir("/proc").unwrap() {
        // It may have ended since it was listed; then its parent has what it used.
        let Some(stat) = stat(&process.unwrap().file_name().to_string_lossy()) else { continue };
        if stat[1] == postmaster {
            ticks += number_of_ticks(&stat[11..13]);
        }
    }
    ticks += number_of_ticks(&stat(postmaster).unwrap()[11..15]);
    ticks / TICKS_A_SECOND
}

/// Seconds of CPU a process has used.
fn cpu(process: &str) -> f64 {
    number_of_ticks(&stat(process).unwrap()[11..13]) / TICKS_A_SECOND
}

/// The fields of `/proc/PID/stat` from the state on: see proc(5).
fn stat(process: &str) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    Some(stat.rsplit(") ").next()?.split_whitespace().map(str::to_owned).collect())
}

fn number_of_ticks(fields: &[String]) -> f64 {
    fields.iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum()
}

/// Bytes the server has ever written to its log.
async fn log_bytes(connection: &mut PgConnection) -> f64 {
    rows(connection, "SELECT (pg_current_wal_insert_lsn() - '0/0')::float8").await[0].get(0)
}

fn float(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}
