//! The JSON form of spans, both ways.
//!
//! Read as leniently as it is written in the world: ids in upper or lower case, numbers of 64 bits as texts or as numbers,
//! kinds and codes by number or by name, fields nobody knows. Written in one way, whatever was read.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use prost::Message as _;
use serde_json::{Value, json};

use super::span::is_read_of_a_resource;
use super::wire::any_value::Value as Kind;
use super::wire::{AnyValue, ArrayValue, Event, KeyValue, KeyValueList, Resource, Span, Status};

/// The most values of one span, its events among them, and the deepest; bytes alone bound neither, for an empty value has two.
/// Unfolded, one is a table of nearly a kilobyte, or two, whatever it holds.
const MAX_VALUES: usize = 16_384;
const MAX_DEPTH: usize = 24;

/// The most that is read of a resource, every span of which carries it: a name, a conversation, a door are short.
const MAX_RESOURCE_BYTES: usize = 4 * 1024;

/// Whether a span can be written as JSON, and read again.
pub(super) fn is_small_enough(span: &Span) -> bool {
    let mut left = MAX_VALUES;
    let mut events = span.events.iter();
    events.all(|event| take_one(&mut left) && fit(&event.attributes, MAX_DEPTH, &mut left))
        && fit(&span.attributes, MAX_DEPTH, &mut left)
}

/// Takes one of what is left; whether there was one.
fn take_one(left: &mut usize) -> bool {
    let less = left.checked_sub(1);
    *left = less.unwrap_or_default();
    less.is_some()
}

fn fit(pairs: &[KeyValue], depth: usize, left: &mut usize) -> bool {
    pairs.iter().all(|pair| fits(pair.value.as_ref(), depth, left))
}

fn fits(value: Option<&AnyValue>, depth: usize, left: &mut usize) -> bool {
    let Some(deeper) = depth.checked_sub(1).filter(|_| take_one(left)) else { return false };
    match value.and_then(|value| value.value.as_ref()) {
        Some(Kind::ArrayValue(list)) => list.values.iter().all(|value| fits(Some(value), deeper, left)),
        Some(Kind::KvlistValue(table)) => fit(&table.values, deeper, left),
        _ => true,
    }
}

/// What is read of a resource, as far as it is small enough.
pub(super) fn read_of(mut resource: Resource) -> Resource {
    let (mut bytes, mut values) = (MAX_RESOURCE_BYTES, MAX_VALUES);
    resource.attributes.retain(|pair| {
        if !is_read_of_a_resource(&pair.key) || !fits(pair.value.as_ref(), MAX_DEPTH, &mut values) {
            return false;
        }
        let left = bytes.checked_sub(pair.encoded_len());
        bytes = left.unwrap_or(bytes);
        left.is_some()
    });
    resource
}

/// A request with this one span, and [what is read](read_of) of its resource.
pub(super) fn request_of(resource: &Resource, span: &Span) -> String {
    let resource = json!({ "attributes": table_json(&resource.attributes) });
    json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": [span_json(span)] }] }] })
        .to_string()
}

fn span_json(span: &Span) -> Value {
    let event = |event: &Event| {
        json!({
            "timeUnixNano": event.time_unix_nano.to_string(),
            "name": event.name,
            "attributes": table_json(&event.attributes),
        })
    };
    json!({
        "traceId": hex::encode(&span.trace_id),
        "spanId": hex::encode(&span.span_id),
        "parentSpanId": hex::encode(&span.parent_span_id),
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": span.start_time_unix_nano.to_string(),
        "endTimeUnixNano": span.end_time_unix_nano.to_string(),
        "attributes": table_json(&span.attributes),
        "events": span.events.iter().map(event).collect::<Vec<_>>(),
        "status": { "code": span.status.unwrap_or_default().code },
    })
}

fn table_json<'p>(pairs: impl IntoIterator<Item = &'p KeyValue>) -> Value {
    let pair = |pair: &KeyValue| {
        let value = pair.value.as_ref().map(value_json).unwrap_or_else(|| json!({}));
        json!({ "key": pair.key, "value": value })
    };
    pairs.into_iter().map(pair).collect()
}

fn value_json(value: &AnyValue) -> Value {
    let Some(value) = &value.value else { return json!({}) };
    match value {
        Kind::StringValue(text) => json!({ "stringValue": text }),
        Kind::BoolValue(truth) => json!({ "boolValue": truth }),
        Kind::IntValue(number) => json!({ "intValue": number.to_string() }),
        Kind::DoubleValue(number) if number.is_nan() => json!({ "doubleValue": "NaN" }),
        Kind::DoubleValue(number) if number.is_infinite() => {
            json!({ "doubleValue": if *number > 0.0 { "Infinity" } else { "-Infinity" } })
        }
        Kind::DoubleValue(number) => json!({ "doubleValue": number }),
        Kind::BytesValue(bytes) => json!({ "bytesValue": STANDARD.encode(bytes) }),
        Kind::KvlistValue(table) => json!({ "kvlistValue": { "values": table_json(&table.values) } }),
        Kind::ArrayValue(list) => {
            json!({ "arrayValue": { "values": list.values.iter().map(value_json).collect::<Vec<_>>() } })
        }
    }
}

/// Reads a span; nothing when it is malformed or too large.
pub(super) fn span(value: &Value) -> Option<Span> {
    value.is_object().then_some(())?;
    let span = Span {
        trace_id: id(&value["traceId"])?,
        span_id: id(&value["spanId"])?,
        parent_span_id: id(&value["parentSpanId"])?,
        name: text(&value["name"])?,
        kind: number_or_name(&value["kind"], &KINDS)?,
        start_time_unix_nano: nanos(&value["startTimeUnixNano"])?,
        end_time_unix_nano: nanos(&value["endTimeUnixNano"])?,
        attributes: table(&value["attributes"])?,
        events: list(&value["events"], event)?,
        status: status(&value["status"])?,
    };
    is_small_enough(&span).then_some(span)
}

/// Reads a resource; what of it is malformed, spans can do without.
pub(super) fn resource(value: &Value) -> Resource {
    Resource { attributes: table(&value["attributes"]).unwrap_or_default() }
}

const KINDS: [&str; 6] = [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];
const CODES: [&str; 3] = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

fn status(value: &Value) -> Option<Option<Status>> {
    match value {
        Value::Null => Some(None),
        _ => Some(Some(Status {
            code: number_or_name(value.as_object()?.get("code").unwrap_or(&Value::Null), &CODES)?,
        })),
    }
}

fn event(value: &Value) -> Option<Event> {
    Some(Event {
        time_unix_nano: nanos(&value["timeUnixNano"])?,
        name: text(&value["name"])?,
        attributes: table(&value["attributes"])?,
    })
}

fn table(value: &Value) -> Option<Vec<KeyValue>> {
    list(value, |pair| {
        let value = match &pair["value"] {
            Value::Null => None,
            given => Some(any(given)?),
        };
        Some(KeyValue { key: text(&pair["key"])?, value })
    })
}

fn any(value: &Value) -> Option<AnyValue> {
    let held = value.as_object()?.iter().filter(|(_, held)| !held.is_null());
    // A kind of value that is not known is read as none, as protobuf would.
    let mut known = held.filter_map(|(name, held)| kind(name, held));
    Some(AnyValue { value: known.next().transpose().ok()? })
}

/// The value is not of its kind.
struct Malformed;

fn kind(name: &str, held: &Value) -> Option<Result<Kind, Malformed>> {
    let read = match name {
        "stringValue" => held.as_str().map(|text| Kind::StringValue(text.to_owned())),
        "boolValue" => held.as_bool().map(Kind::BoolValue),
        "intValue" => held.as_i64().or_else(|| held.as_str()?.parse().ok()).map(Kind::IntValue),
        // Rust knows NaN and Infinity by the same names.
        "doubleValue" => held.as_f64().or_else(|| held.as_str()?.parse().ok()).map(Kind::DoubleValue),
        "bytesValue" => {
            let decode = |text| STANDARD.decode(text).or_else(|_not_standard| URL_SAFE.decode(text)).ok();
            held.as_str().and_then(decode).map(Kind::BytesValue)
        }
        "arrayValue" => list(&held["values"], any).map(|values| Kind::ArrayValue(ArrayValue { values })),
        "kvlistValue" => table(&held["values"]).map(|values| Kind::KvlistValue(KeyValueList { values })),
        _ => return None,
    };
    Some(read.ok_or(Malformed))
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::Array(items) => items.iter().map(read).collect(),
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        _ => value.as_str().map(str::to_owned),
    }
}

fn id(value: &Value) -> Option<Vec<u8>> {
    hex::decode(text(value)?).ok()
}

fn nanos(value: &Value) -> Option<u64> {
    match value {
        Value::Null => Some(0),
        Value::String(digits) => digits.parse().ok(),
        number => number.as_u64(),
    }
}

fn number_or_name(value: &Value, names: &[&str]) -> Option<i32> {
    match value {
        Value::Null => Some(0),
        Value::String(name) => i32::try_from(names.iter().position(|known| known == name)?).ok(),
        number => i32::try_from(number.as_i64()?).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: Value) -> Option<Value> {
        let span = span(&json!({ "attributes": [{ "key": "n", "value": value }] }))?;
        Some(span_json(&span)["attributes"][0]["value"].clone())
    }

    #[test]
    fn numbers_are_read_as_texts_and_as_numbers_and_written_in_one_way() {
        for value in [json!({ "intValue": 42 }), json!({ "intValue": "42" })] {
            assert_eq!(number(value), Some(json!({ "intValue": "42" })));
        }
        assert_eq!(number(json!({ "doubleValue": "NaN" })), Some(json!({ "doubleValue": "NaN" })));
        assert_eq!(number(json!({ "doubleValue": -0.5 })), Some(json!({ "doubleValue": -0.5 })));
        assert_eq!(
            number(json!({ "shapeValue": 1 })),
            Some(json!({})),
            "a kind of the future is no value yet"
        );
        assert_eq!(number(json!({ "intValue": "many" })), None);
        assert_eq!(
            number(json!({ "intValue": i64::MAX.to_string() })),
            Some(json!({ "intValue": i64::MAX.to_string() }))
        );
    }

    #[test]
    fn kinds_and_codes_are_read_by_number_and_by_name() {
        let read = |kind: Value, code: Value| {
            let span = span(&json!({ "kind": kind, "status": { "code": code } }))?;
            Some((span.kind, span.status?.code))
        };
        assert_eq!(read(json!(3), json!(2)), Some((3, 2)));
        assert_eq!(read(json!("SPAN_KIND_CLIENT"), json!("STATUS_CODE_ERROR")), Some((3, 2)));
        assert_eq!(read(json!(null), json!(null)), Some((0, 0)));
        assert_eq!(read(json!("SPAN_KIND_DREAM"), json!(0)), None);
    }

    #[test]
    fn a_span_is_the_same_in_both_forms() {
        let given = json!({
            "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174", "name": "chat",
            "kind": 3, "startTimeUnixNano": 1_787_900_400_000_000_000_u64, "endTimeUnixNano": "1787900401250000000",
            "flags": 257, "links": [{}],
            "attributes": [
                { "key": "a", "value": { "arrayValue": { "values": [{ "boolValue": true }, {}, { "bytesValue": "AAE=" }] } } },
                { "key": "k", "value": { "kvlistValue": { "values": [{ "key": "in", "value": {} }] } } },
            ],
            "events": [{ "timeUnixNano": "1", "name": "gen_ai.choice", "attributes": [] }],
            "status": { "code": 2, "message": "secret" },
        });
        let read = span(&given).unwrap();
        let again = Span::decode(read.encode_to_vec().as_slice()).unwrap();
        assert_eq!(again, read);
        assert_eq!(span(&span_json(&again)), Some(read));
    }

    #[test]
    fn what_nests_deeply_or_holds_more_than_anybody_says_is_refused() {
        let nested =
            |depth| (0..depth).fold(json!({}), |inside, _| json!({ "arrayValue": { "values": [inside] } }));
        assert!(number(nested(MAX_DEPTH - 1)).is_some());
        assert_eq!(number(nested(MAX_DEPTH)), None);
        let many = json!({ "arrayValue": { "values": vec![json!({}); MAX_VALUES] } });
        assert_eq!(number(many), None);
    }

    #[test]
    fn events_count_as_much_as_what_they_hold() {
        let of_events = |events: Vec<Value>| span(&json!({ "attributes": [{}], "events": events }));
        let (empty, full) = (json!({}), json!({ "attributes": [{}, {}] }));
        let most =
            of_events(vec![empty.clone(); MAX_VALUES - 1]).expect("with one attribute, all there may be");
        assert!(is_small_enough(&most));
        assert_eq!(of_events(vec![empty; MAX_VALUES]), None);
        assert!(of_events(vec![full.clone(); (MAX_VALUES - 1) / 3]).is_some());
        assert_eq!(of_events(vec![full; MAX_VALUES / 3 + 1]), None);
    }
}
