//! A world for the console: stores that live in memory, two tenants, a key of every scope.
//!
//! Shared by the tests and the preview. What the stores promise is checked on the real ones by `contract-tests`; here
//! they only have to hold what a test put in.

use std::sync::Arc;
use std::time::Duration;

use console::Console;
use domain::event::{Digest, Event};
use domain::id::{ReceiptId, SourceId, TenantId};
use domain::observation::Observation;
use domain::quarantine::{QuarantineEntry, QuarantineState, Reason, ReasonClass, Stage};
use domain::registry::{Scope, Source, SourceKind, Tenant, Trade};
use domain::timestamp::Timestamp;
use event_schema::codec::encode_event;
use http_kit::keyring::{Keyring, issue_key};
use ports::clock::Clock;
use ports::ledger::StoredEvent;
use ports::registry::Registry;
use privacy::{MasterKeys, Receipt, Vault};

pub(crate) use store::{Held, Store, break_seal};

#[path = "store.rs"]
mod store;

pub(crate) fn tenant(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Stands still.
pub(crate) struct FixedClock(pub(crate) Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Keys as their owners have them.
pub(crate) struct Keys {
    pub(crate) read: String,
    pub(crate) admin: String,
    pub(crate) ingest: String,
    pub(crate) rival: String,
    pub(crate) operator: String,
}

pub(crate) struct World {
    pub(crate) store: Arc<Store>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keys: Keys,
}

impl World {
    /// Two salons, `salon` and `rival`, with nothing in them.
    pub(crate) async fn new(clock: Arc<dyn Clock>) -> Self {
        let store = Arc::new(Store::default());
        let keys = register(&mut store.held(), clock.now());
        let keyring = Keyring::new(Arc::clone(&store) as Arc<dyn Registry>, Arc::clone(&clock));
        keyring.refresh().await;
        let masters = MasterKeys::parse(&"A".repeat(43)).unwrap();
        Self { store, vault: Arc::new(Vault::new(masters)), keyring, clock, keys }
    }

    pub(crate) fn console(&self, open_tenant: Option<TenantId>) -> Arc<Console> {
        Arc::new(Console {
            ledger: Arc::clone(&self.store) as _,
            subjects: Arc::clone(&self.store) as _,
            quarantine: Arc::clone(&self.store) as _,
            audit: Arc::clone(&self.store) as _,
            sources: Arc::clone(&self.store) as _,
            registry: Arc::clone(&self.store) as _,
            analytics: Arc::clone(&self.store) as _,
            bus: Arc::clone(&self.store) as _,
            keyring: Arc::clone(&self.keyring),
            vault: Arc::clone(&self.vault),
            clock: Arc::clone(&self.clock),
            open_tenant,
            doors: "https://in.example.ru".to_owned(),
        })
    }

    /// An event comes in and is stored, as if it had gone the whole way.
    pub(crate) fn tell(&self, tenant: &TenantId, source: &str, observation: Observation) -> Event {
        let received_at = observation.occurred_at.plus(Duration::from_millis(350)).min(self.clock.now());
        let mut held = self.store.held();
        let receipt = Receipt {
            id: held.receipt(tenant),
            tenant: tenant.clone(),
            source: SourceId::parse(source).unwrap(),
            received_at,
            payload_digest: Digest::from_bytes([7; 32]),
        };
        let event = self.vault.tenant(tenant).protect(observation, &receipt);
        let stored_at = received_at.plus(Duration::from_millis(40));
        let stored = StoredEvent { stored_at, wire: encode_event(&event) };
        if held.events.iter().any(|(known, _)| known.id == event.id) {
            *held.duplicates.entry(tenant.clone()).or_default() += 1;
        } else {
            held.events.push((event.clone(), stored));
        }
        event
    }

    /// Something comes in and stops.
    pub(crate) fn quarantine(
        &self,
        tenant: &TenantId,
        received_at: Timestamp,
        stage: Stage,
        reason: Reason,
    ) -> ReceiptId {
        let mut held = self.store.held();
        let receipt = held.receipt(tenant);
        held.quarantine.push(QuarantineEntry {
            receipt,
            stage,
            tenant: tenant.clone(),
            source: SourceId::parse("telegram-bot").unwrap(),
            reason,
            received_at,
            quarantined_at: received_at.plus(Duration::from_secs(1)),
            message: b"sealed".to_vec(),
            state: QuarantineState::Open,
            replays: 0,
        });
        receipt
    }
}

pub(crate) fn reason(class: ReasonClass, pointer: Option<&str>, detail: &str) -> Reason {
    Reason { class, pointer: pointer.map(str::to_owned), detail: detail.to_owned() }
}

fn register(held: &mut Held, now: Timestamp) -> Keys {
    for (id, name) in [("salon", "Салон «Мята»"), ("rival", "Салон «Ваниль»")] {
        let (id, name) = (tenant(id), name.to_owned());
        let trade = Trade::Ordinary;
        held.registry.tenants.push(Tenant { id, name, trade, created_at: now, revoked_at: None });
    }
    let source = SourceId::parse("telegram-bot").unwrap();
    held.registry.sources.push(Source {
        id: source.clone(),
        tenant: tenant("salon"),
        kind: SourceKind::Telegram,
        name: "Бот".to_owned(),
        secrets: Vec::new(),
        mapping: None,
        rate_limit: None,
        forward_to: None,
        created_at: now,
        revoked_at: None,
    });
    let mut issue = |scope, of: Option<&str>, source| {
        let new = issue_key(scope, of.map(tenant), source, "test".to_owned(), now).unwrap();
        held.registry.keys.push(new.key);
        new.text.expose().to_owned()
    };
    let keys = Keys {
        read: issue(Scope::Read, Some("salon"), None),
        admin: issue(Scope::Admin, Some("salon"), None),
        ingest: issue(Scope::Ingest, Some("salon"), Some(source)),
        rival: issue(Scope::Admin, Some("rival"), None),
        operator: issue(Scope::Admin, None, None),
    };
    held.registry.version = 1;
    keys
}
