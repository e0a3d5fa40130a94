//! The business itself, and what its texts may not leave with.

use domain::registry::Trade;
use serde_json::json;

use crate::ask::{get, get_as, post, world};
use crate::openapi::check;

#[tokio::test]
async fn an_admin_says_that_a_business_is_a_clinic() {
    let world = world().await;
    let shown = get(&world, "/v1/tenant").await;
    check("Tenant", &shown.body);
    assert_eq!((&shown.body["id"], &shown.body["trade"]), (&json!("salon"), &json!("ordinary")));

    let path = "/v1/tenant/trade";
    assert_eq!(post(&world, &world.keys.read, path, json!({"trade": "clinic"})).await.status, 403);
    let wrong = post(&world, &world.keys.admin, path, json!({"trade": "bakery"})).await;
    assert_eq!((wrong.status, &wrong.body["errors"][0]["pointer"]), (400, &json!("/trade")));
    let set = post(&world, &world.keys.admin, path, json!({"trade": "clinic"})).await;
    check("Tenant", &set.body);
    assert_eq!((set.status, &set.body["trade"]), (200, &json!("clinic")));
    assert_eq!(get(&world, "/v1/tenant").await.body["trade"], "clinic");
    let trades: Vec<_> = world.store.held().registry.tenants.iter().map(|tenant| tenant.trade).collect();
    assert_eq!(trades, [Trade::Clinic, Trade::Ordinary], "and no other");
}

#[tokio::test]
async fn nobody_says_what_a_rival_is() {
    let world = world().await;
    let path = "/v1/tenant/trade?tenant=salon";
    assert_eq!(post(&world, &world.keys.rival, path, json!({"trade": "clinic"})).await.status, 404);
    assert_eq!(get_as(&world, &world.keys.rival, "/v1/tenant?tenant=salon").await.status, 404);
    let operator = get_as(&world, &world.keys.operator, "/v1/tenant?tenant=salon").await;
    assert_eq!((operator.status, &operator.body["trade"]), (200, &json!("ordinary")));
    assert_eq!(get_as(&world, &world.keys.operator, "/v1/tenant").await.status, 400, "which?");
}
