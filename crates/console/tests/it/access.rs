//! Who gets in, and whose data they see.

use actix_web::cookie::Cookie;
use actix_web::test::TestRequest;
use domain::channel::Channel;
use domain::quarantine::{ReasonClass, Stage};
use serde_json::json;

use crate::ask::{Answer, ask, ask_open, get, get_as, happened, post, with_key, world};
use crate::world::{World, at, reason, tenant};

/// A salon with one of everything, and the addresses of it.
async fn salon_with_one_of_everything() -> (World, Vec<String>, String) {
    let world = world().await;
    let mut lead = happened(0, Channel::Telegram, "s-1", "create_lead");
    lead.lead = "BX-7".parse().ok();
    world.tell(&tenant("salon"), "telegram-bot", lead);
    let why = reason(ReasonClass::Unreadable, None, "an object");
    let receipt =
        world.quarantine(&tenant("salon"), at("2026-03-01T00:00:00Z"), Stage::Normalize, why).to_string();
    let paths =
        ["/v1/sessions/s-1".to_owned(), "/v1/leads/7/events".to_owned(), format!("/v1/quarantine/{receipt}")];
    (world, paths.to_vec(), receipt)
}

#[tokio::test]
async fn nobody_reads_without_a_key_and_an_ingest_key_reads_nothing() {
    let (world, mut paths, receipt) = salon_with_one_of_everything().await;
    let lists = ["/v1/overview", "/v1/sessions", "/v1/quarantine", "/v1/reconcile", "/v1/whoami"];
    paths.extend(lists.map(str::to_owned));
    for path in &paths {
        let answer = ask(&world, TestRequest::get().uri(path)).await;
        assert_eq!((answer.status, answer.problem()), (401, "unauthorized"), "{path}");
        let answer = get_as(&world, &world.keys.ingest, path).await;
        assert_eq!((answer.status, answer.problem()), (403, "forbidden"), "{path}");
    }
    let replay = format!("/v1/quarantine/{receipt}/replay");
    for key in [&world.keys.read, &world.keys.ingest] {
        assert_eq!(post(&world, key, &replay, json!({})).await.status, 403);
    }
    assert_eq!(ask(&world, TestRequest::post().uri(&replay)).await.status, 401);
    assert_eq!(world.store.held().published.len(), 0);
}

#[tokio::test]
async fn what_belongs_to_another_tenant_does_not_exist() {
    let (world, paths, receipt) = salon_with_one_of_everything().await;
    let rival = &world.keys.rival;
    for path in &paths {
        assert_eq!(get(&world, path).await.status, 200, "{path}");
        let foreign = get_as(&world, rival, path).await;
        assert_eq!((foreign.status, foreign.problem()), (404, "not-found"), "{path}");
        let missing = get_as(&world, rival, &path.replace("s-1", "s-2").replace("/7/", "/8/")).await;
        assert_eq!(foreign.body, missing.body, "another's and nobody's are answered alike");
        // Naming the other tenant is no way in either.
        assert_eq!(get_as(&world, rival, &format!("{path}?tenant=salon")).await.status, 404);
    }
    let replay = format!("/v1/quarantine/{receipt}/replay");
    assert_eq!(post(&world, rival, &replay, json!({})).await.status, 404);
    assert_eq!(post(&world, rival, "/v1/sessions/lookup", json!({"id": "s-1"})).await.status, 404);
    assert_eq!(get_as(&world, rival, "/v1/sessions").await.body["sessions"], json!([]));
    assert_eq!(get_as(&world, rival, "/v1/quarantine").await.body["entries"], json!([]));
    assert_eq!(get_as(&world, rival, "/v1/overview").await.body["channels"], json!([]));
    assert_eq!(get_as(&world, rival, "/v1/reconcile").await.body["tenants"], json!([]));
    assert_eq!(get_as(&world, rival, "/v1/sessions?tenant=salon").await.status, 404);
}

#[tokio::test]
async fn an_operator_names_the_tenant() {
    let (world, _, _) = salon_with_one_of_everything().await;
    let operator = &world.keys.operator;
    let unnamed = get_as(&world, operator, "/v1/sessions").await;
    assert_eq!((unnamed.status, unnamed.problem()), (400, "invalid-parameter"));
    assert_eq!(unnamed.body["errors"][0]["pointer"], "?tenant");
    let named = get_as(&world, operator, "/v1/sessions?tenant=salon").await;
    assert_eq!(named.body["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(get_as(&world, operator, "/v1/sessions?tenant=nobody").await.status, 404);
    let known = get_as(&world, operator, "/v1/whoami").await.body;
    assert_eq!((&known["tenant"], known["tenants"].as_array().unwrap().len()), (&json!(null), 2));
}

fn visit() -> TestRequest {
    let request = TestRequest::get().uri("/v1/whoami").peer_addr("127.0.0.1:50000".parse().unwrap());
    request.insert_header(("Host", "localhost:8686"))
}

#[tokio::test]
async fn a_visitor_of_the_demo_reads_its_tenant_from_this_machine_only() {
    let world = world().await;
    let open = Some("salon");
    let visited = ask_open(&world, visit(), open).await;
    assert_eq!(visited.status, 200);
    assert_eq!(visited.body["open"], true);
    assert_eq!(visited.body["scope"], "read");
    assert_eq!(ask(&world, visit()).await.status, 401, "the door is closed unless it was opened");

    let elsewhere = visit().peer_addr("203.0.113.7:50000".parse().unwrap());
    assert_eq!(ask_open(&world, elsewhere, open).await.status, 401);
    for header in ["X-Forwarded-For", "Forwarded", "X-Real-IP"] {
        let proxied = visit().insert_header((header, "203.0.113.7"));
        assert_eq!(ask_open(&world, proxied, open).await.status, 401, "{header}");
    }
    let rebound = visit().insert_header(("Host", "evil.example:8686"));
    assert_eq!(ask_open(&world, rebound, open).await.status, 401);
    let wrong_key = with_key(visit(), "letopis_read_wrong");
    assert_eq!(ask_open(&world, wrong_key, open).await.status, 401);
    let stale = visit().cookie(Cookie::new("letopis_key", "letopis_read_of_another_program"));
    assert_eq!(ask_open(&world, stale, open).await.status, 200);
}

#[tokio::test]
async fn a_visitor_of_the_demo_changes_nothing() {
    let (world, _, receipt) = salon_with_one_of_everything().await;
    let replay = TestRequest::post()
        .uri(&format!("/v1/quarantine/{receipt}/replay"))
        .peer_addr("127.0.0.1:50000".parse().unwrap())
        .insert_header(("Host", "localhost:8686"))
        .insert_header(("Sec-Fetch-Site", "same-origin"));
    assert_eq!(ask_open(&world, replay, Some("salon")).await.status, 401);
}

#[tokio::test]
async fn a_cookie_reads_and_changes_something_only_from_the_page_itself() {
    let (world, _, receipt) = salon_with_one_of_everything().await;
    let cookie = || Cookie::new("letopis_key", world.keys.admin.clone());
    let read = TestRequest::get().uri("/v1/sessions").cookie(cookie());
    assert_eq!(ask(&world, read).await.status, 200);

    let replay = || {
        let uri = format!("/v1/quarantine/{receipt}/replay");
        TestRequest::post().uri(&uri).cookie(cookie()).insert_header(("Host", "letopis.salon"))
    };
    assert_eq!(ask(&world, replay()).await.status, 401, "no word on where it comes from");
    for (name, value) in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
    ] {
        let foreign = replay().insert_header((name, value));
        assert_eq!(ask(&world, foreign).await.status, 401, "{name}: {value}");
    }
    assert_eq!(world.store.held().published.len(), 0);
    let own = replay().insert_header(("Origin", "https://letopis.salon"));
    assert_eq!(ask(&world, own).await.status, 202);
    let own = replay().insert_header(("Sec-Fetch-Site", "same-origin"));
    assert_eq!(ask(&world, own).await.status, 202);
}

async fn log_in(world: &World, key: &str, headers: &[(&'static str, &'static str)]) -> Answer {
    let mut request = TestRequest::post().uri("/login").set_form([("key", key)]);
    for header in headers {
        request = request.insert_header(*header);
    }
    ask(world, request).await
}

#[tokio::test]
async fn logging_in_keeps_the_key_where_scripts_cannot_read_it() {
    let world = world().await;
    let answer = log_in(&world, &format!(" {} ", world.keys.read), &[]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
    let cookie = answer.header("set-cookie");
    for part in [world.keys.read.as_str(), "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(!cookie.contains("Secure"));
    let proxied = log_in(&world, &world.keys.read, &[("X-Forwarded-Proto", "https")]).await;
    assert!(proxied.header("set-cookie").contains("Secure"));
}

#[tokio::test]
async fn a_key_that_does_not_read_leads_back_to_the_form() {
    let world = world().await;
    for key in ["", "nonsense", world.keys.ingest.as_str()] {
        let answer = log_in(&world, key, &[]).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/?login=failed"), "{key}");
        assert_eq!(answer.header("set-cookie"), "");
    }
    let long = log_in(&world, &"x".repeat(100_000), &[]).await;
    assert_eq!(long.header("location"), "/?login=failed");
}

#[tokio::test]
async fn another_site_logs_nobody_in_or_out() {
    let world = world().await;
    let foreign = [("Sec-Fetch-Site", "cross-site")];
    assert_eq!(log_in(&world, &world.keys.read, &foreign).await.status, 403);
    let logout = TestRequest::post().uri("/logout").insert_header(foreign[0]);
    assert_eq!(ask(&world, logout).await.status, 403);
    let own = ask(&world, TestRequest::post().uri("/logout")).await;
    assert!(own.header("set-cookie").contains("Max-Age=0"));
}
