//! `POST /v1/subjects/lookup`, `GET /v1/subjects/{id}` and what lies under it.
//!
//! The id of a subject is any of its identities as they are stored: it stays good when subjects are joined or split, and
//! the answer names the best one.

use actix_web::{HttpRequest, HttpResponse, web};
use domain::audit::About;
use domain::consent::{ConsentRecord, holding};
use domain::id::TenantId;
use domain::subject::{Door, Identity, Link, Ruling};
use http_kit::endpoint::Endpoint;
use http_kit::problem::{Problem, ProblemKind};
use serde::{Deserialize, Serialize};

use crate::parameters::Parameters;
use crate::person::{self, Person};
use crate::scribe::Scribe;
use crate::timeline::{self, Thread};
use crate::{Console, access, answer, cursor, failure};

pub(crate) const LOOKUP: Endpoint =
    Endpoint { service: "console", pattern: "/v1/subjects/lookup", methods: &["POST"] };
pub(crate) const SHOW: Endpoint =
    Endpoint { service: "console", pattern: "/v1/subjects/{id}", methods: &["GET"] };
pub(crate) const EVENTS: Endpoint =
    Endpoint { service: "console", pattern: "/v1/subjects/{id}/events", methods: &["GET"] };
pub(crate) const CONSENTS: Endpoint =
    Endpoint { service: "console", pattern: "/v1/subjects/{id}/consents", methods: &["GET"] };

/// What somebody typed: in a body, because it is a phone number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lookup {
    typed: String,
}

#[derive(Serialize)]
struct Found {
    id: String,
    /// Other clients that the same words may mean.
    others: Vec<String>,
}

/// A client over all channels.
#[derive(Serialize)]
struct SubjectView {
    id: String,
    identities: Vec<IdentityView>,
    first_touch: Option<DoorView>,
    last_touch: Option<DoorView>,
    /// Channels in the order they were first used.
    path: Vec<&'static str>,
    doors: Vec<DoorView>,
    links: Vec<LinkView>,
    /// Messengers in which several accounts hang together: perhaps two persons of one phone.
    several_accounts: Vec<&'static str>,
    /// What was met that belongs to too many to be anybody's.
    shared: Vec<IdentityView>,
    suggestions: Vec<SuggestionView>,
    is_cut_short: bool,
}

#[derive(Serialize)]
pub(crate) struct IdentityView {
    kind: &'static str,
    id: String,
}

#[derive(Serialize)]
struct DoorView {
    channel: &'static str,
    session: String,
    first_at: String,
    last_at: String,
    /// Whether others speak there, too.
    is_shared: bool,
}

/// Why two identities are, or are not, one client.
#[derive(Serialize)]
struct LinkView {
    one: IdentityView,
    other: IdentityView,
    holds: bool,
    /// The event that first named both.
    named: Option<SaidView>,
    ruling: Option<RulingView>,
}

#[derive(Serialize)]
struct SaidView {
    at: String,
    event: String,
}

#[derive(Serialize)]
struct RulingView {
    ruling: &'static str,
    #[serde(flatten)]
    said: SaidView,
}

#[derive(Serialize)]
struct SuggestionView {
    identity: IdentityView,
    /// Where both are named.
    session: String,
}

#[derive(Serialize)]
struct ConsentPage {
    id: String,
    /// What holds now, a purpose once.
    current: Vec<ConsentView>,
    /// All that was ever said, oldest first.
    records: Vec<ConsentView>,
}

#[derive(Serialize)]
struct ConsentView {
    purpose: &'static str,
    granted: bool,
    at: String,
    channel: &'static str,
    source: String,
    session: String,
    event: String,
    text_version: Option<String>,
    text_hash: Option<String>,
}

pub(crate) async fn lookup(
    req: HttpRequest,
    console: web::Data<Console>,
    asked: web::Json<Lookup>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let tenant = access::reading(&req, &console, &parameters).await?;
    let keys = console.vault.tenant(&tenant);
    let mut circles = person::find(&console, &tenant, &keys.identities(&asked.typed)).await?;
    if circles.is_empty() {
        // The id of a conversation names whoever is in it.
        let sessions = keys.session_ids(&asked.typed);
        let named = console.subjects.named_in(&tenant, &sessions).await.map_err(failure::of_ledger)?;
        let named: Vec<_> = named.into_iter().map(|touch| touch.identity).collect();
        circles = person::find(&console, &tenant, &named).await?;
    }
    let mut ids = circles.iter().map(|circle| person::id_of(circle).to_owned());
    let id = ids.next().ok_or(Problem::new(ProblemKind::NotFound))?;
    answer::json(&req, &Found { id, others: ids.collect() })
}

pub(crate) async fn show(
    req: HttpRequest,
    console: web::Data<Console>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let tenant = access::reading(&req, &console, &parameters).await?;
    let person = person::of_id(&console, &tenant, &id).await?;
    answer::json(&req, &SubjectView::from(&person))
}

pub(crate) async fn events(
    req: HttpRequest,
    console: web::Data<Console>,
    scribe: web::Data<Scribe>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &["cursor", "limit"])?;
    let (tenant, who) = access::reading_texts(&req, &console, &parameters).await?;
    let limit = parameters.limit(timeline::DEFAULT_LIMIT, timeline::MAX_LIMIT)?;
    let after = parameters.cursor(cursor::to_event)?;
    let person = person::of_id(&console, &tenant, &id).await?;
    let client = person.circle.identities.first().cloned();
    let client = client.ok_or_else(|| Problem::new(ProblemKind::NotFound))?;
    let history = person.history();
    let timeline = timeline::read(&console, &tenant, Thread::Client(&history), after, limit).await?;
    answer::written(&req, &timeline, scribe.read((&tenant, &who), About::Client(client))).await
}

pub(crate) async fn consents(
    req: HttpRequest,
    console: web::Data<Console>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let tenant: TenantId = access::reading(&req, &console, &parameters).await?;
    let person = person::of_id(&console, &tenant, &id).await?;
    let records = person.consents(&console, &tenant).await?;
    let page = ConsentPage {
        id: person.id().to_owned(),
        current: holding(&records).into_iter().map(ConsentView::from).collect(),
        records: records.iter().map(ConsentView::from).collect(),
    };
    answer::json(&req, &page)
}

impl From<&Person> for SubjectView {
    fn from(person: &Person) -> Self {
        let (circle, journey) = (&person.circle, &person.journey);
        Self {
            id: person.id().to_owned(),
            identities: circle.identities.iter().map(IdentityView::from).collect(),
            first_touch: journey.first().map(DoorView::from),
            last_touch: journey.last().map(DoorView::from),
            path: journey.path().into_iter().map(|channel| channel.as_str()).collect(),
            doors: journey.doors.iter().map(DoorView::from).collect(),
            links: circle.links.iter().map(LinkView::from).collect(),
            several_accounts: journey.several_accounts.iter().map(|channel| channel.as_str()).collect(),
            shared: circle.shared.iter().map(IdentityView::from).collect(),
            suggestions: person
                .suggestions
                .iter()
                .map(|(identity, session)| SuggestionView {
                    identity: identity.into(),
                    session: session.to_string(),
                })
                .collect(),
            is_cut_short: circle.is_cut_short,
        }
    }
}

impl From<&Identity> for IdentityView {
    fn from(identity: &Identity) -> Self {
        Self { kind: identity.kind.as_str(), id: identity.as_str().to_owned() }
    }
}

impl From<&Door> for DoorView {
    fn from(door: &Door) -> Self {
        Self {
            channel: door.channel.as_str(),
            session: door.session.to_string(),
            first_at: door.first_at.to_string(),
            last_at: door.last_at.to_string(),
            is_shared: door.is_shared,
        }
    }
}

impl From<&Link> for LinkView {
    fn from(link: &Link) -> Self {
        let said = |moment: &domain::rollup::Moment| SaidView {
            at: moment.at.to_string(),
            event: moment.event.to_string(),
        };
        let ruling = link.ruled.as_ref().map(|ruled| RulingView {
            ruling: match ruled.value {
                Ruling::Together => "together",
                Ruling::Apart => "apart",
            },
            said: said(&ruled.moment),
        });
        Self {
            one: link.pair.first().into(),
            other: link.pair.second().into(),
            holds: link.holds(),
            named: link.named.as_ref().map(said),
            ruling,
        }
    }
}

impl From<&ConsentRecord> for ConsentView {
    fn from(record: &ConsentRecord) -> Self {
        Self {
            purpose: record.purpose.as_str(),
            granted: record.granted,
            at: record.at.to_string(),
            channel: record.channel.as_str(),
            source: record.source.to_string(),
            session: record.session.to_string(),
            event: record.event.to_string(),
            text_version: record.text_version.as_ref().map(ToString::to_string),
            text_hash: record.text_hash.clone(),
        }
    }
}
