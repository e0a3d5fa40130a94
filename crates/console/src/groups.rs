//! `/v1/quarantine/groups` and `/v1/quarantine/{receipt}/open`: the workbench over HTTP.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::audit::{About, AuditEntry, Deed, Reason, Who};
use domain::event::Sealed;
use domain::id::ReceiptId;
use domain::quarantine::{Dismissal, Stage};
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
pub(crate) const DISMISS: Endpoint =
    Endpoint { service: "console", pattern: "/v1/quarantine/groups/{group}/dismiss", methods: &["POST"] };
pub(crate) const TAKE_BACK: Endpoint =
    Endpoint { service: "console", pattern: "/v1/quarantine/groups/{group}/take-back", methods: &["POST"] };
pub(crate) const OPEN: Endpoint =
    Endpoint { service: "console", pattern: "/v1/quarantine/{receipt}/open", methods: &["POST"] };

/// Entries sent through again in one request: each is a message and a row, and somebody waits for the answer.
pub(crate) const STEP: u32 = 100;

#[derive(Serialize)]
struct GroupList {
    groups: Vec<GroupView>,
    /// What was dismissed.
    dismissed: Vec<GroupView>,
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
    dismissed: u64,
    /// Of these, those whose bodies are gone.
    expired: u64,
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

/// Why a body is to be opened, or what waits to be dismissed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Why {
    reason: String,
}

/// How many entries were moved.
#[derive(Serialize)]
struct Moved {
    moved: u64,
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
    let views = |groups: &[Group]| groups.iter().map(|group| GroupView::new(&console, group)).collect();
    let list = GroupList { groups: views(&groups.waiting), dismissed: views(&groups.dismissed) };
    answer::json(&req, &list)
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
    let Some(group) = groups.waiting.into_iter().find(|group| group.id == *id) else {
        // All of it came home while it was being sent through: there is nothing more, and that is no mistake.
        return if parameters.get("before").is_some() {
            Ok(HttpResponse::Accepted().json(Progress::new(Step { sent: 0, more: false }, before)))
        } else {
            Err(Problem::new(ProblemKind::NotFound))
        };
    };
    let step = workbench::replay_step(console.replayer(), &tenant, &group, before, STEP).await;
    let step = step.map_err(quarantine::not_replayed)?;
    tracing::info!(group = group.id, sent = step.sent, "sent a group of the quarantine through again");
    Ok(HttpResponse::Accepted().json(Progress::new(step, before)))
}

pub(crate) async fn open(
    req: HttpRequest,
    console: web::Data<Console>,
    receipt: web::Path<String>,
    asked: web::Json<Why>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let opener = access::opening(&req, &console, &parameters).await?;
    let receipt: ReceiptId = receipt.parse().map_err(|_not_a_receipt| Problem::new(ProblemKind::NotFound))?;
    let reason = asked.reason()?;
    let entries = console.quarantine.show(&opener.tenant, receipt).await.map_err(failure::of_ledger)?;
    let entry = entries
        .iter()
        .find(|entry| entry.stage == Stage::Normalize)
        .ok_or_else(|| Problem::new(ProblemKind::NotFound))?;
    if entry.is_expired() {
        return Err(Problem::new(ProblemKind::Conflict).detail(quarantine::EXPIRED));
    }
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
        BodyError::Expired => Problem::new(ProblemKind::Conflict).detail(quarantine::EXPIRED),
        BodyError::Sealed => {
            Problem::new(ProblemKind::Conflict).detail("the body cannot be opened: its key is unknown here")
        }
    })?;
    let opened = Opened { receipt: receipt.to_string(), stage: entry.stage.as_str(), body };
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(opened))
}

pub(crate) async fn dismiss(
    req: HttpRequest,
    console: web::Data<Console>,
    id: web::Path<String>,
    asked: web::Json<Why>,
) -> Result<HttpResponse, Problem> {
    let opener = access::administrator(&req, &console).await?;
    let reason = asked.reason()?;
    let groups = workbench::groups(&*console.quarantine, &opener.tenant).await.map_err(failure::of_ledger)?;
    let group = find(groups.waiting, &id)?;
    let reason = workbench::seal_reason(&console.vault, &opener.tenant, &group, &reason);
    moved(&console, Dismissal::Dismiss, &opener, &group, Some(reason)).await
}

pub(crate) async fn take_back(
    req: HttpRequest,
    console: web::Data<Console>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let opener = access::administrator(&req, &console).await?;
    let groups = workbench::groups(&*console.quarantine, &opener.tenant).await.map_err(failure::of_ledger)?;
    let group = find(groups.dismissed, &id)?;
    moved(&console, Dismissal::TakeBack, &opener, &group, None).await
}

fn find(groups: Vec<Group>, id: &str) -> Result<Group, Problem> {
    groups.into_iter().find(|group| group.id == id).ok_or_else(|| Problem::new(ProblemKind::NotFound))
}

async fn moved(
    console: &Console,
    dismissal: Dismissal,
    opener: &access::Opener,
    group: &Group,
    reason: Option<Sealed>,
) -> Result<HttpResponse, Problem> {
    let (audit, who) = (&*console.audit, Who::Key(opener.key.to_string()));
    let (of, by, now) = ((&opener.tenant, group), (who, reason), console.clock.now());
    let moved = workbench::dismiss(&*console.quarantine, audit, dismissal, of, by, now).await;
    let moved = moved.map_err(failure::of_ledger)?;
    tracing::info!(group = group.id, moved, to = dismissal.to().as_str(), "moved a group of the quarantine");
    Ok(HttpResponse::Ok().json(Moved { moved }))
}

impl Why {
    fn reason(&self) -> Result<Reason, Problem> {
        Reason::parse(&self.reason).ok_or_else(|| invalid("reason", "1 to 500 characters, and why"))
    }
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
            dismissed: count.dismissed,
            expired: count.expired,
            first_at: instant(count.first_at),
            last_at: instant(count.last_at),
            example: count.example.to_string(),
        }
    }
}
