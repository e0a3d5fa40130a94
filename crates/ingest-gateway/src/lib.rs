//! The door: authenticates, checks, seals, publishes; answers 2xx only when it is durable.
//!
//! ```text
//! POST /v1/events          one event, an array, or NDJSON; API key or Standard Webhooks signature
//! POST /v1/hooks/{source}  what a messenger sends, as it sends it
//! POST /v1/traces          OTLP/HTTP traces of an assistant; also under /v1/hooks/{source}
//! a queue                  any of these, out of a customer's own broker
//! ```
//!
//! The way of a request: headers (`sender`, `media`) → rate (`limit`) → body within limits (`body`) → proof →
//! events, each checked on its own (`items`, `check`) → known answer? (`idempotency`) → sealed (`publish`) and
//! published together with what others bring (`press`) → answer. Nothing is published before everything before it passed, and nothing personal
//! leaves this crate unsealed. A delivery of a source with a bot behind it is then passed on, and the bot's answer passed
//! back (`forward`). What a messenger's delivery means is for the normalizer to say: here it only has to be
//! JSON from the right sender.

mod body;
mod bot;
mod check;
mod cloudevents;
mod config;
mod events;
mod forget;
mod forward;
mod hooks;
mod idempotency;
mod intake;
mod items;
mod kept;
mod limit;
mod media;
mod metrics;
mod press;
mod publish;
pub mod queue;
mod refusals;
mod sender;
mod traces;

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::web;
use channels::Mappings;
use domain::registry::Source;
use http_kit::endpoint::Endpoint;
use http_kit::keyring::Keyring;
use http_kit::problem::{Problem, ProblemKind};
use ports::bus::EventBus;
use ports::clock::Clock;
use ports::idempotency::IdempotencyStore;
use privacy::Vault;

pub use config::{Config, Forward};
pub use forget::forget_old_answers;
pub use metrics::GatewayMetrics;
pub use refusals::Refusals;

const SERVICE: &str = "ingest-gateway";

/// `POST /v1/events`.
pub const EVENTS: Endpoint = Endpoint { service: SERVICE, pattern: "/v1/events", methods: &["POST"] };

/// `POST /v1/hooks/{source}`.
pub const HOOKS: Endpoint =
    Endpoint { service: SERVICE, pattern: "/v1/hooks/{source}", methods: &["GET", "OPTIONS", "POST"] };

/// `POST /v1/traces`.
pub const TRACES: Endpoint = Endpoint { service: SERVICE, pattern: "/v1/traces", methods: &["POST"] };

/// `POST /v1/hooks/{source}/v1/traces`.
pub const HOOK_TRACES: Endpoint =
    Endpoint { service: SERVICE, pattern: "/v1/hooks/{source}/v1/traces", methods: &["POST"] };

/// Everything this service answers at.
pub const ENDPOINTS: [Endpoint; 4] = [EVENTS, HOOKS, TRACES, HOOK_TRACES];

/// What the door needs.
pub struct Gateway {
    /// Limits and habits.
    pub config: Config,
    /// Where accepted events go.
    pub bus: Arc<dyn EventBus>,
    /// Answers already given.
    pub idempotency: Arc<dyn IdempotencyStore>,
    /// Who may send.
    pub keyring: Arc<Keyring>,
    /// What bodies are sealed with.
    pub vault: Arc<Vault>,
    /// When events are received.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub metrics: GatewayMetrics,
    /// What is refused, by source; somebody has it told to a store.
    pub refusals: Arc<Refusals>,
}

impl Gateway {
    /// Takes note of what is not taken, and of whose it is where that is known.
    fn rejected(&self, source: Option<&Source>, problem: &Problem) {
        self.metrics.rejected(problem.kind());
        if let Some(source) = source {
            self.refusals.count(source, problem.kind(), self.clock.now());
        }
    }
}

/// The gateway, and what its workers share while it runs.
pub struct Door {
    gateway: Gateway,
    limits: limit::SourceLimits,
    press: press::Press,
    bots: bot::Bots,
    mappings: Mappings,
}

impl Door {
    /// One a process: whatever comes by requests and by queues shares its limits and its way to the bus.
    #[must_use]
    pub fn new(gateway: Gateway) -> Arc<Self> {
        let limits = limit::SourceLimits::new(gateway.config.rate_per_second, gateway.config.burst);
        let press = press::Press::new(&gateway.bus, gateway.config.partitions.get());
        let bots = bot::Bots::new(gateway.config.forward.clone());
        Arc::new(Self { gateway, limits, press, bots, mappings: Mappings::default() })
    }

    /// Lets a source in with its first event, or says when to come again.
    fn admit(&self, source: &Source) -> Result<(), Problem> {
        self.limits.admit(source).map_err(|wait| self.refuse_for(source, wait))
    }

    /// Takes the rest of a batch whose first event was admitted.
    fn admit_rest(&self, source: &Source, events: usize) -> Result<(), Problem> {
        self.limits.admit_rest(source, events).map_err(|wait| self.refuse_for(source, wait))
    }

    fn refuse_for(&self, source: &Source, wait: Duration) -> Problem {
        self.gateway.metrics.limited(&source.id);
        Problem::new(ProblemKind::RateLimited).retry_after(wait)
    }
}

/// The routes of the door, for every worker.
pub fn routes(door: Arc<Door>) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    let door = web::Data::from(door);
    move |cfg| {
        cfg.app_data(door.clone())
            .service(EVENTS.resource().route(web::post().to(events::post)))
            .service(
                HOOKS
                    .resource()
                    .route(web::post().to(hooks::post))
                    .route(web::get().to(hooks::get))
                    .route(web::method(Method::OPTIONS).to(hooks::options)),
            )
            .service(TRACES.resource().route(web::post().to(traces::post)))
            .service(HOOK_TRACES.resource().route(web::post().to(traces::post_to_source)));
    }
}
