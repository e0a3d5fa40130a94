//! `GET /v1/audit`: who opened or read what was sealed, when and why. The same for the command line.

use actix_web::{HttpRequest, HttpResponse, web};
use domain::audit::{About, AuditEntry, Deed};
use http_kit::endpoint::Endpoint;
use http_kit::problem::Problem;
use ports::audit::{AboutFilter, AuditQuery};
use privacy::Vault;
use serde::Serialize;

use crate::parameters::{Parameters, invalid};
use crate::{Console, access, answer, cursor, failure};

pub(crate) const LIST: Endpoint = Endpoint { service: "console", pattern: "/v1/audit", methods: &["GET"] };

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 500;

/// Why bodies are opened of which nothing is shown.
const TRIAL: &str = "trying a mapping on what waits in quarantine";

#[derive(Serialize)]
struct AuditList {
    entries: Vec<AuditView>,
    next_cursor: Option<String>,
}

/// An entry of the audit as shown.
#[derive(Serialize)]
pub struct AuditView {
    at: String,
    tenant: String,
    who: &'static str,
    name: String,
    deed: &'static str,
    about: &'static str,
    id: String,
    /// Of an entry of the quarantine, and of one of those that have a cause in common.
    receipt: Option<String>,
    stage: Option<&'static str>,
    /// Absent where its key is not here any more.
    reason: Option<String>,
}

pub(crate) async fn list(req: HttpRequest, console: web::Data<Console>) -> Result<HttpResponse, Problem> {
    let known = ["deed", "about", "id", "from", "until", "cursor", "limit"];
    let parameters = Parameters::read(&req, &known)?;
    let limit = parameters.limit(DEFAULT_LIMIT, MAX_LIMIT)?;
    // One more than asked for tells whether there is a next page.
    let query = AuditQuery {
        tenant: access::administering(&req, &console, &parameters).await?,
        deed: parameters.word("deed", &Deed::ALL, Deed::as_str)?,
        about: about(&parameters)?,
        from: parameters.instant("from")?,
        until: parameters.instant("until")?,
        before: parameters.cursor(cursor::to_audit)?,
        limit: limit + 1,
    };
    let mut rows = console.audit.audit(&query).await.map_err(failure::of_ledger)?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > wanted;
    rows.truncate(wanted);
    let next_cursor = rows.last().filter(|_| has_more).map(|row| cursor::of_audit(row.entry.at, row.number));
    let entries = rows.iter().map(|row| AuditView::new(&console.vault, &row.entry)).collect();
    answer::json(&req, &AuditList { entries, next_cursor })
}

fn about(parameters: &Parameters) -> Result<Option<AboutFilter>, Problem> {
    let word = parameters.word("about", &About::WORDS, |word| word)?;
    match (word, parameters.get("id")) {
        (None, None) => Ok(None),
        (None, Some(_of_nothing)) => Err(invalid("about", "needed beside id: what it is the id of")),
        (Some(word), id) => about_filter(word, id)
            .ok_or_else(|| invalid("id", "an id of what about names, as listed"))
            .map(Some),
    }
}

/// What of a kind is meant: any, or what goes by an id as it is listed; `None` where that cannot be the id of such a thing.
#[must_use]
pub fn about_filter(word: &'static str, id: Option<&str>) -> Option<AboutFilter> {
    let Some(id) = id else { return Some(AboutFilter::Kind(word)) };
    let things = About::shown_as(word, id);
    (!things.is_empty()).then_some(AboutFilter::OneOf(things))
}

impl AuditView {
    /// The entry with its reason opened.
    #[must_use]
    pub fn new(vault: &Vault, entry: &AuditEntry) -> Self {
        let (who, name) = entry.who.parts();
        let (id, receipt, stage) = match &entry.about {
            About::Entry { receipt, stage } => {
                (receipt.to_string(), Some(receipt.to_string()), Some(stage.as_str()))
            }
            // Which of its kinds it is, is not what one types to find a client.
            About::Client(identity) => (identity.as_str().to_owned(), None, None),
            About::Cause { group, example } => (group.clone(), Some(example.to_string()), None),
            about => (about.id(), None, None),
        };
        Self {
            at: entry.at.to_string(),
            tenant: entry.tenant.to_string(),
            who,
            name: name.to_owned(),
            deed: entry.deed.as_str(),
            about: entry.about.as_str(),
            id,
            receipt,
            stage,
            reason: reason_of(vault, entry),
        }
    }
}

/// The words of who did it; where none were asked for, what was asked for.
fn reason_of(vault: &Vault, entry: &AuditEntry) -> Option<String> {
    let sealed = match (&entry.reason, &entry.about) {
        (Some(sealed), About::Entry { receipt, .. }) => {
            vault.tenant(&entry.tenant).open_body(*receipt, sealed).ok()?
        }
        (Some(sealed), About::Cause { example, .. }) => {
            vault.tenant(&entry.tenant).open_body(*example, sealed).ok()?
        }
        (Some(_of_nothing_sealed), _) => return None,
        (None, about) => {
            return match about {
                About::Entry { .. } if entry.deed == Deed::Opened => Some(TRIAL.to_owned()),
                About::Source(_) if entry.deed == Deed::Opened => Some(TRIAL.to_owned()),
                About::Entry { .. } | About::Cause { .. } => None,
                About::Session(_) => Some("reading a conversation".to_owned()),
                About::Lead(_) => Some("reading what was said over a lead".to_owned()),
                About::Client(_) => Some("reading the history of a client".to_owned()),
                About::Source(_) => Some("looking at the last event of a source".to_owned()),
            };
        }
    };
    Some(String::from_utf8_lossy(&sealed).into_owned())
}
