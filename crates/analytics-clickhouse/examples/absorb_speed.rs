//! How fast ClickHouse takes events, what that costs, and how soon it answers with 1,000,000 of them stored.
//!
//! ```sh
//! eval "$(scripts/engines up)"
//! cargo run --release -p analytics-clickhouse --example absorb_speed [EVENTS [STORED]]
//! ```
//!
//! `EVENTS` (100,000) are absorbed into a fresh database for each way of calling, `STORED` (1,000,000) for the questions;
//! 0 leaves a part out. Conversations have five events each, which come in turns: every insert meets other ones. Says
//! beside the time what CPU it took of us and of the server, which must be the one `scripts/engines` started.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for a person to watch")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use analytics_clickhouse::ClickHouseOptions;
use contract_tests::fixtures::{appointment, event, salon};
use domain::action::{Action, Actor, Word};
use domain::channel::Channel;
use domain::event::{Alias, AliasKind, Appointment, Event};
use domain::id::{LeadId, Pseudonym};
use domain::observation::{Scenario, Usage};
use domain::timestamp::Timestamp;
use futures_util::future::try_join_all;
use ports::analytics::{AnalyticsStore, Period};

use world::{Database, database};

#[path = "../tests/it/world.rs"]
mod world;

const TURNS: u64 = 5;
const LIVE: Duration = Duration::from_secs(3_600);
const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const TABLES: [&str; 3] = ["events", "sessions", "appointments"];
/// Waited for after absorbing: what the server does later is its price, too.
const LATER: Duration = Duration::from_secs(10);
const QUESTIONS: usize = 40;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse().unwrap());
    let (events, stored) = (numbers.next().unwrap_or(100_000), numbers.next().unwrap_or(1_000_000));
    if events > 0 {
        absorbing(events).await;
    }
    if stored > 0 {
        asking(stored).await;
    }
}

async fn absorbing(events: u64) {
    let events = traffic(0..events, events / TURNS, LIVE);
    println!(
        "calls of  callers  max_rows  events/s  our µs/event  its µs/event  … {LATER:?} later  inserts  parts"
    );
    let usual = ClickHouseOptions::default();
    let ways = [(500, 1, 5_000), (500, 2, 5_000), (5_000, 1, 5_000), (5_000, 2, 5_000), (5_000, 4, 20_000)];
    for (size, callers, max_rows) in ways {
        let database = database_with(max_rows, usual.max_age).await;
        // The first insert of a database is none to measure.
        absorb(&database, &traffic(0..10, 10, LIVE), 10, 1).await;
        let (inserts, ours, its) = (written(&database).await, cpu("self"), cpu(&server()));
        let began = Instant::now();
        absorb(&database, &events, size, callers).await;
        let seconds = began.elapsed().as_secs_f64();
        let (ours, now) = (cpu("self") - ours, cpu(&server()) - its);
        let inserts = written(&database).await - inserts;
        let parts = parts(&database).await;
        tokio::time::sleep(LATER).await;
        let later = cpu(&server()) - its;
        let each = |seconds: f64| seconds * 1e6 / float(events.len());
        println!(
            "{size:8} {callers:8} {max_rows:9} {:9.0} {:13.1} {:13.1} {:13.1} {inserts:8}  {parts}",
            float(events.len()) / seconds,
            each(ours),
            each(now),
            each(later),
        );
    }
}

async fn asking(stored: u64) {
    let sessions = stored / TURNS;
    println!("overview of 30 days, {stored} events of {sessions} conversations");
    let usual = ClickHouseOptions::default();
    let database = database_with(usual.max_rows.get(), usual.max_age).await;
    for first in (0..stored).step_by(50_000) {
        absorb(&database, &traffic(first..stored.min(first + 50_000), sessions, MONTH), 5_000, 2).await;
    }
    ask(&database, "as absorbed").await;
    for table in TABLES {
        database.run(&format!("OPTIMIZE TABLE {table} FINAL")).await;
    }
    ask(&database, "merged").await;
    drop(database);

    // A turn of all conversations is a part: as many rows of each as merges can leave.
    let mut database = database_with(usize::try_from(sessions).unwrap(), MONTH).await;
    database.options.insert_timeout = MONTH;
    for table in TABLES {
        database.run(&format!("SYSTEM STOP MERGES {table}")).await;
    }
    for turn in 0..TURNS {
        let events = traffic(turn * sessions..(turn + 1) * sessions, sessions, MONTH);
        absorb(&database, &events, events.len(), 1).await;
    }
    ask(&database, "not merged").await;
}

async fn ask(database: &Database, state: &str) {
    let analytics = database.analytics();
    let period = Period { from: start(), until: start().plus(MONTH) };
    let mut took = Vec::new();
    let its = cpu(&server());
    for _ in 0..QUESTIONS {
        let began = Instant::now();
        let figures = analytics.overview(&salon(), period).await.unwrap();
        took.push(began.elapsed());
        assert!(!figures.is_empty());
    }
    took.sort_unstable();
    let its = (cpu(&server()) - its) * 1e3 / float(QUESTIONS);
    println!(
        "{state:12} p50 {:7.1?}  p95 {:7.1?}  its CPU {its:.0} ms  {}",
        took[QUESTIONS / 2],
        took[QUESTIONS * 95 / 100],
        parts(database).await
    );
}

async fn database_with(max_rows: usize, max_age: Duration) -> Database {
    let mut database = database().await;
    database.options.max_rows = max_rows.try_into().unwrap();
    database.options.max_age = max_age;
    database
}

/// Absorbs all of them, as so many callers do who take turns.
async fn absorb(database: &Database, events: &[Event], size: usize, callers: usize) {
    let analytics: Arc<dyn AnalyticsStore> = Arc::new(database.analytics());
    let calling = (0..callers).map(|caller| {
        let analytics = analytics.clone();
        async move {
            for call in events.chunks(size).skip(caller).step_by(callers) {
                analytics.absorb(call).await?;
            }
            Ok::<_, ports::analytics::AnalyticsError>(())
        }
    });
    try_join_all(calling).await.unwrap();
}

/// A month ago.
fn start() -> Timestamp {
    static START: std::sync::OnceLock<Timestamp> = std::sync::OnceLock::new();
    *START.get_or_init(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Timestamp::EPOCH.plus(now).minus(MONTH)
    })
}

/// Events with these numbers, of so many conversations, which begin within so long.
fn traffic(numbers: std::ops::Range<u64>, sessions: u64, over: Duration) -> Vec<Event> {
    const CHANNELS: [Channel; 3] = [Channel::Telegram, Channel::Whatsapp, Channel::Site];
    let word = |text| Word::parse(text).unwrap();
    let one = |number: u64| {
        let (session, turn) = (number % sessions, number / sessions);
        let name = format!("talk-{:016x}", session.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let share = u32::try_from(session * 900_000 / sessions).unwrap();
        // Some time before the month is over, for they go on.
        let occurred_at = start().plus(MONTH - over).plus(over / 1_000_000 * share);
        let occurred_at = occurred_at.plus(Duration::from_secs(20 * turn));
        let lead = (turn > 1).then(|| LeadId::from_number(100_000 + session));
        let (action, actor) = match turn {
            0 => (Action::Message, Actor::Client),
            2 => (Action::CreateLead, Actor::Assistant),
            4 => (Action::Book, Actor::Assistant),
            _ => (Action::Message, Actor::Assistant),
        };
        let appointment = (turn == 4).then(|| Appointment {
            service: Some(word("manicure")),
            ..appointment(&format!("visit-{name}-{number}"))
        });
        let said = matches!(actor, Actor::Assistant);
        let pseudonym = || Pseudonym::parse(&format!("v1:{}", "k7".repeat(21) + "k")).unwrap();
        Event {
            occurred_at,
            received_at: occurred_at,
            channel: CHANNELS[usize::try_from(session % 3).unwrap()],
            actor,
            intent: said.then(|| word("appointment_booking")),
            scenario: said.then(|| Scenario { id: word("booking"), version: Some(word("3.1")) }),
            lead,
            appointment,
            aliases: (turn == 2)
                .then(|| Alias { kind: AliasKind::Phone, pseudonym: pseudonym() })
                .into_iter()
                .collect(),
            confidence: said.then_some(0.92),
            response_time_ms: said.then_some(1_240 + number % 100),
            usage: said.then_some(Usage { input_tokens: Some(812), output_tokens: Some(64) }),
            ..event(&name, 0, action)
        }
    };
    numbers.map(one).collect()
}

/// Inserts that were ever made into the database.
async fn written(database: &Database) -> u64 {
    let query = format!(
        "SELECT toUInt64(sum(max_block_number - min_block_number + 1))
         FROM system.parts WHERE active AND database = currentDatabase() AND table IN ('{}')",
        TABLES.join("','")
    );
    database.number(&query).await
}

/// `events 3, session_rollups 2, …`
async fn parts(database: &Database) -> String {
    let mut said = Vec::new();
    for table in TABLES {
        let query = format!(
            "SELECT count() FROM system.parts WHERE active AND database = currentDatabase() AND table = '{table}'"
        );
        said.push(format!("{table} {}", database.number(&query).await));
    }
    said.join(", ")
}

/// The process that listens where the tests find ClickHouse: its last argument is the port.
#[expect(clippy::disallowed_methods, reason = "asks where the servers of tests are, which is no setting")]
fn server() -> String {
    let url = std::env::var("LETOPIS_TEST_CLICKHOUSE").unwrap();
    let port = format!("\0{}\0", url.rsplit(':').next().unwrap());
    let is_it = |process: &std::path::Path| {
        let line = std::fs::read_to_string(process.join("cmdline")).unwrap_or_default();
        line.contains("clickhouse") && line.ends_with(&port)
    };
    let mut processes = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let process = processes.find(|process| is_it(process)).expect("a server that scripts/engines started");
    process.file_name().unwrap().to_string_lossy().into_owned()
}

/// Seconds of CPU a process has used.
fn cpu(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // utime and stime, in hundredths of a second.
    [fields[11], fields[12]].map(|ticks| ticks.parse::<f64>().unwrap()).iter().sum::<f64>() / 100.0
}

fn float(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}
