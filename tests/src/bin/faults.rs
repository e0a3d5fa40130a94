//! Kills the real process while it takes events at full speed, and checks that no acknowledged event is lost.
#![expect(clippy::print_stdout, reason = "a tool for people")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use system_tests::faults::{self, Outcome, Plan};
use system_tests::{Options, Stand};

/// Sends events at full speed while the process is killed with SIGKILL at random moments and started again; then
/// reads everything back. Exits with 1 when an acknowledged event is lost, an extra one is there, or the books do not
/// balance within 30 seconds.
#[derive(Debug, Parser)]
struct Arguments {
    /// Events to get accepted.
    #[arg(long, default_value_t = 100_000)]
    events: u32,
    /// Conversations they belong to.
    #[arg(long, default_value_t = 1_000)]
    sessions: u32,
    /// Kills.
    #[arg(long, default_value_t = 12)]
    kills: u32,
    /// Connections that send.
    #[arg(long, default_value_t = 64)]
    connections: u32,
    /// Decides when to kill.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The binary; by default the letopis beside this program.
    #[arg(long, value_name = "FILE")]
    letopis: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let Arguments { events, sessions, kills, connections, seed, letopis } = arguments;
    let plan = Plan { events, sessions, kills, connections, seed };
    println!("{events} events over {connections} connections, {kills} kills, seed {seed}");
    let mut stand = Stand::with(Options { binary: letopis, ..Options::default() }).await?;
    let outcome = faults::run(&mut stand, plan).await?;
    print(&plan, &outcome);
    Ok(if outcome.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(plan: &Plan, outcome: &Outcome) {
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
