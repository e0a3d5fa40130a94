//! The one box: every service of Letopis in one process on SQLite, and the command line.
//!
//! A composition root: the only crate beside `cluster` that knows adapters. What services do is in their own crates;
//! here they are put together ([`serve`]), given something to do ([`demo`]), and asked ([`office`]).

mod cli;
mod demo;
mod home;
#[cfg(test)]
mod metrics_doc;
mod office;
mod serve;
mod settings;
mod welcome;

use std::process::ExitCode;

use command_line::Print;

use crate::cli::{Arguments, Command, PROGRAM};
use crate::office::FolderOffice;
use crate::settings::Settings;

/// Gives memory back to the system after a burst, which the C library's allocator does not: a box that idles must be
/// small even after it has taken in a year of history.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments: Arguments = PROGRAM.arguments();
    let print = Print::new(arguments.common.json);
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
    let Arguments { common, command } = arguments;
    let settings = |listen| Settings::load(common.config.as_deref(), common.data.clone(), listen);
    match command {
        Command::Serve { listen } => {
            let settings = settings(listen)?;
            service_runtime::telemetry::init(&settings.log)?;
            let server = serve::start(&settings, None).await?;
            welcome::greet(&settings, &server, print).await?;
            server.supervisor.run_until_stopped().await?;
        }
        Command::Demo(options) => demo::run(&common, options, print).await?,
        Command::Shared(command) => {
            return command_line::run(command, &FolderOffice { common: &common }, print).await;
        }
        Command::Settings => print.text(settings::DEFAULTS),
    }
    Ok(ExitCode::SUCCESS)
}
