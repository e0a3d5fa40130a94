//! The OpenAPI document says what the console does.

use console::ENDPOINTS;
use domain::channel::Channel;
use domain::quarantine::{ReasonClass, Stage};
use domain::registry::SourceKind;
use domain::source_state::{Condition, Refusal};
use http_kit::openapi::DOCUMENT;
use jsonschema::Draft;
use serde_json::{Value, json};

use crate::ask::{about, get, happened, post, world};
use crate::world::{at, reason, tenant};

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// Holds a value against a schema of the document, which allows no key it does not name.
pub(crate) fn check(schema: &str, value: &Value) {
    let mut root = json!({"$ref": format!("#/components/schemas/{schema}")});
    root["components"] = document()["components"].clone();
    let validator = jsonschema::options().with_draft(Draft::Draft202012).build(&root).unwrap();
    let wrong: Vec<_> =
        validator.iter_errors(value).map(|error| format!("{} {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{schema}: {wrong:?}\n{value:#}");
}

#[test]
fn every_route_is_described_with_its_problems() {
    let document = document();
    for endpoint in ENDPOINTS {
        for method in endpoint.methods {
            let responses = &document["paths"][endpoint.pattern][method.to_lowercase()]["responses"];
            let responses = responses.as_object().unwrap_or_else(|| panic!("{method} {}", endpoint.pattern));
            let expected: &[&str] = if endpoint.pattern.starts_with("/v1/") {
                &["400", "401", "403", "404", "405", "500", "503"]
            } else {
                &["405"]
            };
            for status in expected {
                assert!(responses.contains_key(*status), "{method} {} {status}", endpoint.pattern);
            }
        }
    }
}

#[test]
fn the_words_of_sources_are_all_there() {
    let source = &document()["components"]["schemas"]["Source"]["properties"];
    assert_eq!(source["kind"]["enum"], json!(SourceKind::ALL.map(SourceKind::as_str)));
    assert_eq!(source["condition"]["enum"], json!(Condition::ALL.map(Condition::as_str)));
    let refused = &source["refused"]["items"]["properties"]["reason"]["enum"];
    assert_eq!(*refused, json!(Refusal::ALL.map(Refusal::as_str)));
}

#[tokio::test]
async fn answers_fit_their_schemas() {
    let world = world().await;
    let salon = tenant("salon");
    for (minute, action) in [(0, "message"), (1, "book"), (2, "attend")] {
        let mut step = about(happened(minute, Channel::Telegram, "s-1", action), "yc-1");
        step.lead = "BX-7".parse().ok();
        world.tell(&salon, "telegram-bot", step);
    }
    let why = reason(ReasonClass::Invalid, Some("/channel"), "a channel");
    let receipt = world.quarantine(&salon, at("2026-03-01T00:00:00Z"), Stage::Normalize, why);
    for (path, schema) in [
        ("/v1/whoami".to_owned(), "Whoami"),
        ("/v1/overview".to_owned(), "Overview"),
        ("/v1/sessions".to_owned(), "SessionList"),
        ("/v1/sessions/s-1".to_owned(), "SessionTimeline"),
        ("/v1/sessions/s-1?limit=1".to_owned(), "SessionTimeline"),
        ("/v1/leads/7/events".to_owned(), "LeadTimeline"),
        ("/v1/quarantine".to_owned(), "QuarantineList"),
        (format!("/v1/quarantine/{receipt}"), "QuarantineOfReceipt"),
        ("/v1/quarantine/groups".to_owned(), "QuarantineGroups"),
        ("/v1/reconcile".to_owned(), "Reconciled"),
        ("/v1/sources".to_owned(), "SourceList"),
        ("/v1/sources/telegram-bot".to_owned(), "SourceShown"),
    ] {
        check(schema, &get(&world, &path).await.body);
    }
    let found = post(&world, &world.keys.read, "/v1/sessions/lookup", json!({"id": "s-1"})).await;
    check("FoundSession", &found.body);
    let replayed =
        post(&world, &world.keys.admin, &format!("/v1/quarantine/{receipt}/replay"), json!({})).await;
    check("QuarantineEntry", &replayed.body);
    let admin = async |path: &str, body| post(&world, &world.keys.admin, path, body).await.body;
    let added = admin("/v1/sources", json!({"id": "site", "kind": "events"})).await;
    check("SourceWithSecret", &added);
    check("SourceShown", &get(&world, "/v1/sources/site").await.body);
    check("SourceWithSecret", &admin("/v1/sources/site/rotate", json!({})).await);
    check("Source", &admin("/v1/sources/site/retire", json!({})).await);
    check("IngestKey", &admin("/v1/sources/site/keys", json!({})).await);
}
