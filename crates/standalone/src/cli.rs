//! The command line, as its `--help` teaches it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::id::{KeyId, ReceiptId, SourceId, TenantId};

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
    /// Businesses whose events are kept apart.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Doors of a tenant: bots, messenger accounts, sites.
    #[command(subcommand)]
    Source(SourceCommand),
    /// API keys: shown once when made, stored as hashes.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Send a file of events: one JSON object, an array, or one object a line (NDJSON). `-` reads standard input.
    ///
    /// Sends in batches, waits when told to, and lists what was refused and why. Sending a file twice is harmless.
    Send(Send),
    /// Print the canonical events a body would become, or why not; touches nothing.
    ///
    /// Example: letopis inspect --channel telegram update.json
    Inspect {
        /// What the body comes from.
        #[arg(long, value_name = "KIND", value_parser = parse_kind)]
        channel: domain::registry::SourceKind,
        /// The body as received; `-` reads standard input.
        file: PathBuf,
    },
    /// What could not be understood: look at it, send it through again.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Check the books: accepted = stored + duplicate + quarantined + in flight. Exits with 1 when they do not balance.
    Reconcile {
        /// Keep checking for this long before giving up: what is in flight needs a moment.
        #[arg(long, default_value = "5s", value_name = "DURATION", value_parser = parse_duration)]
        wait: std::time::Duration,
        /// Only balance with nothing in flight counts.
        #[arg(long)]
        drained: bool,
    },
    /// Ask a running server whether it is ready; exits with 1 when it is not. For container probes.
    Healthcheck {
        /// The server's address.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// Print all settings with their defaults: the file to copy lines from.
    Settings,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// The same seed plays the same salon.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// How many past days to play.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=365))]
    pub(crate) days: u16,
    /// Write what the salon knows to be true to this file, to hold the figures against.
    #[arg(long, value_name = "FILE")]
    pub(crate) truth: Option<PathBuf>,
    /// Do not go on live after the past days.
    #[arg(long)]
    pub(crate) past_only: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Add a tenant.
    Add {
        /// Its id: lower-case letters, digits, hyphens.
        id: TenantId,
        /// Its name for people.
        #[arg(long)]
        name: String,
    },
    /// List tenants.
    List,
    /// End a tenant: its sources and keys stop working, its data stays until it is past its time.
    Revoke {
        /// Which.
        id: TenantId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SourceCommand {
    /// Add a source. For a messenger, prints the URL and the secret to paste there.
    Add {
        /// Its id, unique over all tenants.
        id: SourceId,
        /// Whose.
        #[arg(long)]
        tenant: TenantId,
        /// What it speaks: events (our JSON) or telegram.
        #[arg(long, default_value = "events", value_parser = parse_kind)]
        kind: domain::registry::SourceKind,
        /// Its name for people; by default the id.
        #[arg(long)]
        name: Option<String>,
        /// Events a second it may send on average, if not the default.
        #[arg(long)]
        rate: Option<std::num::NonZeroU32>,
    },
    /// List sources.
    List {
        /// Only this tenant's.
        #[arg(long)]
        tenant: Option<TenantId>,
    },
    /// End a source.
    Revoke {
        /// Which.
        id: SourceId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key and print it, once.
    Add {
        /// What it opens: ingest (send events of one source), read (sessions and figures), admin (and change).
        #[arg(long, value_enum)]
        scope: ScopeArgument,
        /// Whose. An admin or read key without one may act for every tenant.
        #[arg(long)]
        tenant: Option<TenantId>,
        /// The source whose events it may send; for ingest.
        #[arg(long)]
        source: Option<SourceId>,
        /// What it is for.
        #[arg(long, default_value = "")]
        label: String,
    },
    /// List keys; never their secrets.
    List {
        /// Only this tenant's.
        #[arg(long)]
        tenant: Option<TenantId>,
    },
    /// End a key: a running server refuses it within two seconds.
    Revoke {
        /// Which: the public half, as listed.
        id: KeyId,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ScopeArgument {
    Ingest,
    Read,
    Admin,
}

impl From<ScopeArgument> for domain::registry::Scope {
    fn from(scope: ScopeArgument) -> Self {
        match scope {
            ScopeArgument::Ingest => Self::Ingest,
            ScopeArgument::Read => Self::Read,
            ScopeArgument::Admin => Self::Admin,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// The file; `-` reads standard input.
    pub(crate) file: PathBuf,
    /// The server's address.
    #[arg(long, default_value = "http://127.0.0.1:8686", value_name = "URL")]
    pub(crate) url: String,
    /// An ingest key.
    #[arg(long, env = "LETOPIS_KEY", hide_env_values = true)]
    pub(crate) key: String,
    /// Events in one request.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) batch: u16,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    /// List entries, the youngest first.
    List {
        #[command(flatten)]
        of: OfTenant,
        /// Only with this reason: unopenable, unreadable, invalid, conflict, handler_failed.
        #[arg(long, value_parser = parse_class)]
        class: Option<domain::quarantine::ReasonClass>,
        /// Those dealt with, too.
        #[arg(long)]
        all: bool,
        /// How many at the most.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show the entries of one receipt.
    Show {
        #[command(flatten)]
        of: OfTenant,
        /// The receipt, as listed.
        receipt: ReceiptId,
        /// Open the sealed body and print it. It holds personal data: not for a shared screen.
        #[arg(long)]
        body: bool,
    },
    /// Send entries through again, times and ids kept.
    Replay {
        #[command(flatten)]
        of: OfTenant,
        /// One receipt.
        #[arg(required_unless_present = "open")]
        receipt: Option<ReceiptId>,
        /// Every open entry instead.
        #[arg(long, conflicts_with = "receipt")]
        open: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct OfTenant {
    /// Whose; may be left out where there is only one tenant.
    #[arg(long)]
    pub(crate) tenant: Option<TenantId>,
}

fn parse_kind(word: &str) -> Result<domain::registry::SourceKind, String> {
    domain::registry::SourceKind::parse(word).ok_or_else(|| "one of: events, telegram".to_owned())
}

fn parse_class(word: &str) -> Result<domain::quarantine::ReasonClass, String> {
    domain::quarantine::ReasonClass::parse(word)
        .ok_or_else(|| "one of: unopenable, unreadable, invalid, conflict, handler_failed".to_owned())
}

fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    humantime::parse_duration(text).map_err(|cause| cause.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
