//! A mapping is mended: what would become of all that waits is seen before it is saved.

use std::sync::Arc;

use channels::Mapping;
use domain::event::Digest;
use domain::id::SourceId;
use domain::quarantine::{QuarantineState, ReasonClass, Stage};
use domain::registry::{Source, SourceKind};
use event_schema::codec::RawDelivery;
use ports::bus::Topic;
use privacy::{Generation, MasterKeys, Vault};
use serde_json::{Value, json};

use crate::ask::{get, get_as, post, world};
use crate::openapi::check;
use crate::world::{World, at, reason, tenant};

const PATH: &str = "/v1/sources/crm/mapping";
const PREVIEW: &str = "/v1/sources/crm/mapping/preview";

fn mapping(session: &str) -> Value {
    json!({"version": 1, "events": [{"set": {"channel": "site", "session_id": session, "action": "message"}}]})
}

/// A source of kind mapping, in whose name these bodies wait.
async fn crm(bodies: &[&str]) -> World {
    let world = world().await;
    let (salon, id) = (tenant("salon"), SourceId::parse("crm").unwrap());
    let old = Mapping::parse(&mapping("/who").to_string()).unwrap();
    {
        let mut held = world.store.held();
        let source = held.registry.sources[0].clone();
        let text = Some(old.text().clone());
        held.registry.sources.push(Source {
            id: id.clone(),
            kind: SourceKind::Mapping,
            mapping: text,
            ..source
        });
        held.registry.version += 1;
    }
    world.keyring.refresh().await;
    for body in bodies {
        let received_at = at("2026-03-01T12:00:00Z");
        let why = reason(ReasonClass::Invalid, Some("/who"), "a text");
        let receipt = world.quarantine(&salon, received_at, Stage::Normalize, why);
        let raw = RawDelivery {
            receipt,
            tenant: salon.clone(),
            source: id.clone(),
            kind: SourceKind::Mapping,
            received_at,
            payload_digest: Digest::from_bytes([7; 32]),
            sealed_body: world.vault.tenant(&salon).seal_body(receipt, body.as_bytes()),
            refusal: None,
            mapping: Some(old.text().clone()),
        };
        let mut held = world.store.held();
        let entry = held.quarantine.iter_mut().find(|entry| entry.receipt == receipt).unwrap();
        (entry.source, entry.message) = (id.clone(), raw.encode().to_vec());
    }
    world
}

fn states(world: &World) -> Vec<QuarantineState> {
    world.store.held().quarantine.iter().map(|entry| entry.state).collect()
}

#[tokio::test]
async fn what_would_become_of_all_that_waits_is_seen_and_changes_nothing() {
    let world = crm(&[r#"{"client": "anna"}"#, r#"{"client": "berta"}"#, r#"{"client": {"id": 1}}"#]).await;
    let asked = json!({"mapping": mapping("/client")});
    let seen = post(&world, &world.keys.admin, &format!("{PATH}/preview"), asked).await;
    check("MappingPreview", &seen.body);
    assert_eq!(seen.status, 200);
    assert_eq!((&seen.body["understood"], &seen.body["events"]), (&json!(2), &json!(2)));
    assert_eq!((&seen.body["not_understood"], &seen.body["faults"][0]["times"]), (&json!(1), &json!(1)));
    assert!(!seen.body.to_string().contains("anna"), "it holds nothing of a body");
    assert_eq!(states(&world), [QuarantineState::Open; 3]);
    assert!(world.store.held().published.is_empty());
    assert_eq!(get(&world, PATH).await.body["mapping"], mapping("/who"), "the old one is kept");
}

#[tokio::test]
async fn a_preview_is_written_down_before_it_opens_anything() {
    let world = crm(&[r#"{"client": "anna"}"#, r#"{"client": "berta"}"#]).await;
    let ask = || post(&world, &world.keys.admin, PREVIEW, json!({"mapping": mapping("/client")}));
    assert_eq!(ask().await.status, 200);
    let audit = get_as(&world, &world.keys.admin, "/v1/audit").await.body;
    check("Audit", &audit);
    let entries = audit["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "one for all it opens");
    assert_eq!((&entries[0]["deed"], &entries[0]["about"]), (&json!("opened"), &json!("source")));
    assert_eq!((&entries[0]["id"], &entries[0]["who"]), (&json!("crm"), &json!("key")));
    assert_eq!(entries[0]["reason"], "trying a mapping on what waits in quarantine");
    world.store.held().audit_is_down = true;
    assert_eq!(ask().await.status, 503);
}

#[tokio::test]
async fn a_mended_mapping_is_saved_and_what_waits_is_sent_through_with_it() {
    let world = crm(&[r#"{"client": "anna"}"#, r#"{"client": "berta"}"#]).await;
    // Typed as YAML, as a person would.
    let yaml = "version: 1\nevents: [{set: {channel: site, session_id: /client, action: message}}]";
    let saved = post(&world, &world.keys.admin, PATH, json!({"mapping": yaml})).await;
    check("SourceMapping", &saved.body);
    assert_eq!((saved.status, &saved.body["mapping"]), (200, &mapping("/client")));
    let sent = post(&world, &world.keys.admin, &format!("{PATH}/replay"), json!({})).await;
    check("ReplayProgress", &sent.body);
    assert_eq!((sent.status, &sent.body["sent"], &sent.body["more"]), (202, &json!(2), &json!(false)));
    assert_eq!(states(&world), [QuarantineState::Replaying; 2]);
    let held = world.store.held();
    let new = Mapping::parse(&mapping("/client").to_string()).unwrap();
    for (topic, message) in &held.published {
        let raw = RawDelivery::decode(message.payload.clone()).unwrap();
        assert_eq!((*topic, raw.mapping.as_ref()), (Topic::Replay, Some(new.text())));
    }
}

#[tokio::test]
async fn only_an_admin_mends_and_only_what_a_mapping_reads() {
    let world = crm(&[]).await;
    let asked = || json!({"mapping": mapping("/client")});
    for path in [PATH.to_owned(), format!("{PATH}/preview"), format!("{PATH}/replay")] {
        assert_eq!(post(&world, &world.keys.read, &path, asked()).await.status, 403, "{path}");
        assert_eq!(post(&world, &world.keys.rival, &path, asked()).await.status, 404, "{path}");
        let other = path.replace("/crm/", "/telegram-bot/");
        assert_eq!(post(&world, &world.keys.admin, &other, asked()).await.status, 409, "{other}");
    }
    let wrong = json!({"mapping": {"version": 1, "events": []}});
    let refused = post(&world, &world.keys.admin, PATH, wrong).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["pointer"]), (400, &json!("/mapping/events")));
    let none = get(&world, "/v1/sources/telegram-bot/mapping").await;
    assert_eq!((none.status, &none.body["mapping"]), (200, &Value::Null));
    assert_eq!(get_as(&world, &world.keys.rival, PATH).await.status, 404);
}

/// Retiring the former key would lose what is on its way under it: nobody seals anew on the bus.
#[tokio::test]
async fn what_an_earlier_key_sealed_goes_through_again_under_the_current_one() {
    let mut world = crm(&[r#"{"client": "anna"}"#]).await;
    let masters = MasterKeys::parse(&"A".repeat(43)).unwrap();
    let masters = masters.with_next(Generation::generate().unwrap()).unwrap();
    let masters = masters.promoted(at("2026-03-02T12:00:00Z")).unwrap();
    world.vault = Arc::new(Vault::new(masters.clone()));
    let sent = post(&world, &world.keys.admin, &format!("{PATH}/replay"), json!({})).await;
    assert_eq!((sent.status, &sent.body["sent"]), (202, &json!(1)));
    let retired = Vault::new(masters.retired());
    let (_, message) = world.store.held().published.remove(0);
    let raw = RawDelivery::decode(message.payload).unwrap();
    let body = retired.tenant(&tenant("salon")).open_body(raw.receipt, &raw.sealed_body).unwrap();
    assert_eq!(body, br#"{"client": "anna"}"#);
}
