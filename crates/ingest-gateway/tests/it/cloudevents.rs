//! CloudEvents at the door.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use domain::registry::SourceKind;
use serde_json::{Value, json};

use crate::salon::{Answer, Salon, TELEGRAM_SECRET};

const STRUCTURED: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json; charset=UTF-8";

/// A salon whose messenger is a system that sends CloudEvents.
fn salon() -> Salon {
    let salon = Salon::open();
    salon.registry.change(|content| content.sources[1].kind = SourceKind::Cloudevents);
    salon
}

fn envelope(id: &str) -> Value {
    let data = json!({"text": "Привет"});
    json!({"specversion": "1.0", "type": "ru.example.said", "source": "/bots/1", "id": id, "data": data})
}

fn post() -> TestRequest {
    TestRequest::post()
        .uri("/v1/hooks/tg")
        .insert_header(("authorization", format!("Bearer {TELEGRAM_SECRET}")))
}

async fn send(salon: &Salon, content_type: &str, body: &Value) -> Answer {
    salon.send(post().insert_header(("content-type", content_type)).set_payload(body.to_string())).await
}

fn pointers(answer: &Answer) -> Vec<&str> {
    answer.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn one_event_and_those_of_a_batch_are_taken_as_they_came_each_by_itself() {
    let salon = salon();
    let one = send(&salon, STRUCTURED, &envelope("1")).await;
    assert_eq!((one.status, one.header("cache-control")), (202, Some("private")));
    assert!(one.body["event_id"].is_string());
    let many = send(&salon, BATCH, &json!([envelope("1"), envelope("2")])).await;
    assert_eq!((many.status, &many.body["accepted"]), (202, &json!(2)));
    assert_eq!(many.body["results"][0]["event_id"], one.body["event_id"], "source and id say which it is");
    let bodies: Vec<_> =
        salon.deliveries().into_iter().map(|(delivery, body)| (delivery.kind, body)).collect();
    let kept = |id: &str| (SourceKind::Cloudevents, envelope(id).to_string());
    assert_eq!(bodies, [kept("1"), kept("1"), kept("2")]);
    let none = send(&salon, BATCH, &json!([])).await;
    assert_eq!((none.status, &none.body), (200, &json!({})));
}

#[tokio::test]
async fn data_with_the_envelope_in_headers_is_kept_in_the_structured_form() {
    let salon = salon();
    let post = || {
        [("ce-specversion", "1.0"), ("CE-Type", "ru.example.said"), ("ce-source", "/%D0%B1"), ("ce-id", "1")]
            .into_iter()
            .fold(post(), |post, header| post.insert_header(header))
    };
    let sent = post().insert_header(("content-type", "application/json")).set_payload("{\"a\": 1.50}");
    assert_eq!(salon.send(sent).await.status, 202);
    let (_, kept) = salon.deliveries().remove(0);
    assert_eq!(
        kept,
        r#"{"data":{"a": 1.50},"datacontenttype":"application/json","id":"1","source":"/б","specversion":"1.0","type":"ru.example.said"}"#
    );
    let broken = salon.send(post().insert_header(("ce-subject", "%C0%A0")).set_payload("{")).await;
    assert_eq!((broken.status, broken.slug()), (422, "invalid-event"));
    assert_eq!(pointers(&broken), ["/subject", "/data"]);
}

#[tokio::test]
async fn an_envelope_that_is_not_whole_is_refused_with_its_spots() {
    let salon = salon();
    let none = send(&salon, STRUCTURED, &json!({"data": 1})).await;
    assert_eq!((none.status, none.slug()), (422, "invalid-event"));
    assert_eq!(pointers(&none), ["/specversion", "/id", "/source", "/type"]);
    let lacking = json!({"type": "letopis.event.v1", "data": {"channel": "site"}});
    let mut ours = envelope("1");
    ours.as_object_mut().unwrap().extend(lacking.as_object().unwrap().clone());
    assert_eq!(pointers(&send(&salon, STRUCTURED, &ours).await), ["/data/session_id", "/data/action"]);
    assert_eq!(pointers(&send(&salon, STRUCTURED, &json!([envelope("1")])).await), [""]);
    assert_eq!(pointers(&send(&salon, BATCH, &envelope("1")).await), [""]);
    assert_eq!(pointers(&send(&salon, BATCH, &json!([1, {"id": 2}])).await)[..2], ["/0", "/1/specversion"]);
    let not_json = salon.send(post().insert_header(("content-type", STRUCTURED)).set_payload("{")).await;
    assert_eq!((not_json.status, not_json.slug()), (400, "invalid-json"));
    assert!(salon.messages().is_empty());

    let partly = send(&salon, BATCH, &json!([envelope("1"), {"specversion": "0.3"}])).await;
    assert_eq!((partly.status, &partly.body["accepted"]), (207, &json!(1)));
    assert_eq!(partly.body["results"][1]["errors"][0]["pointer"], "/specversion");
    assert_eq!(salon.messages().len(), 1);
}

#[tokio::test]
async fn what_is_no_event_or_comes_from_nobody_known_is_not_read() {
    let salon = salon();
    for content_type in ["application/json", "application/cloudevents+avro", "application/cloudevents"] {
        let answer = send(&salon, content_type, &envelope("1")).await;
        assert_eq!((answer.status, answer.slug()), (415, "unsupported-media-type"), "{content_type}");
    }
    let bare = |uri: &str| TestRequest::post().uri(uri).insert_header(("content-type", STRUCTURED));
    let body = envelope("1").to_string();
    let missing = salon.send(bare("/v1/hooks/tg").set_payload(body.clone())).await;
    assert_eq!((missing.status, missing.slug()), (401, "signature-missing"));
    let wrong = salon.send(bare("/v1/hooks/tg?access_token=wrong").set_payload(body.clone())).await;
    assert_eq!((wrong.status, wrong.slug()), (401, "signature-invalid"));
    assert!(salon.messages().is_empty());
    for parameter in ["access_token", "key"] {
        let uri = format!("/v1/hooks/tg?{parameter}={TELEGRAM_SECRET}");
        assert_eq!(salon.send(bare(&uri).set_payload(body.clone())).await.status, 202);
    }
}

#[tokio::test]
async fn a_mapping_travels_with_the_event() {
    let salon = salon();
    let set = json!({"channel": "site", "session_id": "/subject", "action": "message"});
    let mapping =
        channels::Mapping::parse(&json!({"version": 1, "events": [{"set": set}]}).to_string()).unwrap();
    salon.registry.change(|content| content.sources[1].mapping = Some(mapping.text().clone()));
    assert_eq!(send(&salon, STRUCTURED, &envelope("1")).await.status, 202);
    let (delivery, _) = salon.deliveries().remove(0);
    assert_eq!(delivery.mapping.as_ref(), Some(mapping.text()));
}

#[tokio::test]
async fn whoever_asks_first_is_told_that_it_may_deliver() {
    let salon = salon();
    let ask = |uri: &str| TestRequest::default().method(Method::OPTIONS).uri(uri);
    let named = |uri: &str| ask(uri).insert_header(("WebHook-Request-Origin", "eventemitter.example.com"));
    let consent = salon.send(named("/v1/hooks/tg").insert_header(("WebHook-Request-Rate", "120"))).await;
    assert_eq!((consent.status, consent.header("allow")), (200, Some("POST")));
    assert_eq!(consent.header("webhook-allowed-origin"), Some("eventemitter.example.com"));
    assert_eq!(consent.header("webhook-allowed-rate"), Some("120"));
    assert_eq!(salon.send(named("/v1/hooks/tg?key=wrong")).await.status, 401);
    let nameless = salon.send(ask("/v1/hooks/tg")).await;
    assert_eq!((nameless.status, nameless.header("allow")), (405, Some("POST")));
    for uri in ["/v1/hooks/bot", "/v1/hooks/nobody"] {
        let other = salon.send(named(uri)).await;
        assert_eq!((other.status, other.header("webhook-allowed-origin")), (404, None));
    }
}
