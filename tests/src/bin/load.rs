//! Sends events as fast as they are taken, and says how fast that was.
#![expect(clippy::print_stdout, reason = "a tool for people")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Parser;
use system_tests::{Api, Options, Shape, Stand, events};
use tokio::task::JoinSet;

/// Sends events over a number of connections, each waiting for its answer before it sends again; prints throughput and
/// latency. Without --url it starts a system of its own in an empty place.
#[derive(Debug, Parser)]
struct Arguments {
    /// Events to send.
    #[arg(long, default_value_t = 50_000)]
    events: u32,
    /// Connections.
    #[arg(long, default_value_t = 64)]
    connections: u32,
    /// Events in one request; 1 sends single objects, more sends arrays.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// Conversations they belong to.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    sessions: u32,
    /// Part of every event id: another run number sends other events.
    #[arg(long, default_value_t = 1)]
    run: u32,
    /// A running server.
    #[arg(long, value_name = "ADDRESS:PORT", requires = "key")]
    url: Option<SocketAddr>,
    /// An ingest key of that server.
    #[arg(long)]
    key: Option<String>,
    /// Start a cluster instead of the one box; on the engines of `scripts/engines up`.
    #[arg(long, conflicts_with = "url")]
    cluster: bool,
    /// Processes of each service in the cluster.
    #[arg(long, default_value_t = 1, requires = "cluster")]
    replicas: usize,
    /// The folder of the programs to start; by default the one of this program.
    #[arg(long, value_name = "DIR")]
    programs: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let (Some(address), Some(key)) = (arguments.url, arguments.key.clone()) {
        return send(Api::new(address)?, key, &arguments).await;
    }
    let shape = if arguments.cluster { Shape::Cluster } else { Shape::OneBox };
    let options = Options { programs: arguments.programs.clone(), ..Options::of(shape) };
    let stand = Stand::with(options.replicated(arguments.replicas)).await?;
    send(stand.api.clone(), stand.keys.ingest.clone(), &arguments).await?;
    let answered = Instant::now();
    stand.settled().await?;
    println!("recorded    all, {:.1} s after the last answer", answered.elapsed().as_secs_f64());
    Ok(())
}

async fn send(api: Api, key: String, arguments: &Arguments) -> anyhow::Result<()> {
    let next = Arc::new(AtomicU32::new(0));
    let begun = Instant::now();
    let mut connections = JoinSet::new();
    for _ in 0..arguments.connections {
        let (run, events, sessions, batch) =
            (arguments.run, arguments.events, arguments.sessions, arguments.batch);
        let (api, key, next) = (api.clone(), key.clone(), next.clone());
        connections.spawn(async move {
            let mut times = Vec::new();
            loop {
                let first = next.fetch_add(batch, Ordering::Relaxed);
                if first >= events {
                    return anyhow::Ok(times);
                }
                let event = |number| events::numbered(run, number, sessions);
                let last = (first + batch).min(events);
                let body = if batch == 1 { event(first) } else { (first..last).map(event).collect() };
                let sent = Instant::now();
                let answer = api.send(&key, &body).await?;
                times.push(sent.elapsed());
                ensure!(answer.status == 202, "answered {answer:?}");
            }
        });
    }
    let mut times = Vec::new();
    while let Some(ended) = connections.join_next().await {
        times.extend(ended.context("a connection panicked")??);
    }
    report(arguments, times, begun.elapsed());
    Ok(())
}

fn report(arguments: &Arguments, mut times: Vec<Duration>, all: Duration) {
    times.sort_unstable();
    let rate = f64::from(arguments.events) / all.as_secs_f64();
    println!("events      {} of about 450 bytes, {} a request", arguments.events, arguments.batch);
    println!("connections {}", arguments.connections);
    println!("throughput  {rate:.0} events/s over {:.1} s", all.as_secs_f64());
    for (name, thousandths) in [("p50", 500), ("p90", 900), ("p99", 990), ("p99.9", 999), ("max", 1000)] {
        println!("{name:<11} {:.2} ms", percentile(&times, thousandths).as_secs_f64() * 1000.0);
    }
}

/// The time that this many thousandths of the requests did not exceed.
fn percentile(sorted: &[Duration], thousandths: usize) -> Duration {
    let rank = (sorted.len() * thousandths).div_ceil(1000).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}
