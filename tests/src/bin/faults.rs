//! Tries what can go wrong on the real processes and engines, and checks that no promise is broken.
#![expect(clippy::print_stdout, reason = "a tool for people")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use system_tests::faults::{self, Outcome};
use system_tests::trials::{
    Effort, Report, Setting, disk_full, hung, kill_matrix, outage, queues, redis_full, rolling, scene,
    too_many_parts,
};
use system_tests::{Options, Shape, Stand};

/// Does to the running system what a machine room would, under load, and reads everything back afterwards. Exits with 1
/// when a promise was broken: an acknowledged event is lost, an extra one is there, somebody was answered anything but
/// 2xx or 503 with Retry-After, or the books do not balance within 30 seconds.
///
/// The trials of the cluster run two processes of every service on engines of their own, started by scripts/engines.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    trial: Option<Trial>,
    /// Events of the kill matrix, and of the queues, half by each broker; the other trials send as long as they last.
    #[arg(long, global = true, default_value_t = 100_000)]
    events: u32,
    /// Conversations they belong to.
    #[arg(long, global = true, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    sessions: u32,
    /// Connections that send; every fourth sends batches.
    #[arg(long, global = true, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    /// Events a second in the trials that last: what a small machine can store meanwhile.
    #[arg(long, global = true, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// Seconds an engine is down, hung, full or refusing.
    #[arg(long, global = true, default_value_t = 60)]
    lasting: u64,
    /// How often the kill matrix kills everybody alone; every two together it kills once.
    #[arg(long, global = true, default_value_t = 5)]
    times: usize,
    /// Decides when to kill.
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
    /// The folder of the programs; by default the one of this program.
    #[arg(long, global = true, value_name = "DIR")]
    programs: Option<PathBuf>,
    /// Where to keep what all processes printed when a promise was broken.
    #[arg(long, global = true, value_name = "DIR")]
    keep: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Trial {
    /// Everything below, one after the other.
    All,
    /// Kill the one box, again and again.
    OneBox(OneBox),
    /// Kill everybody in the cluster, alone and in pairs.
    KillMatrix,
    /// PostgreSQL down for a while, then ClickHouse.
    Outage,
    /// SIGTERM to every process in turn, as an update does.
    Rolling,
    /// Each engine hangs for a while with its connections open.
    Hung,
    /// Redis at maxmemory.
    RedisFull,
    /// The disk of PostgreSQL full; takes root, which mounts a small disk.
    DiskFull,
    /// ClickHouse refuses inserts.
    TooManyParts,
    /// Events by RabbitMQ and by a Redis stream of the customer's, brokers and gateways killed three times.
    Queues,
}

#[derive(Args, Clone, Debug)]
struct OneBox {
    /// Kills.
    #[arg(long, default_value_t = 12)]
    kills: u32,
    /// Kill a cluster, all its processes at once, instead of the one box; on the engines of `scripts/engines up`.
    #[arg(long)]
    cluster: bool,
    /// Processes of each service in the cluster.
    #[arg(long, default_value_t = 1, requires = "cluster")]
    replicas: usize,
}

/// The trials of the cluster, in the order they run in.
const OF_THE_CLUSTER: [Trial; 8] = [
    Trial::KillMatrix,
    Trial::Outage,
    Trial::Rolling,
    Trial::Hung,
    Trial::RedisFull,
    Trial::DiskFull,
    Trial::TooManyParts,
    Trial::Queues,
];

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let kept = match &arguments.trial {
        None | Some(Trial::All) => all(&arguments).await?,
        Some(Trial::OneBox(one_box)) => kill_one_box(&arguments, one_box).await?,
        Some(trial) => of_the_cluster(&arguments, trial).await?,
    };
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A trial that cannot be finished does not keep the others from being tried.
async fn all(arguments: &Arguments) -> anyhow::Result<bool> {
    let one_box = OneBox { kills: 12, cluster: false, replicas: 1 };
    let mut kept = kill_one_box(arguments, &one_box).await?;
    for trial in &OF_THE_CLUSTER {
        match of_the_cluster(arguments, trial).await {
            Ok(this) => kept &= this,
            Err(cause) => {
                println!("\n{trial:?} could not be finished: {cause:#}");
                kept = false;
            }
        }
    }
    Ok(kept)
}

async fn of_the_cluster(arguments: &Arguments, trial: &Trial) -> anyhow::Result<bool> {
    let report = report(arguments, trial).await?;
    println!("\n{report}");
    Ok(report.is_kept())
}

async fn report(arguments: &Arguments, trial: &Trial) -> anyhow::Result<Report> {
    let Arguments { events, sessions, connections, rate, lasting, times, seed, programs, keep, .. } =
        arguments;
    // As a customer has it: tests reclaim sooner.
    let settings = vec![("LETOPIS__BUS__CLAIM_TTL", "10s".to_owned())];
    let setting = Setting { programs: programs.clone(), keep: keep.clone(), settings };
    let full_speed = Effort {
        connections: *connections,
        sessions: *sessions,
        rate: None,
        lasting: Duration::from_secs(*lasting),
    };
    let paced = Effort { rate: Some(*rate), ..full_speed };
    match trial {
        Trial::KillMatrix => {
            let plan = kill_matrix::Plan::whole(*events, *times, *seed);
            let run = async |scene: &mut _| kill_matrix::run(scene, &plan, full_speed).await;
            scene::on(&setting, "kill-matrix", run).await
        }
        Trial::Outage => scene::on(&setting, "outage", async |scene| outage::run(scene, paced).await).await,
        Trial::Rolling => {
            scene::on(&setting, "rolling", async |scene| rolling::run(scene, full_speed).await).await
        }
        Trial::Hung => scene::on(&setting, "hung", async |scene| hung::run(scene, paced).await).await,
        Trial::RedisFull => {
            let short = Effort { lasting: Duration::from_secs(5), ..full_speed };
            scene::on(&setting, "redis-full", async |scene| redis_full::run(scene, short).await).await
        }
        Trial::DiskFull => disk_full::run(&setting, paced).await,
        Trial::TooManyParts => {
            scene::on(&setting, "too-many-parts", async |scene| too_many_parts::run(scene, paced).await).await
        }
        Trial::Queues => {
            let plan = queues::Plan { events: events / 2, sessions: *sessions, kills: 3, seed: *seed };
            queues::run(&setting, plan).await
        }
        Trial::All | Trial::OneBox(_) => anyhow::bail!("not a trial of the cluster"),
    }
}

async fn kill_one_box(arguments: &Arguments, one_box: &OneBox) -> anyhow::Result<bool> {
    let Arguments { events, sessions, connections, seed, .. } = *arguments;
    let plan = faults::Plan { events, sessions, kills: one_box.kills, connections, seed };
    let shape = if one_box.cluster { Shape::Cluster } else { Shape::OneBox };
    println!("== {shape}: {events} events over {connections} connections, {} kills, seed {seed}", plan.kills);
    let options = Options { programs: arguments.programs.clone(), ..Options::of(shape) };
    let mut stand = Stand::with(options.replicated(one_box.replicas)).await?;
    let outcome = faults::run(&mut stand, plan).await?;
    print(&plan, &outcome);
    Ok(outcome.is_good())
}

fn print(plan: &faults::Plan, outcome: &Outcome) {
    println!("\nkill  signal   after      acknowledged  ready again in");
    for (number, kill) in (1..).zip(&outcome.kills) {
        let (after, ready) = (kill.after.as_secs_f64(), kill.ready_after.as_secs_f64());
        println!("{number:>4}  SIGKILL {after:>7.3} s  {:>12}  {ready:>12.3} s", kill.acknowledged);
    }
    let seconds = outcome.sending.as_secs_f64();
    println!("\nacknowledged  {} in {seconds:.1} s, kills included", plan.events);
    println!("lost          {}", outcome.lost);
    println!("extra         {}", outcome.extra);
    let books = &outcome.books;
    println!(
        "books         accepted {} = stored {} + duplicate {} + quarantined {} + in flight {}, settled in {:.1} s",
        books["accepted"],
        books["stored"],
        books["duplicate"],
        books["quarantined"],
        books["in_flight"],
        outcome.settling.as_secs_f64(),
    );
    println!("verdict       {}", if outcome.is_good() { "kept" } else { "BROKEN" });
}
