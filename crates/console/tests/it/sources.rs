//! Sources: how they are doing, and changing them.

use actix_web::test::TestRequest;
use domain::channel::Channel;
use domain::id::SourceId;
use domain::quarantine::{ReasonClass, Stage};
use domain::source_state::Refusal;
use insta::assert_json_snapshot;
use ports::sources::RefusalCount;
use serde_json::json;

use crate::ask::{ask, get, get_as, happened, post, with_key, world};
use crate::world::{World, at, reason, tenant};

#[tokio::test]
async fn a_source_nothing_came_from_is_waited_for() {
    let world = world().await;
    let answer = get(&world, "/v1/sources").await;
    assert_json_snapshot!(answer.body);
    let shown = get(&world, "/v1/sources/telegram-bot").await;
    assert_eq!(
        (&shown.body["source"], &shown.body["last_event"]),
        (&answer.body["sources"][0], &json!(null))
    );
}

#[tokio::test]
async fn a_source_is_shown_with_how_it_is_doing_and_what_was_understood_last() {
    let world = world().await;
    let salon = tenant("salon");
    let mut ahead = happened(0, Channel::Telegram, "s-1", "message");
    ahead.occurred_at = at("2026-03-15T12:01:30Z");
    world.tell(&salon, "telegram-bot", ahead);
    let mut last = happened(0, Channel::Telegram, "s-2", "book");
    last.occurred_at = at("2026-03-15T12:02:00Z");
    last.texts.user = Some("Запишите меня".to_owned());
    world.tell(&salon, "telegram-bot", last);
    let why = reason(ReasonClass::Invalid, Some("/message"), "a message");
    world.quarantine(&salon, at("2026-03-15T11:00:00Z"), Stage::Normalize, why);
    world.store.held().refusals.push(RefusalCount {
        tenant: salon,
        source: SourceId::parse("telegram-bot").unwrap(),
        reason: Refusal::WrongProof,
        times: 3,
        last_at: at("2026-03-15T11:59:00Z"),
    });
    let shown = get(&world, "/v1/sources/telegram-bot").await;
    assert_json_snapshot!(shown.body);
}

#[tokio::test]
async fn a_tenant_sees_its_own_sources_and_an_operator_all() {
    let world = world().await;
    assert_eq!(get_as(&world, &world.keys.rival, "/v1/sources").await.body["sources"], json!([]));
    assert_eq!(get_as(&world, &world.keys.rival, "/v1/sources/telegram-bot").await.status, 404);
    let all = get_as(&world, &world.keys.operator, "/v1/sources").await;
    assert_eq!(all.body["sources"][0]["tenant"], "salon");
    let others = get_as(&world, &world.keys.operator, "/v1/sources?tenant=rival").await;
    assert_eq!(others.body["sources"], json!([]));
    assert_eq!(get_as(&world, &world.keys.read, "/v1/sources?tenant=rival").await.status, 404);
}

#[tokio::test]
async fn a_source_is_added_with_a_secret_that_is_shown_once() {
    let world = world().await;
    let new = json!({"id": "bookings", "kind": "yclients", "name": "Онлайн-запись"});
    let added = post(&world, &world.keys.admin, "/v1/sources", new).await;
    assert_eq!((added.status, added.header("cache-control")), (201, "no-store"));
    let secret = added.body["secret"].as_str().unwrap();
    let keyed = format!("https://in.example.ru/v1/hooks/bookings?key={secret}");
    assert_eq!(added.body["paste"], json!({"url": keyed, "verify_token": null}));
    let shown = get(&world, "/v1/sources/bookings").await;
    assert_eq!((shown.status, &shown.body["source"]), (200, &added.body["source"]));
    assert!(!shown.body.to_string().contains(secret));
}

#[tokio::test]
async fn what_cannot_be_a_source_is_refused_with_the_spot() {
    let world = world().await;
    for (new, status, pointer) in [
        (json!({"id": "бот", "kind": "telegram"}), 400, "/id"),
        (json!({"id": "bot", "kind": "pigeon"}), 400, "/kind"),
        (json!({"id": "bot", "kind": "whatsapp", "secret": " "}), 400, "/secret"),
        (json!({"id": "bot", "kind": "telegram", "secret": "two words"}), 400, "/secret"),
        (json!({"id": "bot", "kind": "telegram", "name": "я".repeat(129)}), 400, "/name"),
        (json!({"id": "telegram-bot", "kind": "telegram"}), 409, ""),
    ] {
        let answer = post(&world, &world.keys.admin, "/v1/sources", new.clone()).await;
        let spot = answer.body["errors"][0]["pointer"].as_str().unwrap_or_default();
        assert_eq!((answer.status, spot), (status, pointer), "{new} {}", answer.body);
    }
}

#[tokio::test]
async fn a_secret_is_changed_with_two_live_meanwhile() {
    let world = world().await;
    let rotate = "/v1/sources/telegram-bot/rotate";
    for live in [1, 2, 2] {
        let rotated = post(&world, &world.keys.admin, rotate, json!({})).await;
        assert_eq!(rotated.status, 200);
        assert_eq!(rotated.body["source"]["secrets"].as_array().unwrap().len(), live);
    }
    let given = post(&world, &world.keys.admin, rotate, json!({"secret": "s3cret"})).await;
    assert_eq!(given.body["secret"], "s3cret");
    let retired = post(&world, &world.keys.admin, "/v1/sources/telegram-bot/retire", json!({})).await;
    assert_eq!((retired.status, retired.body["secrets"].as_array().unwrap().len()), (200, 1));
}

#[tokio::test]
async fn a_key_is_made_that_sends_for_the_source() {
    let world = world().await;
    let made = post(&world, &world.keys.admin, "/v1/sources/telegram-bot/keys", json!({})).await;
    assert_eq!((made.status, &made.body["scope"]), (201, &json!("ingest")));
    let key = made.body["key"].as_str().unwrap();
    let principal = world.keyring.authenticate(key).await.unwrap();
    assert_eq!(principal.source, SourceId::parse("telegram-bot").ok());
}

#[tokio::test]
async fn only_an_admin_of_the_tenant_changes_a_source() {
    let world = world().await;
    for path in ["/v1/sources", "/v1/sources/telegram-bot/rotate", "/v1/sources/telegram-bot/retire"] {
        let body = json!({"id": "new", "kind": "telegram"});
        let body = if path.ends_with("sources") { body } else { json!({}) };
        assert_eq!(post(&world, &world.keys.read, path, body.clone()).await.status, 403, "{path}");
        if path != "/v1/sources" {
            assert_eq!(post(&world, &world.keys.rival, path, body).await.status, 404, "{path}");
        }
    }
    assert_eq!(count(&world), 1);
    let foreign = TestRequest::post()
        .uri("/v1/sources")
        .insert_header(("cookie", format!("letopis_key={}", world.keys.admin)))
        .insert_header(("sec-fetch-site", "cross-site"))
        .set_json(json!({"id": "new", "kind": "telegram"}));
    assert_eq!(ask(&world, foreign).await.status, 401);
    let bare = with_key(TestRequest::post().uri("/v1/sources").set_payload("{"), &world.keys.admin);
    assert_eq!(ask(&world, bare).await.status, 415);
    assert_eq!(count(&world), 1);
}

fn count(world: &World) -> usize {
    world.store.held().registry.sources.len()
}
