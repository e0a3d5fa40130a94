//! The console: the read API and the owner's page, over ledger and analytics.
//!
//! Sits between the ports and a browser or a program. Reads; what it changes is the quarantine, when somebody sends an
//! entry through again, the trade and the sources of a tenant and, by events over the bus, who is who. Knows no
//! adapter.
//!
//! Every answer is of one tenant, taken from the key and not from the address ([`access`]); what belongs to another is
//! answered as what does not exist. Texts are opened here and nowhere else, to be shown; contacts never are. Who is shown
//! texts is written down first ([`scribe`]).
//!
//! Nothing personal goes into an address: an id that somebody typed is looked up by `POST /v1/sessions/lookup`, and
//! what is stored, a pseudonym where need be, takes its place from then on.

pub mod audit;
pub mod person;
pub mod reconcile;
pub mod registrar;
pub mod remap;
pub mod replay;
pub mod reseal;
pub mod ruling;
pub mod subject_view;
pub mod workbench;

mod access;
mod answer;
mod appointments;
mod cursor;
mod event_view;
mod failure;
mod groups;
mod history;
mod leads;
mod login;
mod mappings;
mod overview;
mod page;
mod pages;
mod parameters;
mod quarantine;
mod reconcile_route;
mod rulings;
mod scribe;
mod sessions;
mod source_view;
mod sources;
mod subjects;
mod tenant;
mod timeline;
mod whoami;

use std::sync::Arc;

use actix_web::web;
use domain::id::TenantId;
use http_kit::endpoint::Endpoint;
use http_kit::keyring::Keyring;
use ports::analytics::AnalyticsStore;
use ports::audit::AuditLog;
use ports::bus::EventBus;
use ports::clock::Clock;
use ports::ledger::LedgerReader;
use ports::quarantine::QuarantineStore;
use ports::registry::Registry;
use ports::sources::SourceWatch;
use ports::subjects::SubjectReader;
use privacy::Vault;

use crate::scribe::Scribe;

/// What the console reads from.
pub struct Console {
    /// Sessions, events and books.
    pub ledger: Arc<dyn LedgerReader>,
    /// Who is who.
    pub subjects: Arc<dyn SubjectReader>,
    /// What waits to be looked at.
    pub quarantine: Arc<dyn QuarantineStore>,
    /// Who opened what was sealed.
    pub audit: Arc<dyn AuditLog>,
    /// How sources are doing.
    pub sources: Arc<dyn SourceWatch>,
    /// Where sources and their secrets are made.
    pub registry: Arc<dyn Registry>,
    /// The figures.
    pub analytics: Arc<dyn AnalyticsStore>,
    /// For the books, and for replays.
    pub bus: Arc<dyn EventBus>,
    /// Who may read.
    pub keyring: Arc<Keyring>,
    /// Opens what was said, and finds the pseudonyms of typed ids.
    pub vault: Arc<Vault>,
    /// The present, for periods that end now.
    pub clock: Arc<dyn Clock>,
    /// The tenant that visitors on this very machine read without a key: the demo's.
    pub open_tenant: Option<TenantId>,
    /// The address senders and messengers use; empty where it is the page's own.
    pub doors: String,
}

impl Console {
    pub(crate) fn replayer(&self) -> replay::Replayer<'_> {
        replay::Replayer { bus: &*self.bus, quarantine: &*self.quarantine, vault: &self.vault }
    }
}

/// Every path the console answers at.
pub const ENDPOINTS: [Endpoint; 36] = [
    page::INDEX,
    page::ASSET,
    login::LOGIN,
    login::LOGOUT,
    whoami::WHOAMI,
    tenant::SHOW,
    tenant::TRADE,
    overview::OVERVIEW,
    sessions::LIST,
    sessions::LOOKUP,
    sessions::SHOW,
    leads::EVENTS,
    subjects::LOOKUP,
    subjects::SHOW,
    subjects::EVENTS,
    subjects::CONSENTS,
    rulings::JOINS,
    rulings::SPLITS,
    quarantine::LIST,
    groups::LIST,
    groups::REPLAY,
    groups::DISMISS,
    groups::TAKE_BACK,
    groups::OPEN,
    audit::LIST,
    quarantine::SHOW,
    quarantine::REPLAY,
    reconcile_route::RECONCILE,
    sources::LIST,
    sources::SHOW,
    sources::ROTATE,
    sources::RETIRE,
    sources::KEYS,
    mappings::MAPPING,
    mappings::PREVIEW,
    mappings::REPLAY,
];

/// Mounts the console: the API under `/v1`, the page at `/`.
pub fn routes(console: Arc<Console>) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    let scribe = Arc::new(Scribe::new(&console));
    move |cfg| {
        cfg.app_data(web::Data::from(Arc::clone(&console)));
        cfg.app_data(web::Data::from(Arc::clone(&scribe)));
        http_kit::extract::configure(cfg);
        cfg.service(page::INDEX.resource().route(web::get().to(page::index)))
            .service(page::ASSET.resource().route(web::get().to(page::asset)))
            .service(login::LOGIN.resource().route(web::post().to(login::login)))
            .service(login::LOGOUT.resource().route(web::post().to(login::logout)))
            .service(whoami::WHOAMI.resource().route(web::get().to(whoami::whoami)))
            .service(tenant::SHOW.resource().route(web::get().to(tenant::show)))
            .service(tenant::TRADE.resource().route(web::post().to(tenant::set_trade)))
            .service(overview::OVERVIEW.resource().route(web::get().to(overview::overview)))
            .service(sessions::LIST.resource().route(web::get().to(sessions::list)))
            // Before the path with an id, or the word would be one.
            .service(sessions::LOOKUP.resource().route(web::post().to(sessions::lookup)))
            .service(sessions::SHOW.resource().route(web::get().to(sessions::show)))
            .service(leads::EVENTS.resource().route(web::get().to(leads::events)))
            // Before the path with an id, or the word would be one.
            .service(subjects::LOOKUP.resource().route(web::post().to(subjects::lookup)))
            .service(subjects::SHOW.resource().route(web::get().to(subjects::show)))
            .service(subjects::EVENTS.resource().route(web::get().to(subjects::events)))
            .service(subjects::CONSENTS.resource().route(web::get().to(subjects::consents)))
            .service(rulings::JOINS.resource().route(web::post().to(rulings::join)))
            .service(rulings::SPLITS.resource().route(web::post().to(rulings::split)))
            .service(quarantine::LIST.resource().route(web::get().to(quarantine::list)))
            // Before the path with a receipt, or the word would be one.
            .service(groups::LIST.resource().route(web::get().to(groups::list)))
            .service(groups::REPLAY.resource().route(web::post().to(groups::replay)))
            .service(groups::DISMISS.resource().route(web::post().to(groups::dismiss)))
            .service(groups::TAKE_BACK.resource().route(web::post().to(groups::take_back)))
            .service(groups::OPEN.resource().route(web::post().to(groups::open)))
            .service(audit::LIST.resource().route(web::get().to(audit::list)))
            .service(quarantine::SHOW.resource().route(web::get().to(quarantine::show)))
            .service(quarantine::REPLAY.resource().route(web::post().to(quarantine::replay)))
            .service(reconcile_route::RECONCILE.resource().route(web::get().to(reconcile_route::reconcile)))
            .service(
                sources::LIST
                    .resource()
                    .route(web::get().to(sources::list))
                    .route(web::post().to(sources::add)),
            )
            .service(sources::SHOW.resource().route(web::get().to(sources::show)))
            .service(sources::ROTATE.resource().route(web::post().to(sources::rotate)))
            .service(sources::RETIRE.resource().route(web::post().to(sources::retire)))
            .service(sources::KEYS.resource().route(web::post().to(sources::add_key)))
            .service(
                mappings::MAPPING
                    .resource()
                    .route(web::get().to(mappings::show))
                    .route(web::post().to(mappings::set)),
            )
            .service(mappings::PREVIEW.resource().route(web::post().to(mappings::preview)))
            .service(mappings::REPLAY.resource().route(web::post().to(mappings::replay)));
    }
}
