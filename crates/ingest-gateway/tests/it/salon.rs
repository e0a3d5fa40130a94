//! A salon with a bot, a Telegram account and keys, and its door.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::ServiceConfig;
use actix_web::{App, web};
use bytes::Bytes;
use domain::id::{SourceId, TenantId};
use domain::registry::{Scope, Source, SourceKind, SourceSecret, Tenant, Trade};
use domain::timestamp::Timestamp;
use event_schema::codec::{RawDelivery, pack};
use http_kit::endpoint;
use http_kit::keyring::{Keyring, issue_key};
use http_kit::telemetry::{RequestMetrics, Telemetry};
use ingest_gateway::{Config, Door, Gateway, GatewayMetrics, Refusals, routes};
use ports::bus::Message;
use privacy::{MasterKeys, Vault};
use prometheus::{Registry, TextEncoder};
use serde_json::{Value, json};

use crate::fakes::{FakeBus, FakeIdempotency, FakeRegistry, StoppedClock};

/// The secret of the bot, as its owner pastes it.
pub(crate) const BOT_SECRET: &str = "whsec_bGV0b3Bpcy1sZXRvcGlzLWxldG9waXM=";
/// What Telegram sends as its token.
pub(crate) const TELEGRAM_SECRET: &str = "telegram-secret-token";

/// Small enough that tests can exceed every limit.
pub(crate) fn small() -> Config {
    let bytes = |count| NonZeroUsize::new(count).unwrap();
    Config {
        max_body_bytes: bytes(64 * 1024),
        max_decompressed_bytes: bytes(128 * 1024),
        max_event_bytes: bytes(32 * 1024),
        max_batch_events: bytes(20),
        ..Config::default()
    }
}

pub(crate) type Routes = dyn Fn(&mut ServiceConfig) + Send + Sync;

pub(crate) struct Salon {
    pub(crate) bus: Arc<FakeBus>,
    pub(crate) idempotency: Arc<FakeIdempotency>,
    pub(crate) registry: Arc<FakeRegistry>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) vault: Arc<Vault>,
    /// A key of each scope, and one that was revoked.
    pub(crate) ingest: String,
    pub(crate) read: String,
    pub(crate) revoked: String,
    pub(crate) refusals: Arc<Refusals>,
    metrics: Registry,
    request_metrics: RequestMetrics,
    routes: Arc<Routes>,
    door: Arc<Door>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    /// How long the body was.
    pub(crate) bytes: usize,
}

impl Answer {
    /// The last part of a problem's type; empty when it is none.
    pub(crate) fn slug(&self) -> &str {
        self.body["type"].as_str().unwrap_or_default().trim_start_matches("/problems/")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body without the request id, which is another each time.
    pub(crate) fn stable(mut self) -> Value {
        if let Some(members) = self.body.as_object_mut() {
            members.remove("request_id");
        }
        self.body
    }
}

pub(crate) fn tenant() -> TenantId {
    TenantId::parse("salon").unwrap()
}

impl Salon {
    pub(crate) fn open() -> Self {
        Self::with(small())
    }

    pub(crate) fn limited(rate: u32, burst: u32) -> Self {
        let number = |value| NonZeroU32::new(value).unwrap();
        Self::with(Config { rate_per_second: number(rate), burst: number(burst), ..small() })
    }

    pub(crate) fn with(config: Config) -> Self {
        let vault = Arc::new(Vault::new(MasterKeys::generate().unwrap()));
        let registry = Arc::new(FakeRegistry::default());
        let [ingest, read, revoked] = furnish(&registry, &vault);
        let keyring = Keyring::new(registry.clone(), Arc::new(StoppedClock));
        let metrics = Registry::new();
        let request_metrics = RequestMetrics::register(&metrics).unwrap();
        let bus = Arc::new(FakeBus::default());
        let idempotency = Arc::new(FakeIdempotency::default());
        let gateway = Gateway {
            config,
            bus: bus.clone(),
            idempotency: idempotency.clone(),
            keyring: keyring.clone(),
            vault: vault.clone(),
            clock: Arc::new(StoppedClock),
            metrics: GatewayMetrics::register(&metrics).unwrap(),
            refusals: Arc::default(),
        };
        let refusals = gateway.refusals.clone();
        let door = Door::new(gateway);
        let routes = Arc::new(routes(door.clone()));
        Self {
            bus,
            idempotency,
            registry,
            keyring,
            vault,
            ingest,
            read,
            revoked,
            refusals,
            metrics,
            request_metrics,
            routes,
            door,
        }
    }

    /// What queues are taken through.
    pub(crate) fn door(&self) -> Arc<Door> {
        self.door.clone()
    }

    /// Has the deliveries of the Telegram source passed on.
    pub(crate) fn passes_on_to(&self, bot: &str) {
        self.registry.change(|content| {
            let source = &mut content.sources[1];
            source.forward_to = Some(self.vault.seal_secret(&source.id, bot.as_bytes()));
        });
    }

    /// What a server of this salon answers at.
    pub(crate) fn routes(&self) -> Arc<Routes> {
        self.routes.clone()
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: TestRequest) -> Answer {
        self.keyring.refresh().await;
        let app = App::new()
            .wrap(Telemetry::new(self.request_metrics.clone()))
            .configure(|cfg| (self.routes)(cfg))
            .default_service(web::to(endpoint::not_found));
        let app = init_service(app).await;
        let res = call_service(&app, request.to_request()).await;
        let (status, headers) = (res.status().as_u16(), res.headers().clone());
        let body = read_body(res).await;
        let bytes = body.len();
        Answer { status, headers, body: serde_json::from_slice(&body).unwrap_or(Value::Null), bytes }
    }

    /// A POST to `/v1/events` with the ingest key.
    pub(crate) fn request(&self) -> TestRequest {
        TestRequest::post()
            .uri("/v1/events")
            .insert_header(("authorization", format!("Bearer {}", self.ingest)))
    }

    pub(crate) async fn post_as(&self, content_type: &str, body: impl Into<web::Bytes>) -> Answer {
        self.send(self.request().insert_header(("content-type", content_type)).set_payload(body)).await
    }

    pub(crate) async fn post(&self, body: impl Into<web::Bytes>) -> Answer {
        self.post_as("application/json", body).await
    }

    /// Every message published so far.
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.bus.published.lock().unwrap().concat()
    }

    /// Everything published so far, opened.
    pub(crate) fn deliveries(&self) -> Vec<(RawDelivery, String)> {
        self.open_all(self.messages().into_iter())
    }

    fn open_all(&self, messages: impl Iterator<Item = Message>) -> Vec<(RawDelivery, String)> {
        let keys = self.vault.tenant(&tenant());
        let open = |delivery: Bytes| {
            let delivery = RawDelivery::decode(delivery).unwrap();
            let body = keys.open_body(delivery.receipt, &delivery.sealed_body).unwrap();
            (delivery, String::from_utf8_lossy(&body).into_owned())
        };
        let packed = messages.map(|message| pack::parts(&message.payload).unwrap());
        packed.flatten().map(open).collect()
    }

    pub(crate) fn metrics(&self) -> String {
        TextEncoder::new().encode_to_string(&self.metrics.gather()).unwrap()
    }
}

fn furnish(registry: &FakeRegistry, vault: &Vault) -> [String; 3] {
    let source = |id: &str, kind, secret: &str| {
        let id = SourceId::parse(id).unwrap();
        let sealed = vault.seal_secret(&id, secret.as_bytes());
        Source {
            id,
            tenant: tenant(),
            kind,
            name: String::new(),
            secrets: vec![SourceSecret { sealed, created_at: Timestamp::EPOCH }],
            mapping: None,
            rate_limit: None,
            forward_to: None,
            created_at: Timestamp::EPOCH,
            revoked_at: None,
        }
    };
    let key = |scope| {
        let bot = SourceId::parse("bot").unwrap();
        issue_key(
            scope,
            Some(tenant()),
            (scope == Scope::Ingest).then_some(bot),
            String::new(),
            Timestamp::EPOCH,
        )
        .unwrap()
    };
    let keys = [key(Scope::Ingest), key(Scope::Read), key(Scope::Ingest)];
    registry.change(|content| {
        content.tenants.push(Tenant {
            id: tenant(),
            name: "Salon".into(),
            trade: Trade::Ordinary,
            created_at: Timestamp::EPOCH,
            revoked_at: None,
        });
        content.sources.push(source("bot", SourceKind::Events, BOT_SECRET));
        content.sources.push(source("tg", SourceKind::Telegram, TELEGRAM_SECRET));
        content.keys.extend(keys.iter().map(|new| new.key.clone()));
        content.keys[2].revoked_at = Some(Timestamp::EPOCH);
    });
    keys.map(|new| new.text.expose().to_owned())
}

/// An event with nothing but what every event has.
pub(crate) fn event(session: &str) -> Value {
    json!({"timestamp": "2026-01-01T14:59:00+03:00", "channel": "site", "session_id": session, "action": "message"})
}
