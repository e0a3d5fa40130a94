//! `GET /v1/sessions`, `GET /v1/sessions/{id}` and `POST /v1/sessions/lookup`.

use actix_web::{HttpRequest, HttpResponse, web};
use domain::audit::About;
use domain::channel::Channel;
use domain::id::TenantId;
use domain::rollup::{Mark, Marks};
use domain::session::Outcome;
use http_kit::endpoint::Endpoint;
use http_kit::problem::{Problem, ProblemKind};
use ports::ledger::{SessionCursor, SessionQuery, SessionRow};
use serde::{Deserialize, Serialize};

use crate::answer::{self, Tag};
use crate::parameters::{Parameters, invalid};
use crate::scribe::Scribe;
use crate::timeline::{self, Thread, Timeline};
use crate::{Console, access, cursor, failure};

pub(crate) const LIST: Endpoint = Endpoint { service: "console", pattern: "/v1/sessions", methods: &["GET"] };
pub(crate) const LOOKUP: Endpoint =
    Endpoint { service: "console", pattern: "/v1/sessions/lookup", methods: &["POST"] };
pub(crate) const SHOW: Endpoint =
    Endpoint { service: "console", pattern: "/v1/sessions/{id}", methods: &["GET"] };

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 200;

#[derive(Serialize)]
struct SessionList {
    sessions: Vec<SessionView>,
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct SessionPage {
    session: SessionView,
    #[serde(flatten)]
    timeline: Timeline,
}

/// A session as shown.
#[derive(Serialize)]
struct SessionView {
    id: String,
    channel: &'static str,
    first_at: String,
    last_at: String,
    outcome: &'static str,
    lead: Option<String>,
    events: u64,
    marks: Vec<&'static str>,
}

/// An id that somebody typed: in a body, because it may be a phone number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lookup {
    id: String,
}

#[derive(Serialize)]
struct Found {
    id: String,
}

pub(crate) async fn list(req: HttpRequest, console: web::Data<Console>) -> Result<HttpResponse, Problem> {
    let known = ["channel", "outcome", "from", "until", "cursor", "limit"];
    let parameters = Parameters::read(&req, &known)?;
    let tenant = access::reading(&req, &console, &parameters).await?;
    let limit = parameters.limit(DEFAULT_LIMIT, MAX_LIMIT)?;
    let query = SessionQuery {
        tenant,
        channel: parameters.word("channel", &Channel::ALL, Channel::as_str)?,
        outcome: parameters.word("outcome", &Outcome::ALL, Outcome::as_str)?,
        from: parameters.instant("from")?,
        until: parameters.instant("until")?,
        after: parameters.cursor(cursor::to_session)?,
        // One more than asked for tells whether there is a next page.
        limit: limit + 1,
    };
    if query.from.zip(query.until).is_some_and(|(from, until)| until <= from) {
        return Err(invalid("until", "an instant after `from`"));
    }
    let mut rows = console.ledger.sessions(&query).await.map_err(failure::of_ledger)?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > wanted;
    rows.truncate(wanted);
    let next_cursor = rows.last().filter(|_| has_more).map(|row| {
        let rollup = &row.rollup;
        cursor::of_session(&SessionCursor { last_at: rollup.last.at, session: rollup.session.clone() })
    });
    answer::json(&req, &SessionList { sessions: rows.iter().map(SessionView::from).collect(), next_cursor })
}

pub(crate) async fn show(
    req: HttpRequest,
    console: web::Data<Console>,
    scribe: web::Data<Scribe>,
    typed: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &["cursor", "limit"])?;
    let (tenant, who) = access::reading_texts(&req, &console, &parameters).await?;
    let limit = parameters.limit(timeline::DEFAULT_LIMIT, timeline::MAX_LIMIT)?;
    let after = parameters.cursor(cursor::to_event)?;
    let row = find(&console, &tenant, &typed).await?;
    let session = SessionView::from(&row);

    // Whatever is new in the timeline changes the session's row, so the row names the state of both, and a page that
    // looks every two seconds costs one read of one row.
    let tag = state_of(&session, req.query_string())?;
    if tag.is_known_to(&req) {
        return Ok(answer::not_modified(&tag));
    }
    let id = &row.rollup.session;
    // Written down while it is read, and shown once both are done.
    let (timeline, written) = tokio::join!(
        timeline::read(&console, &tenant, Thread::Session(id), after, limit),
        scribe.read((&tenant, &who), About::Session(id.clone())),
    );
    written?;
    answer::tagged(&tag, &SessionPage { session, timeline: timeline? })
}

pub(crate) async fn lookup(
    req: HttpRequest,
    console: web::Data<Console>,
    asked: web::Json<Lookup>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let tenant = access::reading(&req, &console, &parameters).await?;
    let row = find(&console, &tenant, &asked.id).await?;
    answer::json(&req, &Found { id: row.rollup.session.to_string() })
}

async fn find(console: &Console, tenant: &TenantId, typed: &str) -> Result<SessionRow, Problem> {
    let ids = console.vault.tenant(tenant).session_ids(typed);
    let found = console.ledger.session(tenant, &ids).await.map_err(failure::of_ledger)?;
    found.ok_or(Problem::new(ProblemKind::NotFound))
}

/// The release is part of it, for another one may show the same row in another way.
fn state_of(session: &SessionView, query: &str) -> Result<Tag, Problem> {
    let row = serde_json::to_string(session).map_err(|cause| failure::internal(&cause))?;
    Ok(Tag::of([row.as_str(), query, env!("CARGO_PKG_VERSION")].join("\n").as_bytes()))
}

impl From<&SessionRow> for SessionView {
    fn from(row: &SessionRow) -> Self {
        let rollup = &row.rollup;
        Self {
            id: rollup.session.to_string(),
            channel: rollup.opened.value.as_str(),
            first_at: rollup.opened.moment.at.to_string(),
            last_at: rollup.last.at.to_string(),
            outcome: Outcome::of(rollup).as_str(),
            lead: rollup.lead.as_ref().map(|lead| lead.value.to_string()),
            events: row.events,
            marks: marks(rollup.marks),
        }
    }
}

/// What has happened at least once, in words.
fn marks(marks: Marks) -> Vec<&'static str> {
    const WORDS: [(Mark, &str); 18] = [
        (Mark::ClientSpoke, "client_spoke"),
        (Mark::AssistantSpoke, "assistant_spoke"),
        (Mark::StaffSpoke, "staff_spoke"),
        (Mark::Lead, "lead"),
        (Mark::Booked, "booked"),
        (Mark::Rescheduled, "rescheduled"),
        (Mark::Confirmed, "confirmed"),
        (Mark::Cancelled, "cancelled"),
        (Mark::Reminded, "reminded"),
        (Mark::Attended, "attended"),
        (Mark::NoShow, "no_show"),
        (Mark::Paid, "paid"),
        (Mark::Reviewed, "reviewed"),
        (Mark::Refused, "refused"),
        (Mark::Fallback, "fallback"),
        (Mark::Declined, "declined"),
        (Mark::HandedOff, "handed_off"),
        (Mark::Called, "called"),
    ];
    WORDS.into_iter().filter(|(mark, _)| marks.has(*mark)).map(|(_, word)| word).collect()
}
