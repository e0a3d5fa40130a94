//! The shared commands, as `--help` teaches them. What differs from program to program is set by
//! [`Program`](crate::program::Program).

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};
use domain::id::{KeyId, ReceiptId, SourceId, TenantId};

/// The commands both programs have; each flattens them into its own.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Businesses whose events are kept apart.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Doors of a tenant: bots, messenger accounts, sites.
    #[command(subcommand)]
    Source(SourceCommand),
    /// API keys: shown once when made, stored as hashes.
    #[command(subcommand)]
    Key(KeyCommand),
    /// The keys everything is sealed with: make them, change them.
    #[command(subcommand)]
    MasterKey(MasterKeyCommand),
    /// Send a file of events: one JSON object, an array, or one object a line (NDJSON). `-` reads standard input.
    ///
    /// Sends in batches, waits when told to, and lists what was refused and why. Sending a file twice is harmless.
    Send(Send),
    /// Print the canonical events a body would become, or why not; touches nothing.
    Inspect {
        /// What the body comes from.
        #[arg(long, value_name = "KIND", value_parser = kinds(), required_unless_present = "mapping")]
        channel: Option<domain::registry::SourceKind>,
        /// The mapping file it is to be read by, JSON or YAML: for kind mapping, which it implies, or cloudevents.
        #[arg(long, value_name = "FILE")]
        mapping: Option<PathBuf>,
        /// The body as received; `-` reads standard input.
        file: PathBuf,
    },
    /// What could not be understood: look at it, send it through again.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Who is who: a client over all channels, what they agreed to, and saying that two are one or one is two.
    #[command(subcommand)]
    Subject(SubjectCommand),
    /// Who opened or read what was sealed, when and why, the last first.
    Audit(AuditArgs),
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
}

/// What can be done with tenants.
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Add a tenant.
    Add {
        /// Its id: lower-case letters, digits, hyphens.
        id: TenantId,
        /// Its name for people.
        #[arg(long)]
        name: String,
        /// What it does: the texts of a clinic leave for other systems without a word about health.
        #[arg(long, default_value = "ordinary", value_parser = trades())]
        trade: domain::registry::Trade,
    },
    /// Say what a tenant does. What leaves for other systems from then on leaves by its rules.
    Trade {
        /// Which.
        id: TenantId,
        /// What it does.
        #[arg(value_parser = trades())]
        trade: domain::registry::Trade,
    },
    /// List tenants.
    List,
    /// End a tenant: its sources and keys stop working, its data stays until it is past its time.
    Revoke {
        /// Which.
        id: TenantId,
    },
}

/// What can be done with sources.
#[derive(Debug, Subcommand)]
pub enum SourceCommand {
    /// Add a source. For a messenger, prints the URL and the secret to paste there.
    Add {
        /// Its id, unique over all tenants.
        id: SourceId,
        /// Whose.
        #[arg(long)]
        tenant: TenantId,
        /// What it speaks: events is our own JSON; instagram is Messenger, too; yclients is Altegio, too; otlp is traces of
        /// OpenTelemetry; mapping is anything else, as --mapping says.
        #[arg(long, default_value = "events", value_parser = kinds())]
        kind: domain::registry::SourceKind,
        /// The secret, where the messenger makes it: of WhatsApp and Instagram the secret of the Meta app. `-` reads it from
        /// standard input.
        #[arg(long)]
        secret: Option<String>,
        /// Pass deliveries on to the bot at this address, and its answers back: what it answers is recorded as the
        /// assistant's. For Telegram. `-` reads it from standard input, for an address that holds a token.
        #[arg(long, value_name = "URL")]
        forward_to: Option<String>,
        /// How its bodies are read, JSON or YAML; for kind mapping, and for kind cloudevents, which can do without.
        #[arg(long, value_name = "FILE", required_if_eq("kind", "mapping"))]
        mapping: Option<PathBuf>,
        /// Its name for people; by default the id.
        #[arg(long)]
        name: Option<String>,
        /// Events a second it may send on average, if not the default.
        #[arg(long)]
        rate: Option<std::num::NonZeroU32>,
    },
    /// List sources and how they are doing: the last event, how many in an hour and a day, what was refused and
    /// quarantined, whether the clock is right.
    List {
        /// Only this tenant's.
        #[arg(long)]
        tenant: Option<TenantId>,
    },
    /// Wait for what a source sends, and print what was understood, until stopped.
    Watch {
        /// Which.
        id: SourceId,
        /// Leave after the first event; at once, where it came already.
        #[arg(long)]
        first: bool,
        /// Give up after this long without an event, with exit code 1.
        #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
        wait: Option<std::time::Duration>,
    },
    /// Give a source another secret. The last one stays live beside it until `retire`, for the messenger to be changed.
    Rotate {
        /// Which.
        id: SourceId,
        /// The new secret, where the messenger makes it. `-` reads it from standard input.
        #[arg(long)]
        secret: Option<String>,
    },
    /// Give a source another mapping. What is in quarantine keeps the one it came under.
    Map {
        /// Which.
        id: SourceId,
        /// The mapping file, JSON or YAML. `inspect --mapping` tries it first.
        mapping: PathBuf,
    },
    /// End all secrets of a source but the last.
    Retire {
        /// Which.
        id: SourceId,
    },
    /// Pass the deliveries of a source on to a bot, to another bot, or to none any more.
    Forward {
        /// Which.
        id: SourceId,
        /// The bot's address. `-` reads it from standard input.
        #[arg(long, value_name = "URL", required_unless_present = "off")]
        to: Option<String>,
        /// To none any more.
        #[arg(long, conflicts_with = "to")]
        off: bool,
    },
    /// End a source.
    Revoke {
        /// Which.
        id: SourceId,
    },
}

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
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

/// What can be done with the master keys.
///
/// A key is changed in three steps: `next` puts a new one beside the one that seals, and every process is started with
/// the new file, services of a cluster with what `services` makes of it; `promote` has it seal, and every process is
/// started again; `retire` seals anew what is left and ends the former key. Nobody's data is unreadable in between.
#[derive(Debug, Subcommand)]
pub enum MasterKeyCommand {
    /// Make the keys, once. Never over others: beside old data they would make it unreadable.
    Make,
    /// Put a new key into the file that opens and does not seal yet.
    Next,
    /// Have the next key seal from now on, and the one before it only open.
    Promote,
    /// Write the key file for services: with it contacts are sealed and none is opened. Anew after each step above.
    Services {
        /// Where. Never over another file.
        file: PathBuf,
    },
    /// Say which keys there are; never what they are.
    Status {
        /// Go through everything under seal and count what is still under a former key.
        #[arg(long)]
        count: bool,
    },
    /// Seal anew what former keys sealed. May be stopped and begun again; everything goes on meanwhile.
    Reseal,
    /// Seal anew what is left, make sure that nothing is, and take the former keys out of the file.
    Retire {
        /// Not wait for a day after promoting: answers of bots that are kept for repeats are asked for again.
        #[arg(long)]
        without_waiting: bool,
    },
}

/// What a key opens, as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[expect(missing_docs, reason = "help would repeat for each word what the argument says of all three")]
pub enum ScopeArgument {
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

/// What to send, where, and as whom.
#[derive(Debug, Args)]
pub struct Send {
    /// The file; `-` reads standard input.
    pub file: PathBuf,
    /// The server's address.
    #[arg(long, default_value = "http://127.0.0.1:8686", value_name = "URL")]
    pub url: String,
    /// An ingest key.
    #[arg(long, env = "LETOPIS_KEY", hide_env_values = true)]
    pub key: String,
    /// Events in one request.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub batch: u16,
}

/// What can be done with quarantine.
#[derive(Debug, Subcommand)]
pub enum QuarantineCommand {
    /// List entries, the youngest first.
    List {
        /// Whose.
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
        /// Whose.
        #[command(flatten)]
        of: OfTenant,
        /// The receipt, as listed.
        receipt: ReceiptId,
        /// Open the sealed body and print it. It holds personal data: not for a shared screen. That it was opened is
        /// written down for good.
        #[arg(long, requires = "reason")]
        body: bool,
        /// Why it is opened: for the audit.
        #[arg(long, requires = "body", value_parser = parse_reason)]
        reason: Option<domain::audit::Reason>,
    },
    /// What waits, by cause: how many, since when, and one of them as an example.
    Groups {
        /// Whose.
        #[command(flatten)]
        of: OfTenant,
        /// What was dismissed instead.
        #[arg(long)]
        dismissed: bool,
    },
    /// Say that what waits for a cause need not come home: it waits no more. It counts in the books as before and is kept
    /// as long as everything else; who said so and why is written down for good.
    Dismiss {
        /// Whose.
        #[command(flatten)]
        of: OfTenant,
        /// The cause, as `groups` names it.
        group: String,
        /// Why: for the audit.
        #[arg(long, value_parser = parse_reason)]
        reason: domain::audit::Reason,
    },
    /// Have what was dismissed of a cause wait again.
    TakeBack {
        /// Whose.
        #[command(flatten)]
        of: OfTenant,
        /// The cause, as `groups --dismissed` names it.
        group: String,
    },
    /// Send entries through again, times and ids kept.
    Replay {
        /// Whose.
        #[command(flatten)]
        of: OfTenant,
        /// One receipt.
        #[arg(required_unless_present_any = ["open", "group"])]
        receipt: Option<ReceiptId>,
        /// Every open entry instead.
        #[arg(long, conflicts_with_all = ["receipt", "group"])]
        open: bool,
        /// Every open entry of one cause instead, as `groups` names it.
        #[arg(long, conflicts_with = "receipt")]
        group: Option<String>,
        /// Of those, only this source's.
        #[arg(long, requires = "mapping")]
        source: Option<SourceId>,
        /// Read bodies of kind mapping or cloudevents by this mapping file from now on, and leave other entries alone.
        #[arg(long, value_name = "FILE", conflicts_with = "group")]
        mapping: Option<PathBuf>,
        /// Send nothing: only say how many would be understood, and what is wrong with the others.
        #[arg(long, requires = "mapping")]
        preview: bool,
    },
}

/// What can be done with clients. A client is named by whatever they are known by: a phone as people write it, an address, an
/// account, a lead, a booking, a conversation, an id as it is stored. `-` reads it from standard input, so that it is in no
/// history of the shell.
#[derive(Debug, Subcommand)]
pub enum SubjectCommand {
    /// Find a client and say where they came from, by which channels, and what joins them; shows nothing that was said.
    Find {
        /// Whose.
        #[command(flatten)]
        of: OfTenant,
        /// What the client is known by.
        typed: String,
    },
    /// Say what a client agreed to: what holds now, and everything that was ever said.
    Consents {
        /// Whose.
        #[command(flatten)]
        of: OfTenant,
        /// What the client is known by.
        typed: String,
    },
    /// Say that two are one client. It becomes an event, and holds against what is said later until it is ruled otherwise.
    Join {
        /// Whose.
        #[command(flatten)]
        of: OfTenant,
        /// What the one is known by.
        typed: String,
        /// What the other is known by.
        other: String,
        /// Why: stands in the client's history.
        #[arg(long, value_parser = parse_reason)]
        reason: domain::audit::Reason,
    },
    /// Say that something a client is known by is somebody else's. It becomes an event, and takes along the conversations of
    /// what is split off.
    Split {
        /// Whose.
        #[command(flatten)]
        of: OfTenant,
        /// What the client is known by.
        typed: String,
        /// What is somebody else's: typed, or an id as `find` lists it.
        identity: String,
        /// Why: stands in the client's history.
        #[arg(long, value_parser = parse_reason)]
        reason: domain::audit::Reason,
    },
}

/// Whose it is.
#[derive(Debug, Args)]
pub struct OfTenant {
    /// Whose; may be left out where there is only one tenant.
    #[arg(long)]
    pub tenant: Option<TenantId>,
}

/// Which salon plays, and for how long.
#[derive(Clone, Debug, Args)]
pub struct Play {
    /// The same seed plays the same salon.
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// How many past days to play.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=365))]
    pub days: u16,
    /// Write what the salon knows to be true to this file, to hold the figures against.
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
    /// Do not go on live after the past days.
    #[arg(long)]
    pub past_only: bool,
}

/// The demo on a system that runs already; its program names the command.
#[derive(Clone, Debug, Args)]
pub struct Demo {
    /// The gateway the salon sends to; by default the address the settings name.
    #[arg(long, value_name = "URL")]
    pub gateway: Option<String>,
    /// The console, whose page shows what comes of it.
    #[arg(long, value_name = "URL")]
    pub console: String,
    /// Which salon.
    #[command(flatten)]
    pub play: Play,
}

fn kinds() -> impl TypedValueParser<Value = domain::registry::SourceKind> {
    use domain::registry::SourceKind;
    PossibleValuesParser::new(SourceKind::ALL.map(SourceKind::as_str))
        .map(|word| SourceKind::parse(&word).expect("only the words of kinds are let through"))
}

fn trades() -> impl TypedValueParser<Value = domain::registry::Trade> {
    use domain::registry::Trade;
    PossibleValuesParser::new(Trade::ALL.map(Trade::as_str))
        .map(|word| Trade::parse(&word).expect("only the words of trades are let through"))
}

/// Which entries of the audit.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Only this tenant's.
    #[arg(long)]
    pub(crate) tenant: Option<TenantId>,
    /// Only this: opened (a body, as it was received), read (what was said), dismissed, took_back (of the quarantine).
    #[arg(long, value_parser = deeds())]
    pub(crate) deed: Option<domain::audit::Deed>,
    /// Only with such a thing.
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(domain::audit::About::WORDS))]
    pub(crate) about: Option<String>,
    /// Only with the one of this id, as it is listed.
    #[arg(long, requires = "about")]
    pub(crate) id: Option<String>,
    /// Only at this instant or after it, such as 2026-01-01T00:00:00+03:00.
    #[arg(long, value_parser = domain::timestamp::Timestamp::parse)]
    pub(crate) from: Option<domain::timestamp::Timestamp>,
    /// Only before this instant.
    #[arg(long, value_parser = domain::timestamp::Timestamp::parse)]
    pub(crate) until: Option<domain::timestamp::Timestamp>,
    /// Only what was written before the entry of this number: the last of the list before.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) before: Option<i64>,
    /// How many at the most.
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: u32,
}

fn deeds() -> impl TypedValueParser<Value = domain::audit::Deed> {
    use domain::audit::Deed;
    PossibleValuesParser::new(Deed::ALL.map(Deed::as_str))
        .map(|word| Deed::parse(&word).expect("only the words of deeds are let through"))
}

fn parse_class(word: &str) -> Result<domain::quarantine::ReasonClass, String> {
    domain::quarantine::ReasonClass::parse(word)
        .ok_or_else(|| "one of: unopenable, unreadable, invalid, conflict, handler_failed".to_owned())
}

fn parse_reason(text: &str) -> Result<domain::audit::Reason, String> {
    domain::audit::Reason::parse(text).ok_or_else(|| "1 to 500 characters, in one line".to_owned())
}

fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    humantime::parse_duration(text).map_err(|cause| cause.to_string())
}
