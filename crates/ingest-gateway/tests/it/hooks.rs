//! Messengers at the door.

use actix_web::test::TestRequest;
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use serde_json::json;

use crate::salon::{Answer, Salon, TELEGRAM_SECRET};

const TOKEN: &str = "x-telegram-bot-api-secret-token";

fn update() -> String {
    let chat = json!({"id": 100, "type": "private"});
    let message = json!({"message_id": 1, "date": 1_767_268_800, "chat": chat, "text": "Можно записаться?"});
    json!({"update_id": 10_000, "message": message}).to_string()
}

async fn deliver(salon: &Salon, token: &'static str, body: impl Into<actix_web::web::Bytes>) -> Answer {
    salon.send(TestRequest::post().uri("/v1/hooks/tg").insert_header((TOKEN, token)).set_payload(body)).await
}

#[tokio::test]
async fn a_telegram_update_is_taken_as_it_came() {
    let salon = Salon::open();
    let answer = deliver(&salon, TELEGRAM_SECRET, update()).await;
    assert_eq!((answer.status, &answer.body), (200, &json!({})), "an empty object calls no method");
    let deliveries = salon.deliveries();
    let (delivery, body) = &deliveries[0];
    assert_eq!(body, &update());
    assert_eq!(delivery.kind, SourceKind::Telegram);
    assert_eq!(delivery.source.as_str(), "tg");
}

#[tokio::test]
async fn an_update_of_a_kind_nobody_knows_is_taken_too() {
    let salon = Salon::open();
    assert_eq!(deliver(&salon, TELEGRAM_SECRET, r#"{"update_id":1,"brain_wave":{}}"#).await.status, 200);
    assert_eq!(deliver(&salon, TELEGRAM_SECRET, "[]").await.status, 200);
    assert_eq!(salon.messages().len(), 2);
}

#[tokio::test]
async fn without_the_right_token_nothing_is_taken() {
    let salon = Salon::open();
    for (token, slug) in [("wrong", "signature-invalid"), ("", "signature-invalid")] {
        let answer = deliver(&salon, token, update()).await;
        assert_eq!((answer.status, answer.slug()), (401, slug));
    }
    let bare = salon.send(TestRequest::post().uri("/v1/hooks/tg").set_payload(update())).await;
    assert_eq!((bare.status, bare.slug()), (401, "signature-missing"));
    assert!(salon.messages().is_empty());
}

#[tokio::test]
async fn an_unknown_and_a_revoked_source_are_answered_alike() {
    let salon = Salon::open();
    salon.registry.change(|content| content.sources[1].revoked_at = Some(Timestamp::EPOCH));
    let revoked = deliver(&salon, TELEGRAM_SECRET, update()).await;
    let unknown = salon.send(TestRequest::post().uri("/v1/hooks/nobody").set_payload(update())).await;
    let strange =
        salon.send(TestRequest::post().uri("/v1/hooks/%D0%B1%D0%BE%D1%82%00").set_payload("{}")).await;
    for answer in [&revoked, &unknown, &strange] {
        assert_eq!((answer.status, answer.slug()), (404, "not-found"));
    }
    assert_eq!(revoked.stable(), unknown.stable());
}

#[tokio::test]
async fn what_is_not_json_is_refused_at_once() {
    let salon = Salon::open();
    let deep = [b"[".repeat(5_000), b"]".repeat(5_000)].concat();
    for (body, status, slug) in [
        (b"update".to_vec(), 400, "invalid-json"),
        (b"{\"text\":\"\xff\"}".to_vec(), 400, "invalid-json"),
        (br#"{"text":"\ud800"}"#.to_vec(), 400, "invalid-json"),
        (deep, 400, "invalid-json"),
        (Vec::new(), 400, "empty-body"),
        (vec![b' '; 32 * 1024 + 1], 413, "event-too-large"),
    ] {
        let answer = deliver(&salon, TELEGRAM_SECRET, body).await;
        assert_eq!((answer.status, answer.slug()), (status, slug));
    }
    assert!(salon.messages().is_empty());
}

#[tokio::test]
async fn a_chat_of_jivos_that_comes_whole_may_be_as_large_as_what_brings_several_things() {
    let salon = Salon::open();
    salon.registry.change(|content| content.sources[1].kind = SourceKind::Jivo);
    let over = |length: usize| {
        let messages = json!([{"type": "visitor", "message": "a".repeat(length)}]);
        let body = json!({"event_name": "chat_finished", "chat_id": 1, "chat": {"messages": messages}});
        let uri = format!("/v1/hooks/tg?key={TELEGRAM_SECRET}");
        salon.send(TestRequest::post().uri(&uri).set_payload(body.to_string()))
    };
    assert_eq!(over(60 * 1024).await.status, 200);
    let larger = over(64 * 1024).await;
    assert_eq!((larger.status, larger.slug()), (413, "body-too-large"));
    assert_eq!(salon.messages().len(), 1);
}

/// Makes the messenger's source one of another system, read by this mapping.
fn map(salon: &Salon, mapping: &serde_json::Value) {
    let mapping = channels::Mapping::parse(&mapping.to_string()).unwrap();
    salon.registry.change(|content| {
        content.sources[1].kind = SourceKind::Mapping;
        content.sources[1].mapping = Some(mapping.text().clone());
    });
}

fn mapping(verify: serde_json::Value) -> serde_json::Value {
    let set = json!({"channel": "site", "session_id": "/a", "action": "message"});
    json!({"version": 1, "body": "form", "verify": verify, "events": [{"set": set}]})
}

#[tokio::test]
async fn a_form_of_another_system_is_taken_as_it_came_with_the_mapping_beside_it() {
    let salon = Salon::open();
    let mapping = mapping(json!({"by": "header", "name": "X-Api-Key"}));
    map(&salon, &mapping);
    let post = || TestRequest::post().uri("/v1/hooks/tg").set_payload("a=1&b=%D0%B4%D0%B0");
    let answer = salon.send(post().insert_header(("x-api-key", TELEGRAM_SECRET))).await;
    assert_eq!((answer.status, &answer.body), (200, &json!({})));
    let (delivery, body) = salon.deliveries().remove(0);
    assert_eq!((delivery.kind, body.as_str()), (SourceKind::Mapping, "a=1&b=%D0%B4%D0%B0"));
    assert_eq!(delivery.mapping.unwrap().as_str(), mapping.to_string());

    let wrong = salon.send(post().insert_header(("x-api-key", "wrong"))).await;
    assert_eq!((wrong.status, wrong.slug()), (401, "signature-invalid"));
    let bare = salon.send(post().insert_header((TOKEN, TELEGRAM_SECRET))).await;
    assert_eq!((bare.status, bare.slug()), (401, "signature-missing"));
    assert_eq!(salon.messages().len(), 1);
}

#[tokio::test]
async fn another_systems_body_that_should_be_json_and_is_none_is_refused() {
    let salon = Salon::open();
    let mut mapping = mapping(json!({"by": "bearer"}));
    mapping["body"] = "json".into();
    map(&salon, &mapping);
    let bearer = format!("Bearer {TELEGRAM_SECRET}");
    let post = TestRequest::post().uri("/v1/hooks/tg").insert_header(("authorization", bearer));
    let answer = salon.send(post.set_payload("a=1")).await;
    assert_eq!((answer.status, answer.slug()), (400, "invalid-json"));
}

#[tokio::test]
async fn a_mapping_this_release_cannot_read_takes_nothing_and_asks_to_come_again() {
    let salon = Salon::open();
    salon.registry.change(|content| {
        content.sources[1].kind = SourceKind::Mapping;
        content.sources[1].mapping = Some(domain::registry::MappingText::from_text(r#"{"version":2}"#));
    });
    let answer = deliver(&salon, TELEGRAM_SECRET, "{}").await;
    assert_eq!((answer.status, answer.slug()), (503, "store-unavailable"));
    assert!(salon.messages().is_empty());
}
