//! Who reads what was said is written down before it is shown.

use actix_web::http::header::IF_NONE_MATCH;
use actix_web::test::TestRequest;
use domain::audit::{About, AuditEntry, Deed, Who};
use domain::channel::Channel;
use domain::id::LeadId;
use domain::observation::Contact;
use serde_json::{Value, json};

use crate::ask::{ask, ask_open, get, get_as, happened, post, with_key, world};
use crate::openapi::check;
use crate::world::{World, at, tenant};

/// A salon with one conversation of one client, over one lead.
async fn salon() -> World {
    let world = world().await;
    let mut said = happened(0, Channel::Telegram, "s-1", "message");
    said.texts.user = Some("Здравствуйте".to_owned());
    said.lead = "BX-7".parse().ok();
    said.contact = Contact { phone: Some("+79130000001".to_owned()), ..Contact::default() };
    world.tell(&tenant("salon"), "telegram-bot", said);
    world
}

async fn client(world: &World) -> String {
    let asked = json!({"typed": "8 913 000-00-01"});
    let found = post(world, &world.keys.read, "/v1/subjects/lookup", asked).await;
    found.body["id"].as_str().unwrap().to_owned()
}

async fn audit(world: &World, query: &str) -> Vec<Value> {
    let listed = get_as(world, &world.keys.admin, &format!("/v1/audit{query}")).await;
    check("Audit", &listed.body);
    listed.body["entries"].as_array().unwrap().clone()
}

#[tokio::test]
async fn whatever_shows_what_was_said_is_written_down_with_who_and_what() {
    let world = salon().await;
    let client = client(&world).await;
    assert_eq!(world.store.held().audit.len(), 0, "finding somebody shows nothing that was said");
    for (path, about, id, reason) in [
        ("/v1/sessions/s-1".to_owned(), "session", "s-1", "reading a conversation"),
        ("/v1/leads/7/events".to_owned(), "lead", "BX-7", "reading what was said over a lead"),
        (format!("/v1/subjects/{client}/events"), "client", &*client, "reading the history of a client"),
        (
            "/v1/sources/telegram-bot".to_owned(),
            "source",
            "telegram-bot",
            "looking at the last event of a source",
        ),
    ] {
        let before = world.store.held().audit.len();
        let shown = get(&world, &path).await;
        assert!(shown.body.to_string().contains("Здравствуйте"), "{path}: {}", shown.body);
        let entries = audit(&world, "?deed=read").await;
        assert_eq!(entries.len(), before + 1, "{path}: one entry a request");
        let last = &entries[0];
        assert_eq!((&last["about"], &last["id"]), (&json!(about), &json!(id)));
        assert_eq!((&last["reason"], &last["who"]), (&json!(reason), &json!("key")));
        assert!(world.keys.read.contains(last["name"].as_str().unwrap()), "by the key's public half");
    }
    assert_eq!(audit(&world, "?deed=opened").await, Vec::<Value>::new());
    assert_eq!(get_as(&world, &world.keys.admin, "/v1/audit?deed=eaten").await.status, 400);
}

#[tokio::test]
async fn what_shows_nothing_that_was_said_leaves_no_trace() {
    let world = salon().await;
    let client = client(&world).await;
    let paths = ["/v1/sessions/s-1".to_owned(), format!("/v1/subjects/{client}/events")];
    for path in paths {
        let first = get(&world, &path).await;
        let before = world.store.held().audit.len();
        let again = with_key(TestRequest::get().uri(&path), &world.keys.read);
        let again = ask(&world, again.insert_header((IF_NONE_MATCH, first.header("etag")))).await;
        assert_eq!((again.status, world.store.held().audit.len()), (304, before), "{path}");
    }
    let before = world.store.held().audit.len();
    let subject = format!("/v1/subjects/{client}");
    let consents = format!("{subject}/consents");
    for path in ["/v1/sessions", "/v1/overview", "/v1/sources", "/v1/quarantine", &subject, &consents] {
        assert_eq!(get(&world, path).await.status, 200, "{path}");
    }
    assert_eq!(get(&world, "/v1/sessions/nobody").await.status, 404);
    assert_eq!(get_as(&world, &world.keys.rival, "/v1/sessions/s-1").await.status, 404);
    assert_eq!(world.store.held().audit.len(), before);
}

#[tokio::test]
async fn a_visitor_of_the_demo_is_one() {
    let world = salon().await;
    let here = TestRequest::get().uri("/v1/sessions/s-1").peer_addr("127.0.0.1:4711".parse().unwrap());
    let shown = ask_open(&world, here.insert_header(("host", "localhost")), Some("salon")).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    let entries = audit(&world, "").await;
    assert_eq!((&entries[0]["who"], &entries[0]["name"]), (&json!("visitor"), &json!("")));
}

#[tokio::test]
async fn nothing_that_was_said_is_shown_where_it_cannot_be_written_down() {
    let world = salon().await;
    let client = client(&world).await;
    world.store.held().audit_is_down = true;
    let history = format!("/v1/subjects/{client}/events");
    for path in ["/v1/sessions/s-1", "/v1/leads/7/events", &history, "/v1/sources/telegram-bot"] {
        let refused = get(&world, path).await;
        assert_eq!((refused.status, refused.problem()), (503, "store-unavailable"), "{path}");
        assert!(!refused.body.to_string().contains("Здравствуйте"), "{path}");
    }
}

#[tokio::test]
async fn who_read_what_is_listed_in_pages_by_thing_and_by_time() {
    let world = salon().await;
    {
        let mut held = world.store.held();
        for number in 0..5_u64 {
            let about = About::Lead(LeadId::from_number(number % 2));
            let at = at(&format!("2026-03-01T1{number}:00:00Z"));
            let (tenant, who) = (tenant("salon"), Who::Visitor);
            held.audit.push(AuditEntry { at, tenant, who, deed: Deed::Read, about, reason: None });
        }
    }
    let mut path = "?limit=2".to_owned();
    let mut hours = Vec::new();
    loop {
        let page = get_as(&world, &world.keys.admin, &format!("/v1/audit{path}")).await.body;
        check("Audit", &page);
        hours.extend(page["entries"].as_array().unwrap().iter().map(|entry| entry["at"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("?limit=2&cursor={cursor}");
    }
    assert_eq!(hours.len(), 5);
    assert!(hours.is_sorted_by(|a, b| a.as_str() > b.as_str()), "{hours:?}");
    assert_eq!(audit(&world, "?about=lead&id=1").await.len(), 2);
    assert_eq!(audit(&world, "?about=session").await.len(), 0);
    assert_eq!(audit(&world, "?from=2026-03-01T11:00:00Z&until=2026-03-01T13:00:00Z").await.len(), 2);
    for wrong in ["?id=1", "?about=thing", "?about=cause&id=00ff", "?from=yesterday", "?cursor=x"] {
        let refused = get_as(&world, &world.keys.admin, &format!("/v1/audit{wrong}")).await;
        assert_eq!(refused.status, 400, "{wrong}");
    }
}
