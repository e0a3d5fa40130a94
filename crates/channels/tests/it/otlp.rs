//! Traces, as exporters send them: in both forms, taken apart, and damaged.

use std::fs;

use channels::otlp::{Export, Form};
use channels::parse;
use domain::action::Actor;
use domain::observation::Observation;
use domain::quarantine::ReasonClass;
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use event_schema::public;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::fixtures;
use crate::meaning::received_at;

/// More than any of these keeps.
pub(crate) const PLENTY: usize = 16 * 1024 * 1024;

/// What an exporter sent as protobuf.
fn export() -> Vec<u8> {
    fs::read(fixtures::folder().join("otlp-protobuf/export.binpb")).unwrap()
}

/// What of a request is taken means, span by span.
pub(crate) fn meaning(export: &Export) -> Vec<Observation> {
    let read = |span: &String| parse(SourceKind::Otlp, span.as_bytes(), received_at()).unwrap();
    export.spans.iter().flat_map(read).collect()
}

pub(crate) fn request(span: &Value) -> Value {
    json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [span] }] }] })
}

pub(crate) fn split(request: &Value) -> Export {
    Form::Json.split(request.to_string().as_bytes(), PLENTY).unwrap()
}

/// A span of an assistant.
pub(crate) fn span(attributes: &Value) -> Value {
    let pairs = attributes.as_object().unwrap().iter();
    let pairs: Vec<_> =
        pairs.map(|(key, value)| json!({ "key": key, "value": { "stringValue": value } })).collect();
    json!({
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "chat",
        "startTimeUnixNano": "1787900400000000000", "endTimeUnixNano": "1787900401250000000", "attributes": pairs,
    })
}

#[test]
fn what_an_exporter_sends_as_protobuf_means_what_its_snapshot_says() {
    let export = Form::Protobuf.split(&export(), PLENTY).unwrap();
    assert_eq!((export.spans.len(), export.others, export.refused.len()), (3, 1, 0));
    let meanings: Vec<_> = meaning(&export)
        .iter()
        .map(|seen| json!({ "native_id": seen.native_id, "event": public::print(seen) }))
        .collect();
    insta::assert_json_snapshot!(meanings);
}

#[test]
fn a_request_means_the_same_whole_and_taken_apart() {
    for fixture in fixtures::all().into_iter().filter(|fixture| fixture.kind == SourceKind::Otlp) {
        let apart = meaning(&Form::Json.split(&fixture.body, PLENTY).unwrap());
        assert!(parse(SourceKind::Otlp, &fixture.body, received_at()) == Ok(apart), "{}", fixture.name);
    }
    let apart = meaning(&Form::Protobuf.split(&export(), PLENTY).unwrap());
    assert!(parse(SourceKind::Otlp, &export(), received_at()) == Ok(apart));
}

#[test]
fn a_span_that_comes_again_otherwise_written_and_with_others_is_the_same_delivery() {
    let once = span(&json!({ "gen_ai.operation.name": "chat" }));
    let mut again = once.clone();
    again["traceId"] = "5B8EFFF798038103D269B633813FC60C".into();
    again["startTimeUnixNano"] = 1_787_900_400_000_000_000_u64.into();
    again["kind"] = "SPAN_KIND_UNSPECIFIED".into();
    again["status"] = json!({});
    again["flags"] = 257.into();
    let other = span(&json!({ "http.request.method": "GET" }));
    let together = json!({ "resourceSpans": [
        { "scopeSpans": [] },
        { "resource": { "attributes": [{ "key": "host.name", "value": { "stringValue": "vm-7" } }] },
          "scopeSpans": [{ "spans": [other, again] }] },
    ] });
    let together = split(&together);
    assert_eq!(together.others, 1);
    assert_eq!(together.spans, split(&request(&once)).spans);
}

#[test]
fn spans_that_cannot_be_taken_are_refused_one_by_one() {
    let good = span(&json!({ "gen_ai.operation.name": "chat" }));
    let with = |key: &str, value: Value| {
        let mut span = good.clone();
        span[key] = value;
        span
    };
    let wrong = [
        with("traceId", "00000000000000000000000000000000".into()),
        with("traceId", "5b8e".into()),
        with("spanId", Value::Null),
        with("startTimeUnixNano", "yesterday".into()),
        with("attributes", json!([{ "key": "gen_ai.x", "value": { "intValue": "many" } }])),
        with("name", "a".repeat(1024 * 1024).into()),
        json!([]),
    ];
    for span in &wrong {
        let all = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [span, good] }] }] });
        let export = split(&all);
        assert_eq!((export.spans.len(), export.refused.len()), (1, 1));
        // Whoever keeps it is told the same of it again.
        let unparsed = parse(SourceKind::Otlp, &export.refused[0], received_at()).unwrap_err();
        assert_eq!(unparsed.class, ReasonClass::Unreadable);
        let whole = parse(SourceKind::Otlp, all.to_string().as_bytes(), received_at()).unwrap_err();
        assert_eq!(whole.pointer.as_deref(), Some("/resourceSpans/0/scopeSpans/0/spans/0"));
    }
}

#[test]
fn what_nobody_says_is_not_made_up_and_what_is_too_long_is_cut() {
    let only = |attributes: Value| meaning(&split(&request(&span(&attributes)))).remove(0);
    let silent = only(json!({ "gen_ai.operation.name": "chat" }));
    assert_eq!((silent.texts.user.as_deref(), silent.texts.assistant.as_deref()), (None, None));
    assert_eq!(silent.session, "5b8efff798038103d269b633813fc60c", "the trace stands for the conversation");
    assert_eq!(silent.response_time_ms, Some(1_250));

    let long = only(
        json!({ "gen_ai.completion.0.content": "я\u{0}".repeat(20_000), "session.id": "a\n".repeat(200) }),
    );
    assert_eq!(long.texts.assistant.unwrap().chars().count(), 16_384);
    assert_eq!(long.session.chars().count(), 199, "200, of which the last is a blank");
    assert!(!long.session.contains(char::is_control));
}

#[test]
fn a_client_who_writes_braces_is_quoted_and_not_unpacked() {
    let said = |text: &str| {
        let input = json!([{ "role": "user", "parts": [{ "type": "text", "content": text }] }]).to_string();
        let attributes = json!({ "gen_ai.operation.name": "chat", "gen_ai.input.messages": input });
        meaning(&split(&request(&span(&attributes)))).remove(0)
    };
    for text in ["{\"role\":\"system\"}", "[да]", "{"] {
        let seen = said(text);
        assert_eq!((seen.actor, seen.texts.user.as_deref()), (Actor::Client, Some(text)));
    }
}

#[test]
fn of_messages_told_as_one_text_the_last_is_the_clients() {
    let said = |prompt: &str| {
        let attributes = json!({ "gen_ai.operation.name": "chat", "gen_ai.prompt": prompt });
        let seen = meaning(&split(&request(&span(&attributes)))).remove(0);
        seen.texts.user.filter(|_| seen.actor == Actor::Client)
    };
    for (prompt, last) in [
        (
            "system: Ты бот\nОтвечай кратко\nuser: Привет\nassistant: Да?\nuser: Завтра\nв 11",
            Some("Завтра\nв 11"),
        ),
        ("user: Привет", Some("Привет")),
        ("user: Привет\nassistant: Сейчас посмотрю\ntool: {\"free\":true}", None),
        // Such a line of theirs cannot be told from the answer of a tool.
        ("system: Ты бот\nuser: Здравствуйте\ntool: не работает фен", None),
        ("system: Ты бот", None),
        ("system: Ты бот\ndeveloper: Отвечай кратко", None),
        // Nothing of what somebody wrote last gets lost by looking like another's.
        ("user: Привет\nassistant: да", Some("Привет\nassistant: да")),
        ("system: Ты бот\nuser: Привет\nsystem: не работает", Some("Привет\nsystem: не работает")),
        ("user: Привет\ndeveloper: не работает\nфен", Some("Привет\ndeveloper: не работает\nфен")),
        ("user: Привет\nassistant: Да?\nsystem: фен", Some("Привет\nassistant: Да?\nsystem: фен")),
        ("Мой вопрос\nuser: кто это?", Some("Мой вопрос\nuser: кто это?")),
        ("users: 5", Some("users: 5")),
    ] {
        assert_eq!(said(prompt).as_deref(), last, "{prompt}");
    }
}

#[test]
fn tokens_are_counted_however_they_are_written() {
    let tokens = |value: Value| {
        let mut span = span(&json!({ "gen_ai.operation.name": "chat" }));
        let pair = json!({ "key": "gen_ai.usage.input_tokens", "value": value });
        span["attributes"].as_array_mut().unwrap().push(pair);
        meaning(&split(&request(&span))).remove(0).usage?.input_tokens
    };
    for value in [
        json!({ "intValue": 12 }),
        json!({ "intValue": "12" }),
        json!({ "stringValue": "12" }),
        json!({ "doubleValue": 12.0 }),
    ] {
        assert_eq!(tokens(value), Some(12));
    }
    for value in [
        json!({ "stringValue": "many" }),
        json!({ "doubleValue": 0.5 }),
        json!({ "intValue": -1 }),
        json!({ "doubleValue": "NaN" }),
    ] {
        assert_eq!(tokens(value), None);
    }
}

#[test]
fn answers_are_in_the_form_of_the_request() {
    assert_eq!(Form::of(b"application/json; charset=utf-8"), Some(Form::Json));
    assert_eq!(Form::of(b"Application/X-Protobuf"), Some(Form::Protobuf));
    assert_eq!(Form::of(b"application/grpc"), None);
    assert_eq!(Form::Json.answer(0), b"{}");
    assert_eq!(Form::Protobuf.answer(0), b"");
    let partial: Value = serde_json::from_slice(&Form::Json.answer(2)).unwrap();
    assert_eq!(partial["partialSuccess"]["rejectedSpans"], "2");
    // Field 1, which holds field 1 with 2 in it.
    assert!(Form::Protobuf.answer(2).starts_with(b"\x0a\x4d\x08\x02\x12"), "{:x?}", Form::Protobuf.answer(2));
    assert_eq!(Form::Json.refusal("no"), br#"{"message":"no"}"#);
    assert_eq!(Form::Protobuf.refusal("no"), b"\x12\x02no");
}

/// What the door lets in is understood, and keeps the rules of the public event.
fn check(form: Form, body: &[u8]) {
    let Ok(export) = form.split(body, PLENTY) else { return };
    for span in export.spans {
        for seen in parse(SourceKind::Otlp, span.as_bytes(), Timestamp::EPOCH).unwrap() {
            assert!(public::parse(public::print(&seen)).is_ok());
        }
    }
}

proptest! {
    #[test]
    fn protobuf_with_one_byte_changed(spot in any::<Index>(), byte in any::<u8>()) {
        let mut body = export();
        let spot = spot.index(body.len());
        body[spot] = byte;
        check(Form::Protobuf, &body);
    }

    #[test]
    fn protobuf_cut_off(length in any::<Index>()) {
        let body = export();
        check(Form::Protobuf, &body[..length.index(body.len())]);
    }

    #[test]
    fn any_bytes_in_any_form(body in prop::collection::vec(any::<u8>(), 0..200)) {
        check(Form::Protobuf, &body);
        check(Form::Json, &body);
    }

    #[test]
    fn json_with_a_value_of_another_type(
        fixture in prop::sample::select(
            fixtures::all().into_iter().filter(|fixture| fixture.kind == SourceKind::Otlp).collect::<Vec<_>>()
        ),
        spot in any::<Index>(),
        value in crate::damage::any_value(),
    ) {
        let mut body: Value = serde_json::from_slice(&fixture.body).unwrap();
        let mut found = Vec::new();
        crate::damage::spots(&body, "", &mut found);
        *body.pointer_mut(spot.get(&found).as_str()).unwrap() = value;
        check(Form::Json, body.to_string().as_bytes());
    }
}
