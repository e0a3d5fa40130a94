//! The command line of the cluster: what `letopis` has, as far as it makes sense beside running services, and what a
//! cluster needs before its first start.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use cluster::migrate;
use cluster::office::{Counter, PROGRAM};
use cluster::settings::{DEFAULTS, Settings};
use command_line::{Command, Demo, Print};

/// The command line of a Letopis cluster: tenants, sources, keys, quarantine, the books, and the schemas of its stores.
///
/// It works on the stores themselves, with the settings of the services: `letopis-admin settings` prints them all.
#[derive(Debug, Parser)]
#[command(name = "letopis-admin", version, arg_required_else_help = true)]
struct Arguments {
    /// A settings file; only the lines that differ from the defaults.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Own,
}

#[derive(Debug, Subcommand)]
enum Own {
    #[command(flatten)]
    Shared(Command),
    /// Bring the schemas of PostgreSQL and ClickHouse up to this release.
    ///
    /// Forward only, safe to repeat and to run twice at once. Services of the release before go on working meanwhile.
    Migrate {
        /// The role the services use; by default the one of postgres.url. It gets the least it needs.
        #[arg(long, value_name = "ROLE")]
        grant_to: Option<String>,
    },
    /// Play a made-up salon on the running cluster, under a tenant of its own: past days, then live.
    Demo(Demo),
    /// Print all settings with their defaults: the file to copy lines from.
    Settings,
}

fn main() -> ExitCode {
    let arguments: Arguments = PROGRAM.arguments();
    let print = Print::new(arguments.json);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ran = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run(arguments, &print)));
    match ran {
        Ok(code) => code,
        Err(cause) => {
            print.failure(&cause);
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments, print: &Print) -> anyhow::Result<ExitCode> {
    let Arguments { config, command, .. } = arguments;
    match command {
        Own::Shared(command) => return command_line::run(command, &Counter::new(config), print).await,
        Own::Demo(demo) => command_line::demo(demo, &Counter::new(config), print).await?,
        Own::Migrate { grant_to } => {
            migrate::run(&Settings::load(config.as_deref())?, grant_to.as_deref(), print).await?
        }
        Own::Settings => print.text(DEFAULTS),
    }
    Ok(ExitCode::SUCCESS)
}
