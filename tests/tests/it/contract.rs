//! The served OpenAPI document, held against what is really answered.

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::api::{Answer, answer, escape};
use system_tests::{Shape, Stand};

use crate::{event, telegram_message, with};

on_both_shapes! {
    what_is_read_fits_the_document
    what_is_sent_is_answered_as_documented
    the_documented_event_is_the_one_that_is_taken
}

/// Checks an answer against the document: the status must be listed, the body must fit its schema.
fn check(document: &Value, path: &str, method: &str, answer: &Answer) {
    let responses = &document["paths"][path][method]["responses"];
    let status = answer.status.to_string();
    let media = answer.content_type.split(';').next().unwrap_or_default().trim();
    let name = if responses.get(&status).is_some() { status } else { "default".to_owned() };
    let mut response = &responses[&name];
    let mut place = format!("#/paths/{}/{method}/responses/{name}", token(path));
    while let Some(reference) = response.get("$ref").and_then(Value::as_str) {
        place = reference.to_owned();
        response = document.pointer(reference.trim_start_matches('#')).unwrap();
    }
    let schema = response.pointer(&format!("/content/{}/schema", token(media)));
    assert!(schema.is_some(), "{method} {path} does not document {name} {media}: {answer:?}");
    let mut root = document.clone();
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    // A reference is a URI: the braces of a path template have to be escaped in it.
    let place = place.replace('{', "%7B").replace('}', "%7D");
    root["$ref"] = json!(format!("{place}/content/{}/schema", token(media)));
    let validator = jsonschema::validator_for(&root).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(&answer.body)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{method} {path} {name}: {faults:?}\n{}", answer.body);
}

/// A text as a token of a JSON pointer.
fn token(text: &str) -> String {
    text.replace('~', "~0").replace('/', "~1")
}

/// A server that knows a session with everything an event can have, a lead, and a quarantined delivery.
async fn stand(shape: Shape) -> Stand {
    let stand = Stand::new(shape).await.unwrap();
    let rich = json!({
        "actor": "assistant", "action": "book", "intent": "booking", "crm_lead_id": "BX-5",
        "scenario": {"id": "booking", "version": "3.1"}, "confidence": 0.9, "response_time_ms": 800,
        "model": "m", "usage": {"input_tokens": 5, "output_tokens": 6}, "user_text": "Да",
        "appointment": {"id": "rec-1", "starts_at": "2026-03-02T12:00:00+03:00", "service": "haircut", "staff": "Вера"},
        "consent": {"purpose": "personal_data", "granted": true, "text_version": "2025-09"},
        "contact": {"phone": "+79990000001", "name": "Анна"}, "extra": {"a": [1, null]},
    });
    stand.accept(&with(event("rich"), rich)).await.unwrap();
    let hook = &stand.keys.telegram;
    stand.api.telegram(hook, &telegram_message(1, 5_551, "Здравствуйте")).await.unwrap();
    stand.api.telegram(hook, &json!({"update_id": 2, "message": {}})).await.unwrap();
    stand.settled().await.unwrap();
    stand
}

async fn what_is_read_fits_the_document(shape: Shape) {
    let stand = stand(shape).await;
    let (api, keys) = (&stand.api, &stand.keys);
    let document = api.get("", "/openapi.json").await.unwrap().body;
    assert_eq!(document["openapi"], "3.1.0");
    let chat = escape(&api.lookup(&keys.read, "5551").await.unwrap().unwrap());
    for (pattern, path) in [
        ("/v1/sessions", "/v1/sessions".to_owned()),
        ("/v1/sessions", "/v1/sessions?limit=1".to_owned()),
        ("/v1/sessions", "/v1/sessions?limit=0".to_owned()),
        ("/v1/sessions/{id}", "/v1/sessions/rich".to_owned()),
        ("/v1/sessions/{id}", format!("/v1/sessions/{chat}")),
        ("/v1/sessions/{id}", "/v1/sessions/unheard-of".to_owned()),
        ("/v1/leads/{id}/events", "/v1/leads/BX-5/events".to_owned()),
        ("/v1/quarantine", "/v1/quarantine".to_owned()),
        ("/v1/overview", "/v1/overview".to_owned()),
        ("/v1/reconcile", "/v1/reconcile".to_owned()),
    ] {
        for key in [keys.read.as_str(), keys.ingest.as_str(), "x"] {
            let found = api.get(key, &path).await.unwrap();
            check(&document, pattern, "get", &found);
        }
    }
    let lookup = api.post(&keys.read, "/v1/sessions/lookup", &json!({"id": "rich"})).await.unwrap();
    check(&document, "/v1/sessions/lookup", "post", &lookup);
}

async fn what_is_sent_is_answered_as_documented(shape: Shape) {
    let stand = stand(shape).await;
    let (api, keys) = (&stand.api, &stand.keys);
    let document = api.get("", "/openapi.json").await.unwrap().body;
    let bodies = [
        event("s"),
        json!([event("s"), event("t")]),
        json!([event("s"), {}]),
        json!([{}, 5]),
        json!({}),
        json!([]),
    ];
    for body in &bodies {
        check(&document, "/v1/events", "post", &api.send(&keys.ingest, body).await.unwrap());
    }
    for key in ["x", &keys.read] {
        check(&document, "/v1/events", "post", &api.send(key, &event("s")).await.unwrap());
    }
    let typed =
        api.request(Method::POST, "/v1/events").bearer_auth(&keys.ingest).header("content-type", "text/csv");
    check(&document, "/v1/events", "post", &answer(typed.body("a;b")).await.unwrap());
    let update = telegram_message(9, 5_551, "Да");
    check(&document, "/v1/hooks/{source}", "post", &api.telegram(&keys.telegram, &update).await.unwrap());
    let bare = api.post("", &keys.telegram.path, &update).await.unwrap();
    check(&document, "/v1/hooks/{source}", "post", &bare);
}

async fn the_documented_event_is_the_one_that_is_taken(shape: Shape) {
    let stand = stand(shape).await;
    let document = stand.api.get("", "/openapi.json").await.unwrap().body;
    let content = &document["paths"]["/v1/events"]["post"]["requestBody"]["content"]["application/json"];
    let mut examples: Vec<Value> = content.get("example").cloned().into_iter().collect();
    if let Some(named) = content["examples"].as_object() {
        examples.extend(named.values().map(|example| example["value"].clone()));
    }
    assert!(!examples.is_empty(), "the document shows no event");
    for example in examples {
        let sent = stand.api.send(&stand.keys.ingest, &example).await.unwrap();
        assert_eq!(sent.status, 202, "{example}: {sent:?}");
    }
}
