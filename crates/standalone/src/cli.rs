//! The command line, as its `--help` teaches it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use command_line::{Play, Program};

/// How the shared commands speak of this program.
pub(crate) const PROGRAM: Program =
    Program { name: "letopis", start: "letopis serve", gateway: "http://127.0.0.1:8686" };

/// The flight recorder for AI assistants that talk to clients.
///
/// Letopis takes an event for every important action of an assistant, keeps it, and shows what conversations became.
/// Try it with `letopis demo`; run it with `letopis serve`.
#[derive(Debug, Parser)]
#[command(name = "letopis", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    /// The data folder; by default `letopis-data` in the current one.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// A settings file; only the lines that differ from the defaults. `letopis settings` prints those.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print JSON, for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run every service in one process, on one port and one data folder.
    ///
    /// The first start makes a tenant, a source and keys, and prints them once.
    Serve {
        /// Where to listen; port 0 takes a free one.
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: Option<SocketAddr>,
    },
    /// Like serve, with a made-up salon playing: 90 past days, then live.
    ///
    /// Everything goes through the real HTTP door. Without --data it lives in a temporary folder, gone at the end.
    Demo(Demo),
    #[command(flatten)]
    Shared(command_line::Command),
    /// Print all settings with their defaults: the file to copy lines from.
    Settings,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) play: Play,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        PROGRAM.command_of::<Arguments>().debug_assert();
    }
}
