//! `GET /v1/quarantine`, `GET /v1/quarantine/{receipt}` and `POST /v1/quarantine/{receipt}/replay`.
//!
//! Shows why something stopped and where, and never the body: that stays sealed.

use actix_web::{HttpRequest, HttpResponse, web};
use domain::id::{ReceiptId, TenantId};
use domain::quarantine::{ListedEntry, QuarantineEntry, QuarantineState, ReasonClass, Stage};
use http_kit::endpoint::Endpoint;
use http_kit::problem::{Problem, ProblemKind};
use ports::quarantine::QuarantineQuery;
use serde::Serialize;

use crate::parameters::{Parameters, invalid};
use crate::replay::{self, ReplayError};
use crate::{Console, access, answer, cursor, failure};

pub(crate) const LIST: Endpoint =
    Endpoint { service: "console", pattern: "/v1/quarantine", methods: &["GET"] };
pub(crate) const SHOW: Endpoint =
    Endpoint { service: "console", pattern: "/v1/quarantine/{receipt}", methods: &["GET"] };
pub(crate) const REPLAY: Endpoint =
    Endpoint { service: "console", pattern: "/v1/quarantine/{receipt}/replay", methods: &["POST"] };

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 200;

/// What is said of an entry whose message is gone.
pub(crate) const EXPIRED: &str =
    "its body was kept as long as everything else and is gone: the entry can only be dismissed";

#[derive(Serialize)]
struct EntryList {
    entries: Vec<EntryView>,
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct EntriesOfReceipt {
    receipt: String,
    entries: Vec<EntryView>,
}

/// An entry as shown.
#[derive(Serialize)]
struct EntryView {
    receipt: String,
    stage: &'static str,
    source: String,
    class: &'static str,
    pointer: Option<String>,
    detail: String,
    received_at: String,
    quarantined_at: String,
    state: &'static str,
    replays: u32,
    /// How long the message is, sealed as it lies there.
    sealed_bytes: u64,
    /// Whether the message is gone: there is nothing to open or to send through again.
    expired: bool,
}

pub(crate) async fn list(req: HttpRequest, console: web::Data<Console>) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &["class", "state", "cursor", "limit"])?;
    let tenant = access::reading(&req, &console, &parameters).await?;
    let limit = parameters.limit(DEFAULT_LIMIT, MAX_LIMIT)?;
    // One more than asked for tells whether there is a next page.
    let query = QuarantineQuery {
        class: parameters.word("class", &ReasonClass::ALL, ReasonClass::as_str)?,
        state: parameters.word("state", &QuarantineState::ALL, QuarantineState::as_str)?,
        after: parameters.cursor(cursor::to_quarantine)?,
        ..QuarantineQuery::all_of(tenant, limit + 1)
    };
    let mut entries = console.quarantine.list(&query).await.map_err(failure::of_ledger)?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = entries.len() > wanted;
    entries.truncate(wanted);
    let next_cursor = entries
        .last()
        .filter(|_| has_more)
        .map(|entry| cursor::of_quarantine(entry.quarantined_at, entry.receipt));
    answer::json(&req, &EntryList { entries: entries.iter().map(EntryView::from).collect(), next_cursor })
}

pub(crate) async fn show(
    req: HttpRequest,
    console: web::Data<Console>,
    receipt: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let tenant = access::reading(&req, &console, &parameters).await?;
    let receipt = parse_receipt(&receipt)?;
    let entries = entries_of(&console, &tenant, receipt).await?;
    let entries = entries.iter().map(EntryView::from).collect();
    answer::json(&req, &EntriesOfReceipt { receipt: receipt.to_string(), entries })
}

pub(crate) async fn replay(
    req: HttpRequest,
    console: web::Data<Console>,
    receipt: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &["stage"])?;
    let tenant = access::changing(&req, &console, &parameters).await?;
    let receipt = parse_receipt(&receipt)?;
    let stage = parameters.word("stage", &Stage::ALL, Stage::as_str)?;
    let entry = choose(entries_of(&console, &tenant, receipt).await?, stage)?;
    replay::replay(console.replayer(), &entry).await.map_err(not_replayed)?;
    tracing::info!(receipt = %receipt, stage = entry.stage.as_str(), "sent a quarantined message through again");
    let entries = entries_of(&console, &tenant, receipt).await?;
    let entry = entries.iter().find(|now| now.stage == entry.stage).unwrap_or(&entry);
    Ok(HttpResponse::Accepted().json(EntryView::from(entry)))
}

pub(crate) fn not_replayed(error: ReplayError) -> Problem {
    match error {
        ReplayError::Resolved => {
            Problem::new(ProblemKind::Conflict).detail("this entry was dealt with already")
        }
        ReplayError::Expired => Problem::new(ProblemKind::Conflict).detail(EXPIRED),
        ReplayError::Bus(cause) => failure::of_bus(cause),
        ReplayError::Ledger(cause) => failure::of_ledger(cause),
    }
}

fn parse_receipt(text: &str) -> Result<ReceiptId, Problem> {
    text.parse().map_err(|_not_a_receipt| Problem::new(ProblemKind::NotFound))
}

async fn entries_of(
    console: &Console,
    tenant: &TenantId,
    receipt: ReceiptId,
) -> Result<Vec<QuarantineEntry>, Problem> {
    let entries = console.quarantine.show(tenant, receipt).await.map_err(failure::of_ledger)?;
    if entries.is_empty() { Err(Problem::new(ProblemKind::NotFound)) } else { Ok(entries) }
}

/// The entry of the stage asked for; without one, the only entry, or the only one that still waits.
fn choose(mut entries: Vec<QuarantineEntry>, stage: Option<Stage>) -> Result<QuarantineEntry, Problem> {
    if let Some(stage) = stage {
        entries.retain(|entry| entry.stage == stage);
    } else if entries.len() > 1 {
        entries.retain(|entry| entry.state != QuarantineState::Resolved);
    }
    match (entries.pop(), entries.is_empty()) {
        (Some(entry), true) => Ok(entry),
        (Some(_one_of_several), false) => {
            Err(invalid("stage", "one of the stages at which this receipt stands in quarantine"))
        }
        (None, _) => Err(Problem::new(ProblemKind::NotFound)),
    }
}

impl From<&QuarantineEntry> for EntryView {
    fn from(entry: &QuarantineEntry) -> Self {
        Self::from(&ListedEntry::from(entry))
    }
}

impl From<&ListedEntry> for EntryView {
    fn from(entry: &ListedEntry) -> Self {
        Self {
            receipt: entry.receipt.to_string(),
            stage: entry.stage.as_str(),
            source: entry.source.to_string(),
            class: entry.reason.class.as_str(),
            pointer: entry.reason.pointer.clone(),
            detail: entry.reason.detail.clone(),
            received_at: entry.received_at.to_string(),
            quarantined_at: entry.quarantined_at.to_string(),
            state: entry.state.as_str(),
            replays: entry.replays,
            sealed_bytes: entry.message_bytes,
            expired: entry.is_expired(),
        }
    }
}
