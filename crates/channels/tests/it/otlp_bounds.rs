//! Traces that are small as they come, and large unfolded: what is taken of them, and what is refused before that.

use channels::otlp::{Export, Form, MAX_SPANS, SplitError};
use channels::parse;
use domain::action::Actor;
use domain::observation::Observation;
use domain::registry::SourceKind;
use serde_json::{Value, json};

use crate::meaning::received_at;
use crate::otlp::{PLENTY, meaning, request, span, split};

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
    let fields = [
        field(1, &[7; 16]),
        field(2, &[7; 8]),
        field(9, &[field(1, b"gen_ai.operation.name"), field(2, &field(1, b"chat"))].concat()),
        // Field 11, length 0.
        [0x5a, 0x00].repeat(500_000),
    ];
    let protobuf = field(1, &field(2, &field(2, &fields.concat())));
    let mut span = span(&json!({ "gen_ai.operation.name": "chat" }));
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
