//! Traces, as exporters send them: in both forms, taken apart, and damaged.

use std::fs;

use channels::otlp::{Export, Form, MAX_SPANS, SplitError};
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
const PLENTY: usize = 16 * 1024 * 1024;

/// What an exporter sent as protobuf.
fn export() -> Vec<u8> {
    fs::read(fixtures::folder().join("otlp-protobuf/export.binpb")).unwrap()
}

/// What of a request is taken means, span by span.
fn meaning(export: &Export) -> Vec<Observation> {
    let read = |span: &String| parse(SourceKind::Otlp, span.as_bytes(), received_at()).unwrap();
    export.spans.iter().flat_map(read).collect()
}

fn request(span: &Value) -> Value {
    json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [span] }] }] })
}

fn split(request: &Value) -> Export {
    Form::Json.split(request.to_string().as_bytes(), PLENTY).unwrap()
}

/// A span of an assistant.
fn span(attributes: &Value) -> Value {
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

#[test]
fn millions_of_empty_spans_are_counted_and_not_unfolded() {
    // Field 1, length 0: a resource without anything, in two bytes.
    let resources = [0x0a, 0x00].repeat(2 * 1024 * 1024);
    assert_eq!(Form::Protobuf.split(&resources, 0).unwrap(), Export::default());
    let lists = [r#"{"resourceSpans":["#, &"{},".repeat(128 * 1024), "{}]}"].concat();
    assert_eq!(Form::Json.split(lists.as_bytes(), 0).unwrap(), Export::default());
    let body = field(1, &field(2, &[0x12, 0x00].repeat(1024 * 1024)));
    assert_eq!(Form::Protobuf.split(&body, 0).unwrap().others, 1024 * 1024);
}

#[test]
fn a_span_of_hundreds_of_thousands_of_empty_events_is_refused_and_kept_as_it_came() {
    let span = [
        field(1, &[7; 16]),
        field(2, &[7; 8]),
        field(9, &[field(1, b"gen_ai.operation.name"), field(2, &field(1, b"chat"))].concat()),
        // Field 11, length 0.
        [0x5a, 0x00].repeat(500_000),
    ];
    let protobuf = field(1, &field(2, &field(2, &span.concat())));
    let mut span = self::span(&json!({ "gen_ai.operation.name": "chat" }));
    span["events"] = vec![json!({}); 300_000].into();
    for (form, body) in [(Form::Protobuf, protobuf), (Form::Json, request(&span).to_string().into_bytes())] {
        let export = form.split(&body, PLENTY).unwrap();
        assert_eq!((export.spans.len(), export.refused.len()), (0, 1));
        assert!(export.refused[0].len() <= body.len());
        assert!(parse(SourceKind::Otlp, &body, received_at()).is_err());
    }
}

/// What a turn means in which the model asks for these tools, in each way that lists them.
fn turns_with(calls: &Value) -> [Vec<Observation>; 3] {
    let messages = json!([{ "role": "assistant", "content": "Минуту", "tool_calls": calls }]).to_string();
    let parts = json!([{ "role": "assistant", "parts": parts_of(calls) }]).to_string();
    [
        json!({ "gen_ai.operation.name": "chat", "ai.response.toolCalls": calls.to_string() }),
        json!({ "gen_ai.operation.name": "chat", "gen_ai.output.messages": messages }),
        json!({ "gen_ai.operation.name": "chat", "gen_ai.output.messages": parts }),
    ]
    .map(|attributes| meaning(&split(&request(&span(&attributes)))))
}

fn parts_of(calls: &Value) -> Value {
    let part = |call: &Value| {
        let mut part = call.clone();
        part["type"] = "tool_call".into();
        part
    };
    calls.as_array().unwrap().iter().map(part).collect()
}

fn is_call(seen: &&Observation) -> bool {
    seen.action.as_str() == "tool_call"
}

#[test]
fn calls_of_tools_beyond_what_anybody_makes_are_counted_and_said() {
    for (asked, left_out) in [(128, None), (129, Some(1)), (9_000, Some(8_872))] {
        let calls: Value =
            (0..asked).map(|number| json!({ "name": "hours", "id": number.to_string() })).collect();
        for seen in turns_with(&calls) {
            let called: Vec<_> = seen.iter().filter(is_call).collect();
            assert_eq!(called.len(), 128);
            assert!(called[127].native_id.ends_with(":tool:127"));
            assert!(called.iter().enumerate().all(|(at, call)| call.attributes["call"] == *at.to_string()));
            let said: Vec<_> =
                seen.iter().filter_map(|one| one.attributes.get("tool_calls_left_out")).collect();
            assert_eq!(said, left_out.map(Value::from).iter().collect::<Vec<_>>());
            assert_eq!(seen[0].attributes.get("tool_calls_left_out").cloned(), left_out.map(Value::from));
        }
    }
}

#[test]
fn a_call_that_says_nothing_is_none_and_the_others_keep_their_numbers() {
    for nothing in [json!({}), json!({ "id": "", "name": null, "arguments": null })] {
        for seen in turns_with(&vec![nothing.clone(); 10_000].into()) {
            assert_eq!(seen.len(), 1, "there was an answer");
            assert_eq!((seen[0].action.as_str(), seen[0].actor), ("message", Actor::Assistant));
        }
        let some = json!([nothing, { "id": "7" }, nothing, { "arguments": {} }, { "name": "hours" }]);
        for seen in turns_with(&some) {
            let numbers = seen.iter().filter(is_call).map(|call| call.native_id.rsplit(':').next().unwrap());
            assert_eq!(numbers.collect::<Vec<_>>(), ["1", "3", "4"]);
        }
    }
}

/// Bytes under a number of a protobuf message.
fn field(number: u8, inside: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    prost::encode_length_delimiter(inside.len(), &mut field).unwrap();
    field.extend_from_slice(inside);
    field
}

/// A request of one resource with a service of this name, and so many spans that say as little as can be said, in both forms.
fn many_of_one_service(name: &str, spans: u64) -> [(Form, Vec<u8>); 2] {
    let pair = |key: &[u8], value: &[u8]| [field(1, key), field(2, &field(1, value))].concat();
    let span = |number: u64| {
        let ids = [field(1, &[7; 16]), field(2, &(number + 1).to_be_bytes())].concat();
        field(2, &[ids, field(9, &pair(b"gen_ai.operation.name", b"chat"))].concat())
    };
    let scope = field(2, &(0..spans).flat_map(span).collect::<Vec<_>>());
    let resource = field(1, &field(1, &pair(b"service.name", name.as_bytes())));
    let protobuf = field(1, &[resource, scope].concat());
    let pair = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let span = |number: u64| json!({ "traceId": "07".repeat(16), "spanId": format!("{:016x}", number + 1), "attributes": [pair("gen_ai.operation.name", "chat")] });
    let spans: Vec<_> = (0..spans).map(span).collect();
    let resource = json!({ "attributes": [pair("service.name", name), pair("session.id", "7")] });
    let json = json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": spans }] }] });
    [(Form::Protobuf, protobuf), (Form::Json, json.to_string().into_bytes())]
}

#[test]
fn what_a_resource_says_at_length_is_not_kept_with_each_of_its_spans() {
    for (form, body) in many_of_one_service(&"a".repeat(1_000_000), 1_000) {
        let export = form.split(&body, PLENTY).unwrap();
        assert_eq!(export.spans.len(), 1_000);
        let bytes: usize = export.spans.iter().map(String::len).sum();
        assert!(bytes < 1_000 * 500, "{bytes}");
        assert!(meaning(&export).iter().all(|seen| !seen.attributes.contains_key("service")));
    }
    for (form, body) in many_of_one_service("бот", 1) {
        let seen = meaning(&form.split(&body, PLENTY).unwrap());
        assert_eq!(seen[0].attributes["service"], "бот", "what is short is kept");
    }
}

#[test]
fn a_request_of_too_many_spans_is_not_taken_apart_to_its_end() {
    // Three bytes are a malformed span.
    let malformed = |spans: usize, behind: &[u8]| {
        field(1, &field(2, &[b"\x12\x01\x05".repeat(spans), behind.to_vec()].concat()))
    };
    let export = Form::Protobuf.split(&malformed(MAX_SPANS, b""), PLENTY).unwrap();
    assert_eq!(export.refused.len(), MAX_SPANS);
    // What stands behind the last of these is no protobuf, and is never come to.
    let body = malformed(MAX_SPANS + 1, b"\x12\x09");
    assert_eq!(Form::Protobuf.split(&body, PLENTY), Err(SplitError::TooManySpans));
    let in_json = |spans: usize| {
        let spans = vec![0; spans];
        json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": spans }, 5] }] }).to_string().into_bytes()
    };
    assert_eq!(Form::Json.split(&in_json(MAX_SPANS + 1), PLENTY), Err(SplitError::TooManySpans));
    assert!(matches!(Form::Json.split(&in_json(MAX_SPANS), PLENTY), Err(SplitError::Unparsed(_))));

    let [(_, good), _] = many_of_one_service("бот", u64::try_from(MAX_SPANS).unwrap() + 1);
    assert_eq!(Form::Protobuf.split(&good, PLENTY), Err(SplitError::TooManySpans));
    assert!(parse(SourceKind::Otlp, &good, received_at()).is_err());
}

#[test]
fn no_more_is_kept_of_a_request_than_was_allowed() {
    for (form, body) in many_of_one_service("бот", 10) {
        let kept: usize = form.split(&body, PLENTY).unwrap().spans.iter().map(String::len).sum();
        assert!(form.split(&body, kept).is_ok());
        assert_eq!(form.split(&body, kept - 1), Err(SplitError::TooLarge));
    }
    // What is refused is kept, too.
    let nameless =
        request(&json!({ "name": "chat", "attributes": [{ "key": "gen_ai.system" }] })).to_string();
    assert!(Form::Json.split(nameless.as_bytes(), nameless.len()).is_ok());
    assert_eq!(Form::Json.split(nameless.as_bytes(), nameless.len() - 1), Err(SplitError::TooLarge));
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
