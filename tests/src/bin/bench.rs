//! Measures how much a system carries.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for people")]

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use system_tests::Shape;
use system_tests::bench::{Machine, Setup, Sheet, accept, growth, idle, reads, report, visible};

/// Starts a system in an empty place, measures it from outside, prints the figures and keeps them in a file. Figures
/// mean something on a quiet machine and with release builds only; what was not quiet is said beside them.
///
/// The cluster runs on engines of its own, started by scripts/engines, which write through to the disk; set TMPDIR to
/// say to which.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    measure: Measure,
    /// What to start.
    #[arg(long, global = true, value_enum, default_value_t = Form::Cluster)]
    shape: Form,
    /// Processes of each service in the cluster.
    #[arg(long, global = true, default_value_t = 1)]
    replicas: usize,
    /// Parts of the bus; by default as shipped.
    #[arg(long, global = true)]
    partitions: Option<u32>,
    /// Salons the events come from, each with a key of its own.
    #[arg(long, global = true, default_value_t = 1, value_parser = at_least_one)]
    tenants: usize,
    /// A setting of all processes: LETOPIS__CONSUMER__BATCH=1000
    #[arg(long = "set", global = true, value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(&'static str, String)>,
    /// The folder of the programs to start; by default the one of this program.
    #[arg(long, global = true, value_name = "DIR")]
    programs: Option<PathBuf>,
    /// How many seconds to wait at the most for a load average below 0.5 before beginning.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
    /// Where to keep the figures; by default target/bench/DATE-MEASURE.json
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Form {
    OneBox,
    Cluster,
}

#[derive(Clone, Debug, Subcommand)]
enum Measure {
    /// How many events are taken and stored a second, and what that costs.
    Accept(Accept),
    /// How soon an event is in the timeline.
    Visible {
        /// Events a second.
        #[arg(long, default_value_t = 50.0)]
        rate: f64,
        /// For how long.
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
    /// What it costs when nothing happens.
    Idle {
        /// For how long to look.
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
    /// How soon timelines and overviews are answered when much is stored.
    Reads(Reads),
    /// How costs grow with what is stored, with salons, and with parts of the bus.
    Growth(Growth),
    /// All of it but growth, on both shapes, beside what was asked for.
    All(Reads),
}

#[derive(Args, Clone, Copy, Debug)]
struct Accept {
    /// Events to send.
    #[arg(long, default_value_t = 100_000)]
    events: u64,
    /// Events in one request; 1 sends single objects, more sends arrays.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    batch: u64,
    /// Connections.
    #[arg(long, default_value_t = 64, value_parser = at_least_one)]
    connections: usize,
    /// Conversations they belong to.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..))]
    sessions: u64,
    /// Events a second, whatever becomes of them; latency counts from when each was due. Without, each connection
    /// sends as soon as it is answered.
    #[arg(long)]
    rate: Option<f64>,
    /// How often, one time after the other, on the same system.
    #[arg(long, default_value_t = 1)]
    times: u32,
}

#[derive(Args, Clone, Copy, Debug)]
struct Reads {
    /// Events stored.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Conversations they belong to, of the last thirty days.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..))]
    sessions: u64,
    /// Questions of each kind, by one asker and by eight.
    #[arg(long, default_value_t = 500)]
    requests: usize,
}

#[derive(Args, Clone, Debug)]
struct Growth {
    /// By what; all three without it.
    #[arg(long, value_enum, value_delimiter = ',')]
    by: Vec<By>,
    /// Events sent at each step, single and then batched.
    #[arg(long, default_value_t = 50_000)]
    events: u64,
    /// Events stored, step by step.
    #[arg(long, value_delimiter = ',', default_values_t = [100_000, 1_000_000])]
    stored: Vec<u64>,
    /// Also with ten million events stored.
    #[arg(long)]
    large: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum By {
    Stored,
    Tenants,
    Partitions,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut machine = Machine::look(&std::env::temp_dir()).await?;
    machine.wait_until_quiet(Duration::from_secs(arguments.wait)).await?;
    println!("{}, commit {}, {}", machine.shown(), machine.commit, machine.date());
    if cfg!(debug_assertions) {
        println!("NOT A RELEASE BUILD: these figures mean nothing");
    }
    let setup = arguments.setup();
    let (name, sheets) = match &arguments.measure {
        Measure::Accept(accept) => ("accept", repeat(&machine, &setup, *accept).await?),
        Measure::Visible { rate, seconds } => {
            let plan = visible::Plan { rate: *rate, lasting: Duration::from_secs(*seconds) };
            ("visible", vec![shown(visible::run(&machine, &setup, plan).await?)])
        }
        Measure::Idle { seconds } => {
            ("idle", vec![shown(idle::run(&machine, &setup, Duration::from_secs(*seconds)).await?)])
        }
        Measure::Reads(plan) => ("reads", vec![shown(reads::run(&machine, &setup, plan.plan()).await?)]),
        Measure::Growth(plan) => ("growth", grow(&machine, &setup, plan).await?),
        Measure::All(plan) => ("all", all(&arguments, &machine, *plan).await?),
    };
    summarise(&sheets);
    let file = report::keep(arguments.json.as_deref(), name, &machine, &sheets)?;
    println!("\nkept in {}", file.display());
    Ok(())
}

impl Arguments {
    fn setup(&self) -> Setup {
        Setup {
            shape: match self.shape {
                Form::OneBox => Shape::OneBox,
                Form::Cluster => Shape::Cluster,
            },
            replicas: self.replicas,
            partitions: self.partitions,
            tenants: self.tenants,
            settings: self.settings.clone(),
            programs: self.programs.clone(),
        }
    }
}

impl Accept {
    const fn plan(self) -> accept::Plan {
        let Self { events, batch, connections, sessions, rate, .. } = self;
        accept::Plan { events, batch, connections, rate, sessions }
    }
}

impl Reads {
    const fn plan(self) -> reads::Plan {
        let Self { events, sessions, requests } = self;
        reads::Plan { events, sessions, requests }
    }
}

async fn repeat(machine: &Machine, setup: &Setup, accept: Accept) -> anyhow::Result<Vec<Sheet>> {
    let mut bench = system_tests::bench::Bench::start(setup).await?;
    // For those who want to look into them with tools of their own.
    let processes = bench.system.processes()?;
    let named: Vec<String> = processes.iter().map(|(name, pid)| format!("{name} {pid}")).collect();
    eprintln!("processes: {}", named.join(", "));
    let mut sheets = Vec::new();
    for _ in 0..accept.times {
        sheets.push(shown(accept::on(&mut bench, machine, accept.plan()).await?));
    }
    Ok(sheets)
}

async fn grow(machine: &Machine, setup: &Setup, growth: &Growth) -> anyhow::Result<Vec<Sheet>> {
    let mut stored = growth.stored.clone();
    if growth.large {
        stored.push(10_000_000);
    }
    let plan = growth::Plan { events: growth.events, stored };
    let by = if growth.by.is_empty() { By::value_variants() } else { &growth.by };
    let mut sheets = Vec::new();
    for by in by {
        let by = match by {
            By::Stored => growth::By::Stored,
            By::Tenants => growth::By::Tenants,
            By::Partitions => growth::By::Partitions,
        };
        sheets.push(shown(growth::run(machine, setup, by, &plan).await?));
    }
    Ok(sheets)
}

/// A measure that fails does not keep the others from being taken.
async fn all(arguments: &Arguments, machine: &Machine, reading: Reads) -> anyhow::Result<Vec<Sheet>> {
    let mut sheets = Vec::new();
    for shape in [Shape::Cluster, Shape::OneBox] {
        let setup = Setup { shape, ..arguments.setup() };
        let single = accept::Plan { events: 100_000, batch: 1, connections: 64, rate: None, sessions: 2000 };
        let lasting = Duration::from_secs(30);
        let taken = [
            accept::run(machine, &setup, single).await.context("accept, single"),
            accept::run(machine, &setup, accept::Plan { batch: 100, ..single })
                .await
                .context("accept, batched"),
            visible::run(machine, &setup, visible::Plan { rate: 50.0, lasting }).await.context("visible"),
            idle::run(machine, &setup, lasting).await.context("idle"),
            reads::run(machine, &setup, reading.plan()).await.context("reads"),
        ];
        for sheet in taken {
            match sheet {
                Ok(sheet) => sheets.push(shown(sheet)),
                Err(cause) => println!("\n{shape}: could not be measured: {cause:#}"),
            }
        }
    }
    Ok(sheets)
}

fn shown(sheet: Sheet) -> Sheet {
    println!("\n{sheet}");
    sheet
}

fn summarise(sheets: &[Sheet]) {
    println!("== beside what was asked for");
    for one in sheets.iter().flat_map(|sheet| &sheet.against) {
        println!("{one}");
    }
    if sheets.iter().any(|sheet| !sheet.noise.is_empty()) {
        println!("NOT QUIET: see above");
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("a number from 1".to_owned()),
    }
}

fn setting(text: &str) -> Result<(&'static str, String), String> {
    let (name, value) = text.split_once('=').ok_or("NAME=VALUE")?;
    // Known as long as the program runs, as those written into it are.
    Ok((Box::leak(name.to_owned().into_boxed_str()), value.to_owned()))
}
