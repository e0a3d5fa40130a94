//! CloudEvents: envelopes right and wrong, in three forms, and what is inside.

use channels::cloudevents::{Consent, EVENT_TYPE, Mode, from_headers, read};
use channels::{Delivery, Mapping, VerifyError, parse, parse_mapped};
use domain::observation::Observation;
use domain::quarantine::ReasonClass;
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use event_schema::public;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures;
use crate::meaning::received_at;

fn envelope(more: Value) -> Value {
    let mut event =
        json!({ "specversion": "1.0", "type": "ru.example.said", "source": "/bots/1", "id": "1" });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

fn only(event: &Value) -> Observation {
    let mut seen = parse(SourceKind::Cloudevents, event.to_string().as_bytes(), received_at()).unwrap();
    assert_eq!(seen.len(), 1);
    seen.remove(0)
}

/// Where an event is wrong.
fn wrong(event: &Value) -> Vec<String> {
    let violations = read(event, received_at()).map(drop).unwrap_err();
    violations.into_iter().map(|violation| violation.pointer).collect()
}

#[test]
fn an_envelope_is_told_all_that_is_wrong_with_it() {
    assert_eq!(wrong(&json!({})), ["/specversion", "/id", "/source", "/type"]);
    assert_eq!(wrong(&json!([])), [""]);
    let strange =
        envelope(json!({ "specversion": "0.3", "id": "", "source": 7, "type": "a\nb", "time": "yesterday",
        "subject": " ", "data": 1, "data_base64": "***" }));
    assert_eq!(
        wrong(&strange),
        ["/specversion", "/id", "/source", "/type", "/subject", "/time", "/data", "/data_base64"]
    );
    for more in [json!({ "specversion": 1.0 }), json!({ "specversion": "1" }), json!({ "specversion": null })]
    {
        assert_eq!(wrong(&envelope(more)), ["/specversion"]);
    }
    assert_eq!(
        only(&envelope(json!({ "time": null, "subject": null, "data": null }))).occurred_at,
        received_at()
    );
}

#[test]
fn an_event_of_ours_is_checked_inside_and_pointed_into() {
    let ours = |key: &str, data: Value| envelope(json!({ "type": EVENT_TYPE, key: data }));
    let lacking = json!({ "channel": "pigeon", "session_id": "s", "action": "message" });
    assert_eq!(wrong(&ours("data", lacking)), ["/data/channel"]);
    assert_eq!(wrong(&ours("data", json!("text"))), ["/data"]);
    assert_eq!(wrong(&envelope(json!({ "type": EVENT_TYPE }))), ["/data"]);
    assert_eq!(wrong(&ours("data_base64", json!("e30="))).last().unwrap(), "/data_base64/action");
    let unparsed = parse(
        SourceKind::Cloudevents,
        json!([envelope(json!({})), ours("data", json!([]))]).to_string().as_bytes(),
        received_at(),
    )
    .unwrap_err();
    assert_eq!((unparsed.class, unparsed.pointer.as_deref()), (ReasonClass::Invalid, Some("/1/data")));
}

#[test]
fn source_and_id_make_an_event_that_event_and_nothing_else_does() {
    let id = |more: Value| only(&envelope(more)).native_id;
    let first = id(json!({}));
    assert_eq!(id(json!({ "type": "ru.example.other", "data": 1, "time": "2026-01-01T00:00:00Z" })), first);
    let data = json!({ "channel": "site", "session_id": "s", "action": "message",
        "event_id": "0190b3a4-7c1e-7a3b-9d57-5f3c2b1a0e4d" });
    let ours = only(&envelope(json!({ "type": EVENT_TYPE, "data": data })));
    assert_eq!((ours.native_id.as_str(), ours.event_id), (first.as_str(), None));
    for more in [
        json!({ "id": "2" }),
        json!({ "source": "/bots/11", "id": "" }),
        json!({ "source": "/bots/1\",\"1" }),
    ] {
        if more["id"] != "" {
            assert_ne!(id(more), first);
        }
    }
}

#[test]
fn what_the_binary_form_brings_is_the_structured_form() {
    let structured: Value =
        serde_json::from_slice(&fixtures::one(SourceKind::Cloudevents, "structured")).unwrap();
    let headers = [
        ("ce-specversion", &b"1.0"[..]),
        ("ce-type", b"ru.example.chat.message.created"),
        ("ce-source", b"/assistants/salon"),
        ("ce-id", b"A234-1234-1234"),
        ("ce-time", b"2026-08-20T11:52:22Z"),
        ("ce-subject", b"conv-123"),
        ("ce-datacontenttype", b"text/plain"),
        ("ce-data", b"other"),
        ("content-length", b"25"),
    ];
    let body = "{\"text\": \"Привет 👋\"}".as_bytes();
    let event = from_headers(headers, Some(b"application/json"), body).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&event).unwrap(), structured);
    assert_eq!(event, from_headers(headers.into_iter().rev(), Some(b"application/json"), body).unwrap());
}

#[test]
fn data_of_every_type_stands_where_it_belongs() {
    let data = |content_type: Option<&[u8]>, body: &[u8]| {
        let event = from_headers([("ce-id", &b"1"[..])], content_type, body);
        event.map(|event| {
            let mut event: Value = serde_json::from_str(&event).unwrap();
            let event = event.as_object_mut().unwrap();
            event.remove("datacontenttype");
            event.remove("id");
            Value::Object(std::mem::take(event))
        })
    };
    assert_eq!(data(None, b"[1.50]").unwrap(), json!({ "data": [1.5] }));
    assert_eq!(data(Some(b"application/vnd.x+json; v=1"), b"5").unwrap(), json!({ "data": 5 }));
    assert_eq!(data(Some(b"text/plain"), "да".as_bytes()).unwrap(), json!({ "data": "да" }));
    assert_eq!(data(Some(b"application/xml"), b"<x/>").unwrap(), json!({ "data_base64": "PHgvPg==" }));
    assert_eq!(data(Some(b"text/plain"), b"\xff").unwrap(), json!({ "data_base64": "/w==" }));
    assert_eq!(data(Some(b"application/json"), b"").unwrap(), json!({}));
    assert_eq!(data(Some(b"application/json"), b"{").unwrap_err()[0].pointer, "/data");
    let kept =
        from_headers([("ce-id", &b"1"[..])], None, b"{\"n\":12345678901234567890123, \"n\":1.50}").unwrap();
    assert!(kept.contains("{\"n\":12345678901234567890123, \"n\":1.50}"), "as it was written: {kept}");
}

#[test]
fn headers_that_are_wrong_are_named() {
    let pointers = |headers: &[(&'static str, &'static [u8])]| {
        let violations = from_headers(headers.iter().copied(), None, b"").unwrap_err();
        violations.into_iter().map(|violation| violation.pointer).collect::<Vec<_>>()
    };
    assert_eq!(pointers(&[("ce-id", b"1"), ("ce-id", b"2")]), ["/id"]);
    assert_eq!(pointers(&[("ce-source", b"%C0%A0"), ("ce-subject", b"%FF")]), ["/source", "/subject"]);
}

#[test]
fn forms_are_told_by_the_media_type_a_batch_before_one() {
    let mode = |content_type: &str| Mode::of(Some(content_type.as_bytes()), true);
    assert_eq!(mode("application/cloudevents+json; charset=UTF-8"), Some(Mode::Structured));
    assert_eq!(mode("Application/CloudEvents-Batch+JSON"), Some(Mode::Batch));
    assert_eq!(mode("application/json"), Some(Mode::Binary));
    assert_eq!(mode("application/cloudevents+avro"), None);
    assert_eq!(mode("application/cloudevents-batch+protobuf"), None);
    assert_eq!(Mode::of(Some(b"application/json"), false), None);
    assert_eq!(Mode::of(None, true), Some(Mode::Binary));
}

#[test]
fn a_mapping_reads_what_is_not_ours() {
    let mapping = json!({ "version": 1, "events": [{ "set": { "channel": "site", "session_id": "/subject",
        "action": "message", "actor": "client", "user_text": "/data/text" } }] });
    let mapping = Mapping::parse(&mapping.to_string()).unwrap();
    let read = |event: &Value| {
        let body = event.to_string();
        parse_mapped(SourceKind::Cloudevents, &mapping, body.as_bytes(), received_at())
            .map(|mut seen| seen.remove(0))
    };
    let plain =
        envelope(json!({ "subject": "conv-1", "time": "2026-08-20T11:52:22Z", "data": { "text": "да" } }));
    let packed = envelope(
        json!({ "subject": "conv-1", "time": "2026-08-20T11:52:22Z", "data_base64": "eyJ0ZXh0IjoiZGEifQ==" }),
    );
    for (event, said) in [(&plain, "да"), (&packed, "da")] {
        let seen = read(event).unwrap();
        assert_eq!((seen.session.as_str(), seen.texts.user.as_deref()), ("conv-1", Some(said)));
        assert_eq!(seen.occurred_at.to_string(), "2026-08-20T11:52:22Z", "the envelope's time");
        assert_eq!(seen.native_id, only(event).native_id);
    }
    let ours = json!({ "channel": "vk", "session_id": "s", "action": "message" });
    let ours = envelope(json!({ "type": EVENT_TYPE, "data": ours }));
    assert_eq!(read(&ours).unwrap(), only(&ours), "ours needs none");
    assert_eq!(read(&envelope(json!({}))).unwrap_err().pointer.as_deref(), Some("/subject"));
}

fn asked(
    headers: &[(&'static str, &'static [u8])],
    secrets: &[&[u8]],
) -> Option<Result<Consent, VerifyError>> {
    let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let delivery = Delivery { header: &header, query: &|_name| None, body: b"" };
    Consent::asked(&delivery, secrets, 6_000)
}

#[test]
fn whoever_asks_whether_it_may_deliver_is_told_how_much() {
    let origin = ("webhook-request-origin", &b"eventemitter.example.com"[..]);
    let consent = |rate| Some(Ok(Consent { origin: "eventemitter.example.com".to_owned(), rate }));
    assert_eq!(asked(&[origin], &[b"s"]), consent(6_000));
    assert_eq!(asked(&[origin, ("webhook-request-rate", b"120")], &[b"s"]), consent(120));
    assert_eq!(asked(&[origin, ("webhook-request-rate", b"999999")], &[b"s"]), consent(6_000));
    assert_eq!(asked(&[origin, ("authorization", b"Bearer s")], &[b"s"]), consent(6_000));
    assert_eq!(asked(&[origin, ("authorization", b"Bearer t")], &[b"s"]), Some(Err(VerifyError::WrongProof)));
    assert_eq!(asked(&[], &[b"s"]), None);
    assert_eq!(asked(&[("webhook-request-origin", b"a b<script>")], &[b"s"]), None);
}

proptest! {
    #[test]
    fn headers_and_a_body_of_any_bytes_are_an_event_or_told_what_is_wrong(
        headers in prop::collection::vec(("ce-[a-z0-9]{0,6}|ce-specversion|ce-id|ce-source|ce-type|ce-time", prop::collection::vec(any::<u8>(), 0..12)), 0..6),
        content_type in prop::option::of("application/json|text/plain|[a-z/+;]{0,12}"),
        body in prop::collection::vec(any::<u8>(), 0..24),
    ) {
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let content_type = content_type.as_deref().map(str::as_bytes);
        if let Ok(event) = from_headers(headers, content_type, &body) {
            let event: Value = serde_json::from_str(&event).unwrap();
            if let Ok(seen) = read(&event, Timestamp::EPOCH) {
                prop_assert!(public::parse(public::print(&seen)).is_ok());
            }
        }
    }
}
