//! The books as the API shows them.

use domain::channel::Channel;
use domain::quarantine::{ReasonClass, Stage};
use serde_json::json;

use crate::ask::{get, get_as, happened, world};
use crate::world::{World, at, reason, tenant};

async fn salons_with_books() -> World {
    let world = world().await;
    for id in ["salon", "rival"] {
        let tell =
            || world.tell(&tenant(id), "telegram-bot", happened(0, Channel::Telegram, "s-1", "message"));
        tell();
        tell();
        let why = reason(ReasonClass::Unreadable, None, "an object");
        world.quarantine(&tenant(id), at("2026-03-01T00:00:00Z"), Stage::Normalize, why);
    }
    world
}

#[tokio::test]
async fn a_tenant_sees_its_own_books_and_an_operator_all() {
    let world = salons_with_books().await;
    insta::assert_json_snapshot!(get(&world, "/v1/reconcile").await.body);
    let all = get_as(&world, &world.keys.operator, "/v1/reconcile").await.body;
    assert_eq!(all["tenants"].as_array().unwrap().len(), 2);
    let one = get_as(&world, &world.keys.operator, "/v1/reconcile?tenant=rival").await.body;
    assert_eq!(one["tenants"][0]["tenant"], "rival");
}

#[tokio::test]
async fn an_imbalance_is_told_and_is_no_failure() {
    let world = salons_with_books().await;
    *world.store.held().accepted.get_mut(&tenant("salon")).unwrap() += 1;
    let answer = get(&world, "/v1/reconcile").await;
    assert_eq!((answer.status, &answer.body["balanced"]), (200, &json!(false)));
    assert_eq!(answer.body["tenants"][0]["difference"], 1);
    world.store.held().in_flight.insert(tenant("salon"), 1);
    let answer = get(&world, "/v1/reconcile").await;
    assert_eq!(
        (&answer.body["balanced"], &answer.body["tenants"][0]["in_flight"]),
        (&json!(true), &json!(1))
    );
}
