//! Keys stay usable while the registry is down, and changes arrive.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::event::Sealed;
use domain::id::{SourceId, TenantId};
use domain::registry::{MappingText, Scope, Source, SourceKind, SourceSecret, Tenant, Trade};
use domain::timestamp::Timestamp;
use http_kit::keyring::{AuthError, Keyring, NewKey, issue_key};
use ports::clock::Clock;
use ports::registry::{Registered, Registry, RegistryError, RegistrySnapshot};

/// A registry whose content the test sets, and which can be down.
#[derive(Default)]
pub(crate) struct FakeRegistry {
    pub(crate) content: Mutex<RegistrySnapshot>,
    pub(crate) is_down: AtomicBool,
    pub(crate) asked: AtomicU32,
}

impl FakeRegistry {
    pub(crate) fn change(&self, change: impl FnOnce(&mut RegistrySnapshot)) {
        let mut content = self.content.lock().unwrap();
        content.version += 1;
        change(&mut content);
    }

    fn answer<T>(&self, of: impl FnOnce(&RegistrySnapshot) -> T) -> Result<T, RegistryError> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(RegistryError::Unavailable("down".into()));
        }
        Ok(of(&self.content.lock().unwrap()))
    }
}

#[async_trait]
impl Registry for FakeRegistry {
    async fn version(&self) -> Result<u64, RegistryError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.answer(|content| content.version)
    }
    async fn snapshot(&self) -> Result<RegistrySnapshot, RegistryError> {
        self.answer(Clone::clone)
    }
    async fn add_tenant(&self, _: &Tenant) -> Result<(), RegistryError> {
        unreachable!("the keyring only reads")
    }
    async fn set_trade(&self, _: &TenantId, _: Trade) -> Result<(), RegistryError> {
        unreachable!("the keyring only reads")
    }
    async fn add_source(&self, _: &Source) -> Result<(), RegistryError> {
        unreachable!("the keyring only reads")
    }
    async fn add_key(&self, _: &domain::registry::ApiKey) -> Result<(), RegistryError> {
        unreachable!("the keyring only reads")
    }
    async fn add_secret(&self, _: &SourceId, _: &SourceSecret) -> Result<(), RegistryError> {
        unreachable!("the keyring only reads")
    }
    async fn retire_secrets(&self, _: &SourceId) -> Result<(), RegistryError> {
        unreachable!("the keyring only reads")
    }
    async fn set_forward(&self, _: &SourceId, _: Option<&Sealed>) -> Result<(), RegistryError> {
        unreachable!("the keyring only reads")
    }
    async fn set_mapping(&self, _: &SourceId, _: &MappingText) -> Result<(), RegistryError> {
        unreachable!("the keyring only reads")
    }
    async fn revoke(&self, _: &Registered, _: Timestamp) -> Result<(), RegistryError> {
        unreachable!("the keyring only reads")
    }
}

/// A clock the test sets.
#[derive(Default)]
pub(crate) struct SetClock(Mutex<Duration>);

impl SetClock {
    fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::parse("2026-01-01T00:00:00Z").unwrap().plus(*self.0.lock().unwrap())
    }
}

fn tenant() -> TenantId {
    TenantId::parse("salon").unwrap()
}

fn source() -> SourceId {
    SourceId::parse("bot").unwrap()
}

pub(crate) fn new_key(scope: Scope) -> NewKey {
    issue_key(scope, Some(tenant()), (scope == Scope::Ingest).then(source), "test".into(), Timestamp::EPOCH)
        .unwrap()
}

pub(crate) fn registry_with(keys: &[&NewKey]) -> Arc<FakeRegistry> {
    let registry = FakeRegistry::default();
    registry.change(|content| {
        content.tenants.push(Tenant {
            id: tenant(),
            name: "Salon".into(),
            trade: Trade::Ordinary,
            created_at: Timestamp::EPOCH,
            revoked_at: None,
        });
        content.sources.push(Source {
            id: source(),
            tenant: tenant(),
            kind: SourceKind::Events,
            name: "Bot".into(),
            secrets: Vec::new(),
            mapping: None,
            rate_limit: None,
            forward_to: None,
            created_at: Timestamp::EPOCH,
            revoked_at: None,
        });
        content.keys.extend(keys.iter().map(|new| new.key.clone()));
    });
    Arc::new(registry)
}

fn keyring(registry: &Arc<FakeRegistry>) -> (Arc<Keyring>, Arc<SetClock>) {
    let clock = Arc::new(SetClock::default());
    (Keyring::new(registry.clone(), clock.clone()), clock)
}

#[tokio::test]
async fn a_right_key_names_its_tenant_and_source() {
    let key = new_key(Scope::Ingest);
    let (keyring, _) = keyring(&registry_with(&[&key]));
    let principal = keyring.authenticate(key.text.expose()).await.unwrap();
    assert_eq!(principal.tenant, Some(tenant()));
    assert_eq!(principal.source, Some(source()));
    assert_eq!(principal.scope, Scope::Ingest);
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_key_are_answered_alike() {
    let (key, stranger) = (new_key(Scope::Ingest), new_key(Scope::Ingest));
    let (keyring, _) = keyring(&registry_with(&[&key]));
    let mut wrong = key.text.expose().to_owned();
    let last = if wrong.pop() == Some('A') { 'B' } else { 'A' };
    wrong.push(last);
    assert_eq!(keyring.authenticate(&wrong).await, Err(AuthError::Unknown));
    assert_eq!(keyring.authenticate(stranger.text.expose()).await, Err(AuthError::Unknown));
}

#[tokio::test]
async fn a_key_ends_with_its_source_and_its_tenant() {
    let key = new_key(Scope::Ingest);
    for end in [
        (|content: &mut RegistrySnapshot| content.keys[0].revoked_at = Some(Timestamp::EPOCH))
            as fn(&mut RegistrySnapshot),
        |content| content.sources[0].revoked_at = Some(Timestamp::EPOCH),
        |content| content.tenants[0].revoked_at = Some(Timestamp::EPOCH),
    ] {
        let registry = registry_with(&[&key]);
        let (keyring, _) = keyring(&registry);
        assert!(keyring.authenticate(key.text.expose()).await.is_ok());
        registry.change(end);
        keyring.refresh().await;
        assert_eq!(keyring.authenticate(key.text.expose()).await, Err(AuthError::Revoked));
    }
}

#[tokio::test]
async fn keys_known_before_an_outage_stay_usable_and_nothing_is_said_of_others_before_the_first_reading() {
    let key = new_key(Scope::Ingest);
    let registry = registry_with(&[&key]);
    registry.is_down.store(true, Ordering::Relaxed);
    let (keyring, clock) = keyring(&registry);
    assert_eq!(keyring.authenticate(key.text.expose()).await, Err(AuthError::Unavailable));

    registry.is_down.store(false, Ordering::Relaxed);
    clock.advance(Duration::from_secs(1));
    assert!(keyring.authenticate(key.text.expose()).await.is_ok());

    registry.is_down.store(true, Ordering::Relaxed);
    keyring.refresh().await;
    assert!(keyring.authenticate(key.text.expose()).await.is_ok());
    assert!(keyring.source(&source()).is_some());
}

#[tokio::test]
async fn a_new_key_works_at_once_and_unknown_keys_ask_the_registry_once_a_second() {
    let registry = registry_with(&[]);
    let (keyring, clock) = keyring(&registry);
    keyring.refresh().await;
    let key = new_key(Scope::Ingest);
    registry.change(|content| content.keys.push(key.key.clone()));
    assert!(keyring.authenticate(key.text.expose()).await.is_ok());

    let stranger = new_key(Scope::Ingest);
    let before = registry.asked.load(Ordering::Relaxed);
    for _ in 0..10 {
        assert!(keyring.authenticate(stranger.text.expose()).await.is_err());
    }
    assert_eq!(registry.asked.load(Ordering::Relaxed), before);
    clock.advance(Duration::from_secs(1));
    assert!(keyring.authenticate(stranger.text.expose()).await.is_err());
    assert_eq!(registry.asked.load(Ordering::Relaxed), before + 1);
}
