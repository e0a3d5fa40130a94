//! `/v1/sources/{source}/mapping` and what lies under it: how the bodies of a source are read, and mending that when some
//! of them wait in quarantine for it.

use actix_web::{HttpRequest, HttpResponse, web};
use channels::Mapping;
use domain::audit::Who;
use domain::registry::Source;
use http_kit::endpoint::Endpoint;
use http_kit::problem::{Problem, ProblemKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::groups::{Progress, STEP};
use crate::parameters::Parameters;
use crate::registrar::mapping_of;
use crate::remap::{self, Preview};
use crate::sources::{find, read_mapping};
use crate::{Console, access, answer, failure, quarantine};

const fn endpoint(pattern: &'static str, methods: &'static [&'static str]) -> Endpoint {
    Endpoint { service: "console", pattern, methods }
}

pub(crate) const MAPPING: Endpoint = endpoint("/v1/sources/{source}/mapping", &["GET", "POST"]);
pub(crate) const PREVIEW: Endpoint = endpoint("/v1/sources/{source}/mapping/preview", &["POST"]);
pub(crate) const REPLAY: Endpoint = endpoint("/v1/sources/{source}/mapping/replay", &["POST"]);

/// A mapping to be tried or kept.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// As JSON, or the text of a file in JSON or YAML.
    mapping: Value,
}

#[derive(Serialize)]
struct MappingView {
    source: String,
    /// `null` for a source whose kind has none.
    mapping: Option<Value>,
}

/// What would become of what waits.
#[derive(Serialize)]
struct PreviewView {
    understood: u64,
    events: u64,
    not_understood: u64,
    faults: Vec<FaultView>,
}

#[derive(Serialize)]
struct FaultView {
    pointer: Option<String>,
    detail: String,
    times: u64,
}

pub(crate) async fn show(
    req: HttpRequest,
    console: web::Data<Console>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let parameters = Parameters::read(&req, &[])?;
    let tenant = access::reading(&req, &console, &parameters).await?;
    let source = find(&console, &tenant, &id).await?;
    answer::json(&req, &MappingView::of(&source))
}

/// Has what a source sends from now on read by this mapping. What waits keeps the one it came under until it is replayed.
pub(crate) async fn set(
    req: HttpRequest,
    console: web::Data<Console>,
    id: web::Path<String>,
    asked: web::Json<Asked>,
) -> Result<HttpResponse, Problem> {
    let (tenant, source) = changing(&req, &console, &id, &[]).await?;
    let mapping = read_mapping(&asked.mapping)?;
    let set = console.registry.set_mapping(&source.id, mapping.text()).await;
    set.map_err(|error| failure::of_registry(&error))?;
    // The next request may well be about it.
    console.keyring.refresh().await;
    tracing::info!(source.id = source.id.as_str(), "gave a source another mapping");
    let source = find(&console, &tenant, source.id.as_str()).await?;
    Ok(HttpResponse::Ok().json(MappingView::of(&source)))
}

/// What would become of all that waits of a source, if this mapping read it.
pub(crate) async fn preview(
    req: HttpRequest,
    console: web::Data<Console>,
    id: web::Path<String>,
    asked: web::Json<Asked>,
) -> Result<HttpResponse, Problem> {
    let (tenant, source) = changing(&req, &console, &id, &[]).await?;
    let mapping = read_mapping(&asked.mapping)?;
    let who = Who::Key(access::administrator(&req, &console).await?.key.to_string());
    let opening = remap::opening_all(&tenant, &source.id, who, console.clock.now());
    let (quarantine, audit) = (&*console.quarantine, &*console.audit);
    let preview = remap::preview(quarantine, audit, &console.vault, opening, &source.id, mapping).await;
    Ok(HttpResponse::Ok().json(PreviewView::from(preview.map_err(failure::of_ledger)?)))
}

/// Sends some of what waits through again, to be read by the mapping the source has now.
pub(crate) async fn replay(
    req: HttpRequest,
    console: web::Data<Console>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (tenant, source) = changing(&req, &console, &id, &["before"]).await?;
    let before = Parameters::read(&req, &["before"])?.instant("before")?;
    let before = before.unwrap_or_else(|| console.clock.now());
    let mapping = kept(&console, &source).await?;
    let of = (&tenant, &source.id);
    let step = remap::replay_step(console.replayer(), of, &mapping, before, STEP).await;
    let step = step.map_err(quarantine::not_replayed)?;
    tracing::info!(
        source.id = source.id.as_str(),
        sent = step.sent,
        "sent what waits of a source through again"
    );
    Ok(HttpResponse::Accepted().json(Progress::new(step, before)))
}

/// Demands an administrator, and a source of theirs that a mapping reads.
async fn changing(
    req: &HttpRequest,
    console: &Console,
    id: &str,
    known: &[&str],
) -> Result<(domain::id::TenantId, Source), Problem> {
    let parameters = Parameters::read(req, known)?;
    let tenant = access::changing(req, console, &parameters).await?;
    let source = find(console, &tenant, id).await?;
    if !source.kind.takes_mapping() {
        return Err(
            Problem::new(ProblemKind::Conflict).detail("a source of this kind is not read by a mapping")
        );
    }
    Ok((tenant, source))
}

/// The mapping of a source, from the registry itself: another console may have changed it a moment ago.
async fn kept(console: &Console, source: &Source) -> Result<Mapping, Problem> {
    let snapshot = console.registry.snapshot().await.map_err(|error| failure::of_registry(&error))?;
    let source = snapshot.sources.into_iter().find(|known| known.id == source.id);
    let source = source.ok_or_else(|| Problem::new(ProblemKind::NotFound))?;
    let mapping = mapping_of(&source).map_err(|cause| failure::internal(&cause))?;
    mapping.ok_or_else(|| Problem::new(ProblemKind::NotFound))
}

impl MappingView {
    fn of(source: &Source) -> Self {
        let text = source.mapping.as_ref().map(|text| text.as_str());
        // What is kept was written by us, as JSON.
        let mapping = text.and_then(|text| serde_json::from_str(text).ok());
        Self { source: source.id.to_string(), mapping }
    }
}

impl From<Preview> for PreviewView {
    fn from(preview: Preview) -> Self {
        let not_understood = preview.not_understood();
        let Preview { understood, events, faults } = preview;
        let mut faults: Vec<_> = faults
            .into_iter()
            .map(|(fault, times)| FaultView { pointer: fault.pointer, detail: fault.detail, times })
            .collect();
        faults.sort_by_key(|fault| std::cmp::Reverse(fault.times));
        Self { understood, events, not_understood, faults }
    }
}
