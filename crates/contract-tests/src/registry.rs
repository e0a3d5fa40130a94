//! The contract of [`ports::registry::Registry`].

use std::num::NonZeroU32;

use domain::event::Sealed;
use domain::id::{KeyId, SourceId};
use domain::registry::{ApiKey, MappingText, Scope, Source, SourceKind, SourceSecret, Tenant, Trade};
use futures_util::future::join_all;
use ports::registry::{Registered, Registry, RegistryError};

use crate::World;
use crate::fixtures::{at, tenant};

/// The port.
pub type Port = dyn Registry;

/// One named test per clause. `open` is the path of an `async fn() -> impl World<dyn Registry>`.
#[macro_export]
macro_rules! registry_contract {
    ($open:path) => {
        $crate::named_tests!(store, $open, $crate::registry::Port, $crate::registry:
            an_empty_registry_has_an_empty_snapshot
            what_was_added_is_in_the_snapshot
            the_version_grows_with_every_change
            a_taken_id_is_refused
            of_many_that_add_one_id_at_once_one_succeeds
            an_id_is_not_free_again_after_revoking
            a_source_needs_its_tenant
            a_key_needs_its_tenant_and_source_to_belong_together
            an_operators_key_needs_neither
            a_new_secret_is_live_beside_the_last_one_and_no_other
            retiring_leaves_the_last_secret
            a_tenant_is_given_another_trade
            where_deliveries_are_passed_on_to_is_kept_changed_and_taken_away
            another_mapping_takes_the_place_of_the_last
            revoking_a_tenant_ends_its_sources_and_keys
            revoking_a_source_ends_its_keys
            revoking_a_key_ends_nothing_else
            revoking_twice_keeps_the_first_instant
            revoking_what_is_not_there_is_refused);
        $crate::named_tests!(world, $open, $crate::registry::Port, $crate::registry:
            the_registry_survives_reopening
            a_change_is_seen_by_another_process);
    };
}

pub async fn an_empty_registry_has_an_empty_snapshot(registry: &Port) {
    let snapshot = registry.snapshot().await.unwrap();
    assert_eq!((snapshot.tenants.len(), snapshot.sources.len(), snapshot.keys.len()), (0, 0, 0));
    assert_eq!(snapshot.version, registry.version().await.unwrap());
}

pub async fn what_was_added_is_in_the_snapshot(registry: &Port) {
    let salon = Tenant { trade: Trade::Clinic, ..salon() };
    let secret =
        |second| SourceSecret { sealed: Sealed::from_bytes(vec![0, 255, 7]), created_at: at(second) };
    let plain = source("bot", "salon");
    let hook = Source {
        kind: SourceKind::Telegram,
        secrets: vec![secret(5), secret(3)],
        mapping: Some(MappingText::from_text("{\"имя\":1}")),
        rate_limit: NonZeroU32::new(50),
        forward_to: Some(Sealed::from_bytes(vec![9, 0, 9])),
        ..source("hook", "salon")
    };
    let ingest = key("k1", Some("salon"), Some("bot"));
    let read = ApiKey { scope: Scope::Read, created_at: at(9), ..key("k2", Some("salon"), None) };
    registry.add_tenant(&salon).await.unwrap();
    registry.add_source(&plain).await.unwrap();
    registry.add_source(&hook).await.unwrap();
    registry.add_key(&ingest).await.unwrap();
    registry.add_key(&read).await.unwrap();
    let mut snapshot = registry.snapshot().await.unwrap();
    snapshot.sources.sort_by(|a, b| a.id.cmp(&b.id));
    snapshot.keys.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(snapshot.tenants, [salon]);
    assert_eq!(snapshot.sources, [plain, hook]);
    assert_eq!(snapshot.keys, [ingest, read]);
    assert_eq!(snapshot.version, registry.version().await.unwrap());
}

pub async fn the_version_grows_with_every_change(registry: &Port) {
    let mut versions = vec![registry.version().await.unwrap()];
    registry.add_tenant(&salon()).await.unwrap();
    versions.push(registry.version().await.unwrap());
    registry.add_source(&source("bot", "salon")).await.unwrap();
    versions.push(registry.version().await.unwrap());
    registry.add_key(&key("k1", Some("salon"), Some("bot"))).await.unwrap();
    versions.push(registry.version().await.unwrap());
    for what in [registered_key("k1"), registered_source("bot"), Registered::Tenant(tenant("salon"))] {
        registry.revoke(&what, at(5)).await.unwrap();
        versions.push(registry.version().await.unwrap());
    }
    assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
    assert_eq!(registry.snapshot().await.unwrap().version, *versions.last().unwrap());
}

pub async fn a_taken_id_is_refused(registry: &Port) {
    two_salons(registry).await;
    let renamed = Tenant { name: "Another".to_owned(), ..salon() };
    assert!(matches!(registry.add_tenant(&renamed).await, Err(RegistryError::Exists)));
    // Sources and keys are unique over all tenants.
    assert!(matches!(registry.add_source(&source("bot", "clinic")).await, Err(RegistryError::Exists)));
    assert!(matches!(registry.add_key(&key("k1", Some("clinic"), None)).await, Err(RegistryError::Exists)));
    let snapshot = registry.snapshot().await.unwrap();
    assert!(snapshot.tenants.contains(&salon()));
    assert!(snapshot.sources.contains(&source("bot", "salon")));
    assert_eq!(snapshot.keys, [key("k1", Some("salon"), Some("bot"))]);
}

pub async fn of_many_that_add_one_id_at_once_one_succeeds(registry: &Port) {
    let salon = salon();
    let added = join_all((0..6).map(|_| registry.add_tenant(&salon))).await;
    assert_eq!(added.iter().filter(|added| added.is_ok()).count(), 1, "{added:?}");
}

pub async fn a_tenant_is_given_another_trade(registry: &Port) {
    two_salons(registry).await;
    let trade = async |id: &str| {
        let tenants = registry.snapshot().await.unwrap().tenants;
        tenants.into_iter().find(|known| known.id == tenant(id)).unwrap().trade
    };
    assert_eq!(trade("clinic").await, Trade::Ordinary);
    let before = registry.version().await.unwrap();
    registry.set_trade(&tenant("clinic"), Trade::Clinic).await.unwrap();
    assert_eq!((trade("clinic").await, trade("salon").await), (Trade::Clinic, Trade::Ordinary));
    let after = registry.version().await.unwrap();
    assert!(after > before, "a cache learns of it");
    registry.set_trade(&tenant("clinic"), Trade::Clinic).await.unwrap();
    assert_eq!(registry.version().await.unwrap(), after, "and of nothing where it was so before");
    let nobody = registry.set_trade(&tenant("nobody"), Trade::Clinic).await;
    assert!(matches!(nobody, Err(RegistryError::NotFound)));
}

pub async fn an_id_is_not_free_again_after_revoking(registry: &Port) {
    two_salons(registry).await;
    for what in [registered_key("k1"), registered_source("bot"), Registered::Tenant(tenant("salon"))] {
        registry.revoke(&what, at(5)).await.unwrap();
    }
    assert!(matches!(registry.add_tenant(&salon()).await, Err(RegistryError::Exists)));
    assert!(matches!(registry.add_source(&source("bot", "clinic")).await, Err(RegistryError::Exists)));
    assert!(matches!(registry.add_key(&key("k1", None, None)).await, Err(RegistryError::Exists)));
}

pub async fn a_new_secret_is_live_beside_the_last_one_and_no_other(registry: &Port) {
    two_salons(registry).await;
    for number in 1..=3 {
        let before = registry.version().await.unwrap();
        registry.add_secret(&bot(), &secret(number)).await.unwrap();
        assert!(registry.version().await.unwrap() > before);
    }
    assert_eq!(live(registry).await, [secret(2), secret(3)]);
    let nobody = SourceId::parse("nobody").unwrap();
    assert!(matches!(registry.add_secret(&nobody, &secret(1)).await, Err(RegistryError::NotFound)));
}

pub async fn retiring_leaves_the_last_secret(registry: &Port) {
    two_salons(registry).await;
    registry.retire_secrets(&bot()).await.unwrap();
    assert_eq!(live(registry).await, [], "there was none");
    for number in 1..=2 {
        registry.add_secret(&bot(), &secret(number)).await.unwrap();
    }
    for _again in 0..2 {
        registry.retire_secrets(&bot()).await.unwrap();
        assert_eq!(live(registry).await, [secret(2)]);
    }
    let nobody = SourceId::parse("nobody").unwrap();
    assert!(matches!(registry.retire_secrets(&nobody).await, Err(RegistryError::NotFound)));
}

pub async fn where_deliveries_are_passed_on_to_is_kept_changed_and_taken_away(registry: &Port) {
    two_salons(registry).await;
    let address = |byte| Some(Sealed::from_bytes(vec![byte, 0, 255]));
    for to in [address(1), address(2), None, None, address(3)] {
        let before = registry.version().await.unwrap();
        registry.set_forward(&bot(), to.as_ref()).await.unwrap();
        assert!(registry.version().await.unwrap() > before);
        let sources = registry.snapshot().await.unwrap().sources;
        assert_eq!(sources.into_iter().find(|source| source.id == bot()).unwrap().forward_to, to);
    }
    let nobody = SourceId::parse("nobody").unwrap();
    assert!(matches!(registry.set_forward(&nobody, None).await, Err(RegistryError::NotFound)));
}

pub async fn another_mapping_takes_the_place_of_the_last(registry: &Port) {
    two_salons(registry).await;
    for text in ["{\"version\":1}", "{\"version\":1,\"events\":[]}"] {
        let (before, mapping) = (registry.version().await.unwrap(), MappingText::from_text(text));
        registry.set_mapping(&bot(), &mapping).await.unwrap();
        assert!(registry.version().await.unwrap() > before);
        let sources = registry.snapshot().await.unwrap().sources;
        let of = |id: &SourceId| sources.iter().find(|source| source.id == *id).unwrap().mapping.clone();
        assert_eq!(of(&bot()), Some(mapping));
    }
    let nobody = SourceId::parse("nobody").unwrap();
    let set = registry.set_mapping(&nobody, &MappingText::from_text("{}")).await;
    assert!(matches!(set, Err(RegistryError::NotFound)));
}

fn bot() -> SourceId {
    SourceId::parse("bot").unwrap()
}

fn secret(number: u8) -> SourceSecret {
    SourceSecret { sealed: Sealed::from_bytes(vec![number]), created_at: at(u64::from(number)) }
}

/// The live secrets of the bot.
async fn live(registry: &Port) -> Vec<SourceSecret> {
    let sources = registry.snapshot().await.unwrap().sources;
    sources.into_iter().find(|source| source.id == bot()).unwrap().secrets
}

pub async fn a_source_needs_its_tenant(registry: &Port) {
    let orphan = registry.add_source(&source("bot", "salon")).await;
    assert!(matches!(orphan, Err(RegistryError::NotFound)), "{orphan:?}");
    assert_eq!(registry.snapshot().await.unwrap().sources, []);
}

pub async fn a_key_needs_its_tenant_and_source_to_belong_together(registry: &Port) {
    two_salons(registry).await;
    for (tenant, source) in [
        (Some("nobody"), None),
        (Some("salon"), Some("nowhere")),
        (Some("clinic"), Some("bot")),
        (None, Some("bot")),
    ] {
        let refused = registry.add_key(&key("k9", tenant, source)).await;
        assert!(matches!(refused, Err(RegistryError::NotFound)), "{tenant:?} {source:?} {refused:?}");
    }
    registry.add_key(&key("k9", Some("salon"), Some("bot"))).await.unwrap();
}

pub async fn an_operators_key_needs_neither(registry: &Port) {
    let operator = ApiKey { scope: Scope::Admin, ..key("op", None, None) };
    registry.add_key(&operator).await.unwrap();
    assert_eq!(registry.snapshot().await.unwrap().keys, [operator]);
}

pub async fn revoking_a_tenant_ends_its_sources_and_keys(registry: &Port) {
    two_salons(registry).await;
    registry.add_key(&ApiKey { scope: Scope::Read, ..key("k3", Some("salon"), None) }).await.unwrap();
    registry.add_key(&key("k2", Some("clinic"), None)).await.unwrap();
    registry.revoke(&Registered::Tenant(tenant("salon")), at(5)).await.unwrap();
    assert_eq!(revoked(registry).await, ["bot", "k1", "k3", "salon"]);
}

pub async fn revoking_a_source_ends_its_keys(registry: &Port) {
    two_salons(registry).await;
    registry.add_key(&ApiKey { scope: Scope::Read, ..key("k3", Some("salon"), None) }).await.unwrap();
    registry.revoke(&registered_source("bot"), at(5)).await.unwrap();
    assert_eq!(revoked(registry).await, ["bot", "k1"]);
}

pub async fn revoking_a_key_ends_nothing_else(registry: &Port) {
    two_salons(registry).await;
    registry.add_key(&key("k3", Some("salon"), Some("bot"))).await.unwrap();
    registry.revoke(&registered_key("k1"), at(5)).await.unwrap();
    assert_eq!(revoked(registry).await, ["k1"]);
}

pub async fn revoking_twice_keeps_the_first_instant(registry: &Port) {
    two_salons(registry).await;
    registry.revoke(&registered_key("k1"), at(5)).await.unwrap();
    registry.revoke(&registered_key("k1"), at(6)).await.unwrap();
    registry.revoke(&registered_source("bot"), at(7)).await.unwrap();
    registry.revoke(&Registered::Tenant(tenant("salon")), at(8)).await.unwrap();
    let snapshot = registry.snapshot().await.unwrap();
    assert_eq!(snapshot.keys[0].revoked_at, Some(at(5)));
    assert_eq!(snapshot.sources[0].revoked_at, Some(at(7)));
    let salon = snapshot.tenants.iter().find(|known| known.id == tenant("salon")).unwrap();
    assert_eq!(salon.revoked_at, Some(at(8)));
}

pub async fn revoking_what_is_not_there_is_refused(registry: &Port) {
    for what in [registered_key("k1"), registered_source("bot"), Registered::Tenant(tenant("salon"))] {
        let refused = registry.revoke(&what, at(5)).await;
        assert!(matches!(refused, Err(RegistryError::NotFound)), "{what:?} {refused:?}");
    }
}

pub async fn the_registry_survives_reopening(world: &dyn World<Port>) {
    let registry = world.open().await;
    two_salons(&*registry).await;
    registry.revoke(&registered_key("k1"), at(5)).await.unwrap();
    let before = registry.snapshot().await.unwrap();
    drop(registry);
    assert_eq!(world.open().await.snapshot().await.unwrap(), before);
}

pub async fn a_change_is_seen_by_another_process(world: &dyn World<Port>) {
    let (server, command_line) = (world.open().await, world.open().await);
    let before = server.version().await.unwrap();
    command_line.add_tenant(&salon()).await.unwrap();
    assert!(server.version().await.unwrap() > before);
    assert_eq!(server.snapshot().await.unwrap().tenants, [salon()]);
}

/// `salon` with the source `bot` and its key `k1`, and an empty `clinic`.
async fn two_salons(registry: &Port) {
    registry.add_tenant(&salon()).await.unwrap();
    registry.add_tenant(&Tenant { id: tenant("clinic"), ..salon() }).await.unwrap();
    registry.add_source(&source("bot", "salon")).await.unwrap();
    registry.add_key(&key("k1", Some("salon"), Some("bot"))).await.unwrap();
}

/// Ids of all that is revoked.
async fn revoked(registry: &Port) -> Vec<String> {
    let snapshot = registry.snapshot().await.unwrap();
    let tenants = snapshot.tenants.into_iter().map(|tenant| (tenant.id.to_string(), tenant.revoked_at));
    let sources = snapshot.sources.into_iter().map(|source| (source.id.to_string(), source.revoked_at));
    let keys = snapshot.keys.into_iter().map(|key| (key.id.to_string(), key.revoked_at));
    let all = tenants.chain(sources).chain(keys);
    let mut ids: Vec<_> = all.filter(|(_, revoked_at)| revoked_at.is_some()).map(|(id, _)| id).collect();
    ids.sort();
    ids
}

fn salon() -> Tenant {
    Tenant {
        id: tenant("salon"),
        name: "Салон «Ива»".to_owned(),
        trade: Trade::Ordinary,
        created_at: at(0),
        revoked_at: None,
    }
}

fn source(id: &str, of: &str) -> Source {
    Source {
        id: SourceId::parse(id).unwrap(),
        tenant: tenant(of),
        kind: SourceKind::Events,
        name: "Bot".to_owned(),
        secrets: Vec::new(),
        mapping: None,
        rate_limit: None,
        forward_to: None,
        created_at: at(1),
        revoked_at: None,
    }
}

fn key(id: &str, of: Option<&str>, source: Option<&str>) -> ApiKey {
    ApiKey {
        id: KeyId::parse(id).unwrap(),
        tenant: of.map(tenant),
        source: source.map(|id| SourceId::parse(id).unwrap()),
        scope: Scope::Ingest,
        label: "for the bot".to_owned(),
        secret_sha256: [7; 32],
        created_at: at(2),
        revoked_at: None,
    }
}

fn registered_key(id: &str) -> Registered {
    Registered::Key(KeyId::parse(id).unwrap())
}

fn registered_source(id: &str) -> Registered {
    Registered::Source(SourceId::parse(id).unwrap())
}
