//! Everything between the bus and the read API, and the bodies that go through it.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use actix_web::App;
use actix_web::test::{TestRequest, call_and_read_body_json, init_service};
use bus_consumer::{Handler, Verdict};
use console::Console;
use domain::id::{ReceiptId, SourceId, TenantId};
use domain::registry::{Scope, SourceKind, Tenant, Trade};
use domain::timestamp::Timestamp;
use event_schema::codec::RawDelivery;
use http_kit::key::issue_key;
use http_kit::keyring::Keyring;
use normalizer::{Normalize, NormalizerMetrics};
use ports::bus::{Delivery, DeliveryTag, Message, Partition, Topic};
use ports::clock::{Clock, SystemClock};
use ports::registry::Registry as _;
use privacy::Vault;
use prometheus::Registry;
use serde_json::{Value, json};
use storage_writer::analytics::WriteAnalytics;
use storage_writer::ledger::{WriteLedger, WriteQuarantine};
use storage_writer::metrics::WriterMetrics;
use store_sqlite::analytics::SqliteAnalytics;
use store_sqlite::bus::{BusOptions, SqliteBus};
use store_sqlite::ledger::SqliteLedger;
use tempfile::TempDir;

/// What is asked of the read API; every session and what is in it is asked for besides.
///
/// A capability that keeps something of events adds its list here: whatever it keeps must not depend on their order.
const QUESTIONS: [(&str, &str); 3] = [
    ("/v1/sessions?limit=200", "/sessions"),
    ("/v1/overview?from=2010-01-01T00:00:00Z&until=2030-01-01T00:00:00Z", ""),
    ("/v1/quarantine?limit=200", "/entries"),
];

/// What is asked of each client of [`TYPED`], who is found by what somebody types.
const OF_CLIENTS: [&str; 3] = ["", "/events?limit=200", "/consents"];
const TYPED: [&str; 2] = ["+7 999 000-00-01", "5551112233"];

/// What of an answer depends on which receipt came first, and when it was stored.
const ARRIVAL: [&str; 4] = ["stored_at", "received_at", "receipt", "request_id"];

/// A body as its messenger sends it.
#[derive(Clone)]
pub(crate) struct Posted {
    pub(crate) kind: SourceKind,
    pub(crate) name: String,
    pub(crate) body: Vec<u8>,
    /// When it came.
    pub(crate) at: Timestamp,
}

/// The bodies kept for every kind, in one order, a second apart.
pub(crate) fn bodies() -> Vec<Posted> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../channels/tests/fixtures");
    let mut found = Vec::new();
    for kind in SourceKind::ALL {
        // Our own event has none there.
        let Ok(files) = fs::read_dir(folder.join(kind.as_str())) else { continue };
        for path in files.map(|file| file.unwrap().path()) {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            found.push(Posted { kind, name, body: fs::read(path).unwrap(), at: Timestamp::EPOCH });
        }
    }
    found.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    for (posted, second) in found.iter_mut().zip(0..) {
        posted.at = Timestamp::from_unix_seconds(1_800_000_000 + second).unwrap();
    }
    found
}

/// The stores, empty, and the handlers before them. The vault is given: the same key makes the same pseudonyms.
pub(crate) struct World {
    vault: Arc<Vault>,
    normalize: Normalize,
    ledger: WriteLedger,
    quarantine: WriteQuarantine,
    analytics: WriteAnalytics,
    console: Arc<Console>,
    key: String,
    _folder: TempDir,
}

fn tenant() -> TenantId {
    TenantId::parse("salon").unwrap()
}

impl World {
    pub(crate) async fn with(vault: Arc<Vault>) -> Self {
        let folder = TempDir::new().unwrap();
        let ledger = Arc::new(SqliteLedger::open(&folder.path().join("ledger.db")).unwrap());
        let analytics = Arc::new(SqliteAnalytics::open(&folder.path().join("analytics.db")).unwrap());
        let bus = SqliteBus::open(&folder.path().join("bus.db"), BusOptions { max_messages: 10 }).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let salon = Tenant {
            id: tenant(),
            name: "Salon".to_owned(),
            trade: Trade::Ordinary,
            created_at: Timestamp::EPOCH,
            revoked_at: None,
        };
        ledger.add_tenant(&salon).await.unwrap();
        let key = issue_key(Scope::Read, Some(tenant()), None, String::new(), Timestamp::EPOCH).unwrap();
        ledger.add_key(&key.key).await.unwrap();
        let keyring = Keyring::new(ledger.clone(), clock.clone());
        keyring.refresh().await;
        let metrics = Registry::new();
        let console = Console {
            ledger: ledger.clone(),
            subjects: ledger.clone(),
            quarantine: ledger.clone(),
            registry: ledger.clone(),
            sources: ledger.clone(),
            audit: ledger.clone(),
            doors: String::new(),
            analytics: analytics.clone(),
            bus: Arc::new(bus),
            keyring,
            vault: vault.clone(),
            clock: clock.clone(),
            open_tenant: None,
        };
        Self {
            normalize: Normalize::new(vault.clone(), NormalizerMetrics::register(&metrics).unwrap()),
            ledger: WriteLedger {
                ledger: ledger.clone(),
                clock: clock.clone(),
                metrics: WriterMetrics::register(&metrics).unwrap(),
            },
            quarantine: WriteQuarantine { ledger, clock },
            analytics: WriteAnalytics { analytics },
            console: Arc::new(console),
            key: key.text.expose().to_owned(),
            vault,
            _folder: folder,
        }
    }

    /// Takes some bodies at once, each as a receipt of its own, to where they end.
    pub(crate) async fn take(&self, posted: &[Posted]) {
        let raw: Vec<Delivery> = posted.iter().map(|posted| delivery(self.seal(posted))).collect();
        let mut events = Vec::new();
        let mut quarantined = Vec::new();
        for verdict in self.normalize.handle(&raw).await {
            for (topic, message) in done(verdict) {
                match topic {
                    Topic::Events => events.push(delivery(message)),
                    Topic::Quarantine => quarantined.push(delivery(message)),
                    other => panic!("{other:?}"),
                }
            }
        }
        self.analytics.handle(&events).await.into_iter().for_each(|verdict| drop(done(verdict)));
        self.ledger.handle(&events).await.into_iter().for_each(|verdict| drop(done(verdict)));
        self.quarantine.handle(&quarantined).await.into_iter().for_each(|verdict| drop(done(verdict)));
    }

    fn seal(&self, posted: &Posted) -> Message {
        let (keys, receipt) = (self.vault.tenant(&tenant()), ReceiptId::generate());
        let raw = RawDelivery {
            receipt,
            tenant: tenant(),
            source: SourceId::parse(posted.kind.as_str()).unwrap(),
            kind: posted.kind,
            received_at: posted.at,
            payload_digest: keys.payload_digest(&posted.body),
            sealed_body: keys.seal_body(receipt, &posted.body),
            mapping: None,
            refusal: None,
        };
        Message::new(tenant(), Partition::from_index(0), raw.encode())
    }

    /// Everything the read API answers, but for what depends on arrival.
    pub(crate) async fn state(&self) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        for (path, list) in QUESTIONS {
            let mut answer = self.ask(path).await;
            forget_arrival(&mut answer);
            if let Some(items) = answer.pointer_mut(list).and_then(Value::as_array_mut) {
                items.sort_by_key(Value::to_string);
            }
            found.push((path.to_owned(), answer));
        }
        let sessions = found[0].1["sessions"].as_array().unwrap().clone();
        for session in sessions {
            let path = format!("/v1/sessions/{}?limit=200", session["id"].as_str().unwrap());
            let mut answer = self.ask(&path).await;
            forget_arrival(&mut answer);
            found.push((path, answer));
        }
        for typed in TYPED {
            let lookup = TestRequest::post().uri("/v1/subjects/lookup").set_json(json!({"typed": typed}));
            let client = self.answer(lookup).await;
            // Nobody, when none of the bodies is about them.
            let Some(id) = client["id"].as_str() else { continue };
            for question in OF_CLIENTS {
                let path = format!("/v1/subjects/{id}{question}");
                let mut answer = self.ask(&path).await;
                forget_arrival(&mut answer);
                found.push((path, answer));
            }
        }
        found
    }

    async fn answer(&self, request: TestRequest) -> Value {
        let app = init_service(App::new().configure(console::routes(self.console.clone()))).await;
        let request = request.insert_header(("authorization", format!("Bearer {}", self.key)));
        call_and_read_body_json(&app, request.to_request()).await
    }

    async fn ask(&self, path: &str) -> Value {
        let answer = self.answer(TestRequest::get().uri(path)).await;
        assert!(answer.get("status").is_none_or(|status| !status.is_number()), "{path}: {answer}");
        answer
    }
}

fn delivery(message: Message) -> Delivery {
    Delivery { tag: DeliveryTag(String::new()), attempt: 1, published_at: Timestamp::EPOCH, message }
}

fn done(verdict: Verdict) -> Vec<(Topic, Message)> {
    match verdict {
        Verdict::Done(outputs) => outputs,
        other => panic!("{other:?}"),
    }
}

fn forget_arrival(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|key, _| !ARRIVAL.contains(&key.as_str()));
            members.values_mut().for_each(forget_arrival);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_arrival),
        _ => {}
    }
}

/// What differs between two states, in few words.
pub(crate) fn difference(one: &[(String, Value)], other: &[(String, Value)]) -> Value {
    let aside = one.iter().zip(other).find(|(one, other)| one != other);
    json!(aside.map(|(one, other)| json!({"one": one, "other": other})))
}
