//! Two tenants, and no way across.
//!
//! The table is the served OpenAPI document: a path added to it is tried here without anybody remembering to.

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::api::{Hook, answer, escape};
use system_tests::stand::add_tenant;
use system_tests::{House, Keys, Options, Shape, Stand};

use crate::{event, telegram_message, with};

on_both_shapes! {
    no_read_path_shows_another_tenants_data
    no_write_path_reaches_another_tenants_data
    one_session_id_and_one_event_id_in_two_tenants_are_two_of_each
    the_secret_of_one_tenants_webhook_does_not_open_anothers
    the_same_person_has_another_pseudonym_at_every_tenant
}

const MARK: &str = "тайна-салона";
const LEAD: &str = "BX-77001";

/// A tenant with a session, a lead and a quarantined delivery; and a second one with nothing.
struct Walls {
    stand: Stand,
    rival: Keys,
    session: String,
    receipt: String,
    group: String,
}

async fn walls(shape: Shape) -> Walls {
    let house = House::new(Options::of(shape)).await.unwrap();
    let rival = add_tenant(&house.cli, "rival").await.unwrap();
    let stand = house.open().await.unwrap();
    let more = json!({"assistant_response": MARK, "crm_lead_id": LEAD, "appointment": {"id": "rec-1"}});
    stand.accept(&with(event("secret-talk"), more)).await.unwrap();
    let broken = json!({"update_id": 1, "message": {"text": MARK}});
    assert_eq!(stand.api.telegram(&stand.keys.telegram, &broken).await.unwrap().status, 200);
    stand.settled().await.unwrap();
    let session = stand.api.lookup(&stand.keys.read, "secret-talk").await.unwrap().unwrap();
    let quarantine = stand.api.get(&stand.keys.read, "/v1/quarantine").await.unwrap();
    let receipt = quarantine.body["entries"][0]["receipt"].as_str().unwrap().to_owned();
    let groups = stand.api.get(&stand.keys.read, "/v1/quarantine/groups").await.unwrap();
    let group = groups.body["groups"][0]["id"].as_str().unwrap().to_owned();
    Walls { stand, rival, session, receipt, group }
}

impl Walls {
    /// The path with every parameter replaced by something of the first tenant's.
    fn fill(&self, pattern: &str) -> String {
        let segments = pattern.split('/').map(|segment| match segment {
            "{id}" if pattern.contains("/leads/") || pattern.contains("/subjects/") => LEAD.to_owned(),
            "{group}" => self.group.clone(),
            "{id}" | "{session}" | "{session_id}" => escape(&self.session),
            "{lead}" | "{lead_id}" => LEAD.to_owned(),
            "{receipt}" => self.receipt.clone(),
            "{source}" => "salon-telegram".to_owned(),
            parameter if parameter.starts_with('{') => panic!("{pattern}: what is {parameter}?"),
            plain => plain.to_owned(),
        });
        segments.collect::<Vec<_>>().join("/")
    }

    fn shows_nothing(&self, body: &Value, path: &str) {
        let text = body.to_string();
        for secret in [MARK, "secret-talk", LEAD, &self.receipt, &self.session] {
            assert!(!text.contains(secret), "{path} shows {secret}: {text}");
        }
    }
}

async fn no_read_path_shows_another_tenants_data(shape: Shape) {
    let walls = walls(shape).await;
    let document = walls.stand.api.get("", "/openapi.json").await.unwrap().body;
    let mut tried = 0;
    for (pattern, operations) in document["paths"].as_object().unwrap() {
        // A messenger that asks for its address reads nothing, and shows no key: it has tests of its own.
        let is_read = operations.get("get").is_some_and(|get| get["tags"] != json!(["ingest"]));
        if !pattern.starts_with("/v1/") || !is_read {
            continue;
        }
        let path = walls.fill(pattern);
        let own = walls.stand.api.get(&walls.stand.keys.admin, &path).await.unwrap();
        assert_eq!(own.status, 200, "{path}: {own:?}");
        for key in [&walls.rival.read, &walls.rival.admin, &walls.rival.ingest] {
            let found = walls.stand.api.get(key, &path).await.unwrap();
            let expected: &[u16] = if pattern.contains('{') { &[403, 404] } else { &[200, 403] };
            assert!(expected.contains(&found.status), "{path}: {found:?}");
            if found.status == 200 {
                walls.shows_nothing(&found.body, &path);
            }
            let named = walls.stand.api.get(key, &format!("{path}?tenant=salon")).await.unwrap();
            // Who a key belongs to is told whatever the address says.
            let is_about_the_key = pattern == "/v1/whoami" && named.status == 200;
            assert!(is_about_the_key || [403, 404].contains(&named.status), "{path}: {named:?}");
            walls.shows_nothing(&named.body, &path);
        }
        tried += 1;
    }
    assert!(tried >= 6, "only {tried} read paths in the document");
}

async fn no_write_path_reaches_another_tenants_data(shape: Shape) {
    let walls = walls(shape).await;
    let before = walls.stand.settled().await.unwrap();
    let document = walls.stand.api.get("", "/openapi.json").await.unwrap().body;
    let mut tried = 0;
    for (pattern, operations) in document["paths"].as_object().unwrap() {
        // What is sent to a door is the sender's own, whatever it says.
        let is_door = ["/v1/events", "/v1/traces"].contains(&pattern.as_str());
        if !pattern.starts_with("/v1/") || is_door || operations.get("post").is_none() {
            continue;
        }
        let path = walls.fill(pattern);
        let body = json!({"id": "secret-talk", "key": walls.rival.read});
        for key in [&walls.rival.read, &walls.rival.admin, &walls.rival.ingest] {
            for query in ["", "?stage=normalize", "?tenant=salon"] {
                let found = walls.stand.api.post(key, &format!("{path}{query}"), &body).await.unwrap();
                assert!(found.status < 500, "{path}{query}: {found:?}");
                let opens_own_only = pattern == "/v1/login";
                assert!(opens_own_only || (400..500).contains(&found.status), "{path}{query}: {found:?}");
                walls.shows_nothing(&found.body, &path);
            }
        }
        tried += 1;
    }
    assert!(tried >= 3, "only {tried} write paths in the document");
    assert_eq!(walls.stand.settled().await.unwrap(), before);
}

async fn one_session_id_and_one_event_id_in_two_tenants_are_two_of_each(shape: Shape) {
    let walls = walls(shape).await;
    let api = &walls.stand.api;
    let id = json!({"event_id": "0190b3a4-7c1e-7a3b-9d57-5f3c2b1a0e4d"});
    walls.stand.accept(&with(event("shared"), id.clone())).await.unwrap();
    let other = with(with(event("shared"), id), json!({"assistant_response": "Совсем другое"}));
    assert_eq!(api.send(&walls.rival.ingest, &other).await.unwrap().status, 202);
    walls.stand.settled().await.unwrap();
    let rival_books = api.settled(&walls.rival.read).await.unwrap();
    assert_eq!((&rival_books["stored"], &rival_books["quarantined"]), (&json!(1), &json!(0)));
    let own = api.session(&walls.stand.keys.read, "shared").await.unwrap().unwrap().to_string();
    let theirs = api.session(&walls.rival.read, "shared").await.unwrap().unwrap().to_string();
    assert!(own.contains("Добрый день!") && !own.contains("Совсем другое"));
    assert!(theirs.contains("Совсем другое") && !theirs.contains("Добрый день!"));
}

async fn the_secret_of_one_tenants_webhook_does_not_open_anothers(shape: Shape) {
    let walls = walls(shape).await;
    let crossed = Hook { secret: walls.rival.telegram.secret.clone(), ..walls.stand.keys.telegram.clone() };
    let sent = walls.stand.api.telegram(&crossed, &telegram_message(9, 5_551, "x")).await.unwrap();
    assert_eq!(sent.status, 401, "{sent:?}");
    let request = walls.stand.api.request(Method::POST, "/v1/events").bearer_auth(&walls.rival.ingest);
    let named = answer(request.header("Letopis-Source", "salon-bot").json(&event("crossed"))).await.unwrap();
    walls.stand.settled().await.unwrap();
    assert!(walls.stand.api.lookup(&walls.stand.keys.read, "crossed").await.unwrap().is_none(), "{named:?}");
}

async fn the_same_person_has_another_pseudonym_at_every_tenant(shape: Shape) {
    let walls = walls(shape).await;
    let chat = telegram_message(10, 5_551_112_233, "Здравствуйте");
    for hook in [&walls.stand.keys.telegram, &walls.rival.telegram] {
        assert_eq!(walls.stand.api.telegram(hook, &chat).await.unwrap().status, 200);
    }
    walls.stand.settled().await.unwrap();
    walls.stand.api.settled(&walls.rival.read).await.unwrap();
    let of = async |key: &str| walls.stand.api.lookup(key, "5551112233").await.unwrap().unwrap();
    assert_ne!(of(&walls.stand.keys.read).await, of(&walls.rival.read).await);
}
