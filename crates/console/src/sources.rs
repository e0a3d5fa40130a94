//! `/v1/sources`: the doors of a tenant, how they are doing, and making, changing and ending their secrets.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use channels::{Mapping, MappingError};
use domain::audit::About;
use domain::id::{SourceId, TenantId};
use domain::registry::{Scope, Source, SourceKind};
use domain::source_state::SourceState;
use event_schema::codec::decode_event;
use http_kit::endpoint::Endpoint;
use http_kit::key::issue_key;
use http_kit::problem::{FieldError, Problem, ProblemKind};
use ports::registry::RegistryError;
use serde::{Deserialize, Serialize};

use crate::event_view::{EventView, Findings};
use crate::parameters::Parameters;
use crate::registrar::{self, NewSource, RegistrarError};
use crate::scribe::Scribe;
use crate::source_view::SourceView;
use crate::{Console, access, answer, failure, timeline};

const fn endpoint(pattern: &'static str, methods: &'static [&'static str]) -> Endpoint {
    Endpoint { service: "console", pattern, methods }
}

pub(crate) const LIST: Endpoint = endpoint("/v1/sources", &["GET", "POST"]);
pub(crate) const SHOW: Endpoint = endpoint("/v1/sources/{source}", &["GET"]);
pub(crate) const ROTATE: Endpoint = endpoint("/v1/sources/{source}/rotate", &["POST"]);
pub(crate) const RETIRE: Endpoint = endpoint("/v1/sources/{source}/retire", &["POST"]);
pub(crate) const KEYS: Endpoint = endpoint("/v1/sources/{source}/keys", &["POST"]);

/// The longest name a person may give.
const MAX_NAME_CHARS: usize = 128;
/// Events of one microsecond in one conversation that are looked through for the last one.
const AT_ONCE: u32 = 32;

#[derive(Serialize)]
struct SourceList {
    sources: Vec<SourceView>,
}

/// A source with what was understood last.
#[derive(Serialize)]
struct SourceShown {
    source: SourceView,
    /// Absent while the first is waited for, and once it is past its time.
    last_event: Option<EventView>,
}

/// A source whose secret is shown, this once.
#[derive(Serialize)]
struct SourceWithSecret {
    source: SourceView,
    secret: String,
    paste: Paste,
}

/// What goes to the messenger.
#[derive(Serialize)]
struct Paste {
    /// The address, with the key in it where the messenger signs nothing.
    url: String,
    /// What Meta wants to hear before it delivers.
    verify_token: Option<String>,
}

/// A key that is shown, this once.
#[derive(Serialize)]
struct KeyShown {
    id: String,
    scope: &'static str,
    key: String,
}

/// A source to be added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Add {
    id: String,
    kind: String,
    name: Option<String>,
    secret: Option<String>,
    /// How its bodies are read, for kind mapping, and for kind cloudevents, where it wants one.
    mapping: Option<serde_json::Value>,
}

/// A secret to be changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotate {
    secret: Option<String>,
}

pub(crate) async fn list(req: HttpRequest, console: web::Data<Console>) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let reader = access::reader(&req, &console).await?;
    // An operator sees the sources of all tenants, unless one is asked for.
    let is_whole = reader.tenant.is_none() && parameters.tenant()?.is_none();
    let only = if is_whole { None } else { Some(reader.tenant(&console, &parameters)?) };
    let now = console.clock.now();
    let states = console.sources.states(only.as_ref(), now).await.map_err(failure::of_ledger)?;
    let tenants = match only {
        Some(tenant) => vec![tenant],
        None => console.keyring.tenants().into_iter().map(|tenant| tenant.id).collect(),
    };
    let sources = tenants.iter().flat_map(|tenant| console.keyring.sources_of(tenant));
    let view = |source: &Source| {
        let state = states.iter().find(|state| is_of(state, source));
        SourceView::new(source, state, url(&req, &console, &source.id), now)
    };
    answer::json(&req, &SourceList { sources: sources.map(|source| view(&source)).collect() })
}

pub(crate) async fn show(
    req: HttpRequest,
    console: web::Data<Console>,
    scribe: web::Data<Scribe>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let (tenant, who) = access::reading_texts(&req, &console, &parameters).await?;
    let source = find(&console, &tenant, &id).await?;
    let state = state_of(&console, &source).await?;
    let last_event = match &state {
        Some(state) => last_event(&console, &tenant, state).await?,
        None => None,
    };
    let (url, id) = (url(&req, &console, &source.id), source.id.clone());
    let source = SourceView::new(&source, state.as_ref(), url, console.clock.now());
    let shown = SourceShown { source, last_event };
    if shown.last_event.is_none() {
        return answer::json(&req, &shown);
    }
    answer::written(&req, &shown, scribe.read((&tenant, &who), About::Source(id))).await
}

pub(crate) async fn add(
    req: HttpRequest,
    console: web::Data<Console>,
    asked: web::Json<Add>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let tenant = access::changing(&req, &console, &parameters).await?;
    let new = asked.into_inner().read(tenant)?;
    let made = registrar::add_source(&*console.registry, &console.vault, new, console.clock.now()).await;
    let (source, secret) = made.map_err(refused)?;
    // The next request may well be about it.
    console.keyring.refresh().await;
    tracing::info!(source.id = source.id.as_str(), "added a source");
    Ok(once(HttpResponse::Created()).json(with_secret(&req, &console, &source, None, secret)))
}

pub(crate) async fn rotate(
    req: HttpRequest,
    console: web::Data<Console>,
    id: web::Path<String>,
    asked: web::Json<Rotate>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let tenant = access::changing(&req, &console, &parameters).await?;
    let source = find(&console, &tenant, &id).await?;
    let (secret, now) = (asked.into_inner().secret.as_deref().and_then(filled), console.clock.now());
    let made = registrar::add_secret(&*console.registry, &console.vault, &source, secret, now).await;
    let secret = made.map_err(refused)?;
    console.keyring.refresh().await;
    tracing::info!(source.id = source.id.as_str(), "gave a source another secret");
    let source = find(&console, &tenant, &id).await?;
    let state = state_of(&console, &source).await?;
    Ok(once(HttpResponse::Ok()).json(with_secret(&req, &console, &source, state.as_ref(), secret)))
}

pub(crate) async fn retire(
    req: HttpRequest,
    console: web::Data<Console>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let tenant = access::changing(&req, &console, &parameters).await?;
    let source = find(&console, &tenant, &id).await?;
    let retired = console.registry.retire_secrets(&source.id).await;
    retired.map_err(|error| refused(error.into()))?;
    console.keyring.refresh().await;
    tracing::info!(source.id = source.id.as_str(), "ended the former secret of a source");
    let source = find(&console, &tenant, &id).await?;
    let state = state_of(&console, &source).await?;
    let url = url(&req, &console, &source.id);
    Ok(once(HttpResponse::Ok()).json(SourceView::new(&source, state.as_ref(), url, console.clock.now())))
}

pub(crate) async fn add_key(
    req: HttpRequest,
    console: web::Data<Console>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let tenant = access::changing(&req, &console, &parameters).await?;
    let source = find(&console, &tenant, &id).await?;
    let made =
        issue_key(Scope::Ingest, Some(tenant), Some(source.id.clone()), String::new(), console.clock.now())
            .map_err(|cause| failure::internal(&cause))?;
    console.registry.add_key(&made.key).await.map_err(|error| refused(error.into()))?;
    console.keyring.refresh().await;
    let shown = KeyShown {
        id: made.key.id.to_string(),
        scope: made.key.scope.as_str(),
        key: made.text.expose().to_owned(),
    };
    Ok(once(HttpResponse::Created()).json(shown))
}

impl Add {
    fn read(self, tenant: TenantId) -> Result<NewSource, Problem> {
        let wrong = |pointer: &str, expected: &str| {
            Problem::new(ProblemKind::InvalidParameter).error(pointer, expected)
        };
        let id = SourceId::parse(self.id.trim())
            .map_err(|_unusable| wrong("/id", "1 to 64 letters, digits, dots, hyphens or underscores"))?;
        let kind = SourceKind::parse(&self.kind).ok_or_else(|| {
            let kinds = SourceKind::ALL.map(SourceKind::as_str).join(", ");
            wrong("/kind", &format!("one of {kinds}"))
        })?;
        let name = self.name.as_deref().and_then(filled);
        if name.as_ref().is_some_and(|name| name.chars().count() > MAX_NAME_CHARS) {
            return Err(wrong("/name", "at most 128 characters"));
        }
        let secret = self.secret.as_deref().and_then(filled);
        let mapping = self.mapping.map(|mapping| read_mapping(&mapping)).transpose()?;
        if mapping.is_none() && kind.needs_mapping() || mapping.is_some() && !kind.takes_mapping() {
            let expected =
                "a mapping for kind mapping, one or none for kind cloudevents, and none for any other";
            return Err(wrong("/mapping", expected));
        }
        Ok(NewSource { secret, name, mapping, ..NewSource::new(&tenant, &id, kind) })
    }
}

/// A mapping, or all that is wrong with it.
pub(crate) fn read_mapping(mapping: &serde_json::Value) -> Result<Mapping, Problem> {
    // The text of a file, which may be YAML, or the JSON itself.
    let text = mapping.as_str().map_or_else(|| mapping.to_string(), str::to_owned);
    Mapping::parse(&text).map_err(|error| {
        let problem = Problem::new(ProblemKind::InvalidParameter);
        match error {
            MappingError::Wrong(faults) => problem.errors(faults.into_iter().map(|fault| FieldError {
                pointer: format!("/mapping{}", fault.pointer),
                expected: fault.expected,
            })),
            other => problem.error("/mapping", other.to_string()),
        }
    })
}

/// What was typed, unless nothing was.
fn filled(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn refused(error: RegistrarError) -> Problem {
    match error {
        RegistrarError::SecretNeeded => Problem::new(ProblemKind::InvalidParameter)
            .error("/secret", "the secret of the Meta app: App settings, Basic"),
        RegistrarError::SecretUnusable => Problem::new(ProblemKind::InvalidParameter)
            .error("/secret", "1 to 256 letters, digits and signs, without spaces"),
        RegistrarError::Registry(RegistryError::Exists) => Problem::new(ProblemKind::Conflict)
            .detail("this id is taken; ids stay taken after they are revoked"),
        RegistrarError::Registry(RegistryError::NotFound) => Problem::new(ProblemKind::NotFound),
        RegistrarError::Registry(error) => failure::of_registry(&error),
        RegistrarError::Random(cause) => failure::internal(&cause),
        RegistrarError::Mapping(cause) => failure::internal(&cause),
    }
}

fn is_of(state: &SourceState, source: &Source) -> bool {
    state.source == source.id && state.tenant == source.tenant
}

/// The source of this name, if it is the tenant's.
pub(crate) async fn find(console: &Console, tenant: &TenantId, id: &str) -> Result<Source, Problem> {
    let found = match SourceId::parse(id) {
        Ok(id) => console.keyring.find_source(&id).await,
        Err(_no_source_is_called_so) => None,
    };
    let source = found.filter(|source| source.tenant == *tenant);
    source.map(|source| (*source).clone()).ok_or_else(|| Problem::new(ProblemKind::NotFound))
}

/// How a source is doing; nothing where it was never heard of.
async fn state_of(console: &Console, source: &Source) -> Result<Option<SourceState>, Problem> {
    let states = console.sources.states(Some(&source.tenant), console.clock.now()).await;
    Ok(states.map_err(failure::of_ledger)?.into_iter().find(|state| is_of(state, source)))
}

/// The last event of a source, unless it is past its time.
async fn last_event(
    console: &Console,
    tenant: &TenantId,
    state: &SourceState,
) -> Result<Option<EventView>, Problem> {
    let Some(heard) = &state.heard else { return Ok(None) };
    let after = Some(heard.just_before());
    let stored = console.ledger.timeline(tenant, &heard.last_session, after, AT_ONCE).await;
    for stored in stored.map_err(failure::of_ledger)? {
        let event = decode_event(stored.wire).map_err(|cause| failure::internal(&cause))?;
        if event.id == heard.last_event.event {
            let (details, details_unreadable) = timeline::open(&console.vault.tenant(tenant), &event);
            let findings = Findings { impossible_step: false, details_unreadable };
            return Ok(Some(EventView::new(event, stored.stored_at, details, findings)));
        }
    }
    Ok(None)
}

fn with_secret(
    req: &HttpRequest,
    console: &Console,
    source: &Source,
    state: Option<&SourceState>,
    secret: String,
) -> SourceWithSecret {
    let url = url(req, console, &source.id);
    // One that cannot be read was logged where it was needed; the address without it is still the address.
    let mapping = registrar::mapping_of(source).ok().flatten();
    let is_metas = matches!(source.kind, SourceKind::Whatsapp | SourceKind::Instagram);
    let paste = Paste {
        url: registrar::address_to_paste(source.kind, mapping.as_ref(), &url, &secret),
        verify_token: is_metas.then(|| channels::token_for_meta(secret.as_bytes())),
    };
    SourceWithSecret { source: SourceView::new(source, state, url, console.clock.now()), secret, paste }
}

/// Where a source's deliveries go: by the settings, or else to where the page itself was found.
fn url(req: &HttpRequest, console: &Console, source: &SourceId) -> String {
    let base = match console.doors.trim_end_matches('/') {
        "" => {
            let asked = req.connection_info();
            format!("{}://{}", asked.scheme(), asked.host())
        }
        doors => doors.to_owned(),
    };
    format!("{base}/v1/hooks/{source}")
}

/// What is shown once is kept by no cache.
fn once(mut response: HttpResponseBuilder) -> HttpResponseBuilder {
    response.insert_header((CACHE_CONTROL, "no-store"));
    response
}
