//! `/v1/quarantine/groups` and `/v1/quarantine/{receipt}/open`: the workbench over HTTP.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::audit::{About, AuditEntry, Deed, Reason, Who};
use domain::id::ReceiptId;
use domain::quarantine::Stage;
use domain::timestamp::Timestamp;
use http_kit::endpoint::Endpoint;
use http_kit::problem::{Problem, ProblemKind};
use serde::{Deserialize, Serialize};

use crate::parameters::{Parameters, invalid};
use crate::workbench::{self, BodyError, Group, Step};
use crate::{Console, access, answer, failure, quarantine};

pub(crate) const LIST: Endpoint =
    Endpoint { service: "console", pattern: "/v1/quarantine/groups", methods: &["GET"] };
pub(crate) const REPLAY: Endpoint =
    Endpoint { service: "console", pattern: "/v1/quarantine/groups/{group}/replay", methods: &["POST"] };
pub(crate) const OPEN: Endpoint =
    Endpoint { service: "console", pattern: "/v1/quarantine/{receipt}/open", methods: &["POST"] };

/// Entries sent through again in one request: each is a message and a row, and somebody waits for the answer.
pub(crate) const STEP: u32 = 100;

#[derive(Serialize)]
struct GroupList {
    groups: Vec<GroupView>,
}

/// A group as shown.
#[derive(Serialize)]
struct GroupView {
    id: String,
    source: String,
    /// What it speaks; `null` once it is revoked.
    kind: Option<&'static str>,
    stage: &'static str,
    class: &'static str,
    pointer: Option<String>,
    detail: String,
    open: u64,
    replaying: u64,
    first_at: String,
    last_at: String,
    example: String,
}

/// How far a replay came.
#[derive(Serialize)]
pub(crate) struct Progress {
    sent: u32,
    /// Named again by the next request, until there is no more.
    before: String,
    more: bool,
}

/// Why a body is to be opened.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Open {
    reason: String,
}

#[derive(Serialize)]
struct Opened {
    receipt: String,
    stage: &'static str,
    body: String,
}

pub(crate) async fn list(req: HttpRequest, console: web::Data<Console>) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let tenant = access::reading(&req, &console, &parameters).await?;
    let groups = workbench::groups(&*console.quarantine, &tenant).await.map_err(failure::of_ledger)?;
    let view = |group: &Group| GroupView::new(&console, group);
    answer::json(&req, &GroupList { groups: groups.iter().map(view).collect() })
}

pub(crate) async fn replay(
    req: HttpRequest,
    console: web::Data<Console>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &["before"])?;
    let tenant = access::changing(&req, &console, &parameters).await?;
    let before = parameters.instant("before")?.unwrap_or_else(|| console.clock.now());
    let groups = workbench::groups(&*console.quarantine, &tenant).await.map_err(failure::of_ledger)?;
    let Some(group) = groups.into_iter().find(|group| group.id == *id) else {
        // All of it came home while it was being sent through: there is nothing more, and that is no mistake.
        return if parameters.get("before").is_some() {
            Ok(HttpResponse::Accepted().json(Progress::new(Step { sent: 0, more: false }, before)))
        } else {
            Err(Problem::new(ProblemKind::NotFound))
        };
    };
    let step =
        workbench::replay_step(&*console.bus, &*console.quarantine, &tenant, &group, before, STEP).await;
    let step = step.map_err(quarantine::not_replayed)?;
    tracing::info!(group = group.id, sent = step.sent, "sent a group of the quarantine through again");
    Ok(HttpResponse::Accepted().json(Progress::new(step, before)))
}

pub(crate) async fn open(
    req: HttpRequest,
    console: web::Data<Console>,
    receipt: web::Path<String>,
    asked: web::Json<Open>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let opener = access::opening(&req, &console, &parameters).await?;
    let receipt: ReceiptId = receipt.parse().map_err(|_not_a_receipt| Problem::new(ProblemKind::NotFound))?;
    let reason =
        Reason::parse(&asked.reason).ok_or_else(|| invalid("reason", "1 to 500 characters, and why"))?;
    let entries = console.quarantine.show(&opener.tenant, receipt).await.map_err(failure::of_ledger)?;
    let entry = entries
        .iter()
        .find(|entry| entry.stage == Stage::Normalize)
        .ok_or_else(|| Problem::new(ProblemKind::NotFound))?;
    let keys = console.vault.tenant(&opener.tenant);
    let audited = AuditEntry {
        at: console.clock.now(),
        tenant: opener.tenant.clone(),
        who: Who::Key(opener.key.to_string()),
        deed: Deed::Opened,
        about: About::Entry { receipt, stage: entry.stage },
        reason: Some(keys.seal_body(receipt, reason.as_str().as_bytes())),
    };
    // First written down, then opened: a body nobody answers for is not shown.
    console.audit.add_audit(&[audited]).await.map_err(failure::of_ledger)?;
    let body = workbench::body_of(&console.vault, entry).map_err(|error| match error {
        BodyError::NoBody(_) => Problem::new(ProblemKind::NotFound),
        BodyError::Sealed => {
            Problem::new(ProblemKind::Conflict).detail("the body cannot be opened: its key is unknown here")
        }
    })?;
    let opened = Opened { receipt: receipt.to_string(), stage: entry.stage.as_str(), body };
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(opened))
}

impl Progress {
    pub(crate) fn new(step: Step, before: Timestamp) -> Self {
        Self { sent: step.sent, before: before.to_string(), more: step.more }
    }
}

impl GroupView {
    fn new(console: &Console, group: &Group) -> Self {
        let (count, instant) = (&group.count, |at: Timestamp| at.to_string());
        Self {
            id: group.id.clone(),
            source: count.cause.source.to_string(),
            kind: console.keyring.source(&count.cause.source).map(|source| source.kind.as_str()),
            stage: count.cause.stage.as_str(),
            class: count.cause.class.as_str(),
            pointer: count.cause.pointer.clone(),
            detail: count.cause.detail.clone(),
            open: count.open,
            replaying: count.replaying,
            first_at: instant(count.first_at),
            last_at: instant(count.last_at),
            example: count.example.to_string(),
        }
    }
}
