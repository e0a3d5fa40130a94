//! Listing sessions and finding one.

use domain::channel::Channel;
use serde_json::{Value, json};

use crate::ask::{get, happened, post, world};
use crate::world::{World, tenant};

async fn salon_with_sessions(count: u32) -> World {
    let world = world().await;
    for n in 0..count {
        let channel = if n % 2 == 0 { Channel::Telegram } else { Channel::Max };
        let action = if n % 3 == 0 { "book" } else { "message" };
        // Two a minute, so that the id has to break ties.
        world.tell(&tenant("salon"), "telegram-bot", happened(n / 2, channel, &format!("s-{n:02}"), action));
    }
    world
}

fn ids(body: &Value) -> Vec<String> {
    let sessions = body["sessions"].as_array().unwrap();
    sessions.iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_session_is_listed_with_what_became_of_it() {
    let world = world().await;
    let salon = tenant("salon");
    world.tell(&salon, "telegram-bot", happened(0, Channel::Telegram, "s-1", "message"));
    let mut booking = happened(3, Channel::Telegram, "s-1", "book");
    booking.lead = "BX-5678".parse().ok();
    world.tell(&salon, "telegram-bot", booking);
    insta::assert_json_snapshot!(get(&world, "/v1/sessions").await.body);
}

#[tokio::test]
async fn pages_follow_one_another_without_gap_or_repetition() {
    let world = salon_with_sessions(25).await;
    let whole = ids(&get(&world, "/v1/sessions").await.body);
    assert_eq!(whole.len(), 25);
    let mut paged = Vec::new();
    let mut path = "/v1/sessions?limit=4".to_owned();
    loop {
        let body = get(&world, &path).await.body;
        paged.extend(ids(&body));
        let Some(cursor) = body["next_cursor"].as_str() else { break };
        path = format!("/v1/sessions?limit=4&cursor={cursor}");
    }
    assert_eq!(paged, whole);
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let world = salon_with_sessions(12).await;
    assert_eq!(ids(&get(&world, "/v1/sessions?channel=max").await.body).len(), 6);
    assert_eq!(ids(&get(&world, "/v1/sessions?outcome=booked").await.body).len(), 4);
    let both = get(&world, "/v1/sessions?channel=max&outcome=booked").await.body;
    assert_eq!(ids(&both), ["s-09", "s-03"]);
    let from = "/v1/sessions?from=2026-03-01T12:04:00Z&until=2026-03-01T12:05:00Z";
    assert_eq!(ids(&get(&world, from).await.body), ["s-09", "s-08"]);
}

#[tokio::test]
async fn a_parameter_that_is_not_valid_is_refused_by_name() {
    let world = world().await;
    for (query, problem, pointer) in [
        ("channel=pigeon", "invalid-parameter", "?channel"),
        ("outcome=", "invalid-parameter", "?outcome"),
        ("limit=0", "invalid-parameter", "?limit"),
        ("limit=100000", "invalid-parameter", "?limit"),
        ("limit=ten", "invalid-parameter", "?limit"),
        ("from=now", "invalid-parameter", "?from"),
        ("tenant=%D0%A1", "invalid-parameter", "?tenant"),
        ("chanel=max", "invalid-parameter", "?"),
        ("limit=1&limit=2", "invalid-parameter", "?"),
        ("cursor=", "invalid-cursor", "?cursor"),
        ("cursor=AAAA", "invalid-cursor", "?cursor"),
        ("cursor=%00%ff", "invalid-cursor", "?cursor"),
    ] {
        let answer = get(&world, &format!("/v1/sessions?{query}")).await;
        assert_eq!((answer.status, answer.problem()), (400, problem), "{query}");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{query}");
    }
    let leaking = get(&world, "/v1/sessions?79131234567=1").await;
    assert_eq!(leaking.status, 400);
    assert!(!leaking.body.to_string().contains("79131234567"));
}

#[tokio::test]
async fn an_id_that_is_a_phone_number_is_found_by_typing_it() {
    let world = world().await;
    world.tell(&tenant("salon"), "telegram-bot", happened(0, Channel::Max, "+79131234567", "message"));
    let found = post(&world, &world.keys.read, "/v1/sessions/lookup", json!({"id": " +79131234567 "})).await;
    let id = found.body["id"].as_str().unwrap();
    assert!(id.starts_with("v1:"), "{id}");
    let shown = get(&world, &format!("/v1/sessions/{}", id.replace(':', "%3A"))).await;
    assert_eq!((shown.status, &shown.body["session"]["id"]), (200, &id.into()));
    let typed = get(&world, "/v1/sessions/%2B79131234567").await;
    assert_eq!(typed.body["session"]["id"], id, "the address works too, for programs that know no better");
    assert!(!shown.body.to_string().contains("79131234567"));
}

#[tokio::test]
async fn an_id_may_hold_what_an_address_may_not() {
    let world = world().await;
    for (id, encoded) in
        [("a/b?c#d", "a%2Fb%3Fc%23d"), ("100% да", "100%25%20%D0%B4%D0%B0"), ("lookup", "lookup")]
    {
        world.tell(&tenant("salon"), "telegram-bot", happened(0, Channel::Site, id, "message"));
        let found = post(&world, &world.keys.read, "/v1/sessions/lookup", json!({"id": id})).await;
        assert_eq!(found.body, json!({"id": id}));
        if id != "lookup" {
            let shown = get(&world, &format!("/v1/sessions/{encoded}")).await;
            assert_eq!(shown.body["session"]["id"], id);
        }
    }
}

#[tokio::test]
async fn a_lookup_that_is_none_is_a_problem() {
    let world = world().await;
    let lookup = "/v1/sessions/lookup";
    for (body, status) in [
        (json!({"id": "nobody"}), 404),
        (json!({"id": ""}), 404),
        (json!({"id": 7}), 400),
        (json!([]), 400),
        (json!({"id": "x", "y": 1}), 400),
    ] {
        assert_eq!(post(&world, &world.keys.read, lookup, body.clone()).await.status, status, "{body}");
    }
    let nothing = get(&world, "/v1/sessions/nobody").await;
    assert_eq!((nothing.status, nothing.problem()), (404, "not-found"));
}
