//! The command line both shapes share: tenants, sources, keys, sending, inspecting, quarantine, the books, readiness,
//! and the made-up salon that plays.
//!
//! It knows ports only. A program flattens [`Command`] into its own commands, says by [`Program`] how it is called and
//! by [`Office`] how its stores are opened, and hands over to [`run`]:
//!
//! ```
//! #[derive(Debug, clap::Parser)]
//! struct Arguments {
//!     #[command(subcommand)]
//!     command: Own,
//! }
//!
//! #[derive(Debug, clap::Subcommand)]
//! enum Own {
//!     #[command(flatten)]
//!     Shared(command_line::Command),
//!     /// Play a made-up salon on the running system.
//!     Demo(command_line::Demo),
//! }
//!
//! const PROGRAM: command_line::Program = command_line::Program {
//!     name: "letopis-admin",
//!     start: "start ingest-gateway",
//!     gateway: "http://127.0.0.1:8686",
//! };
//! PROGRAM.command_of::<Arguments>().debug_assert();
//! ```

mod account;
mod cli;
mod commands;
mod demo;
mod desk;
mod doors;
mod key_file;
mod office;
mod player;
mod print;
mod program;
mod salon;
#[cfg(test)]
mod stand;

use std::process::ExitCode;

pub use crate::cli::{
    Command, Demo, KeyCommand, MasterKeyCommand, OfTenant, Play, QuarantineCommand, ScopeArgument, Send,
    SourceCommand, TenantCommand,
};
pub use crate::demo::demo;
pub use crate::desk::{Desk, NewSource};
pub use crate::doors::{client, events_url, hook_url, try_it};
pub use crate::key_file::KeyFile;
pub use crate::office::Office;
pub use crate::player::Player;
pub use crate::print::Print;
pub use crate::program::Program;
pub use crate::salon::SalonDoors;

/// Runs one of the shared commands; says with which code the program is to end.
///
/// # Errors
/// Whatever kept the command from being carried out, with its causes, for people. A command that was carried out and
/// found something wrong is no error: it says so by its code.
pub async fn run(command: Command, office: &impl Office, print: &Print) -> anyhow::Result<ExitCode> {
    match command {
        Command::Tenant(command) => commands::tenant::run(command, office, print).await?,
        Command::Source(command) => commands::source::run(command, office, print).await?,
        Command::Key(command) => commands::key::run(command, office, print).await?,
        Command::MasterKey(command) => commands::master_key::run(command, office, print).await?,
        Command::Send(options) => return commands::send::run(options, print).await,
        Command::Inspect { channel, mapping, file } => {
            return commands::inspect::run(channel, mapping.as_deref(), &file, print);
        }
        Command::Quarantine(command) => commands::quarantine::run(command, office, print).await?,
        Command::Subject(command) => commands::subject::run(command, office, print).await?,
        Command::Audit(asked) => commands::audit::run(asked, office, print).await?,
        Command::Reconcile { wait, drained } => {
            return commands::reconcile::run(wait, drained, office, print).await;
        }
        Command::Healthcheck { url } => return commands::healthcheck::run(url, office, print).await,
    }
    Ok(ExitCode::SUCCESS)
}
