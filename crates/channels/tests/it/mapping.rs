//! The mapping channel: the examples of its document, and what files and bodies do to it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use channels::{Kept, Mapping, MappingError, Unparsed, parse, parse_mapped, preview};
use domain::observation::Observation;
use domain::quarantine::ReasonClass;
use domain::registry::SourceKind;
use event_schema::public;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures;
use crate::meaning::received_at;

/// A body and the mapping it is read by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Example {
    pub(crate) mapping: String,
    pub(crate) body: String,
}

/// The examples of `docs/mapping.md`: two blocks each, with the name of the example behind their language.
pub(crate) fn examples() -> BTreeMap<String, Example> {
    let document = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/mapping.md");
    let document = fs::read_to_string(document).unwrap();
    let mut examples: BTreeMap<String, Example> = BTreeMap::new();
    for block in document.split("\n```").filter_map(|block| block.split_once('\n')) {
        let (Some((language @ ("yaml" | "json" | "form"), name)), content) =
            (block.0.split_once(' '), block.1)
        else {
            continue;
        };
        let example = examples.entry(name.to_owned()).or_default();
        if language == "yaml" {
            example.mapping = content.to_owned()
        } else {
            example.body = content.to_owned()
        }
    }
    assert_eq!(examples.len(), 4);
    examples
}

fn read(mapping: &Value, body: &Value) -> Result<Vec<Observation>, Unparsed> {
    let mapping = Mapping::parse(&mapping.to_string()).unwrap();
    parse_mapped(SourceKind::Mapping, &mapping, body.to_string().as_bytes(), received_at())
}

/// A mapping with one rule that sets this beside what every event needs.
fn with(rule: Value) -> Value {
    let mut whole = json!({ "set": { "channel": "site", "session_id": "/s", "action": "message" } });
    merge(&mut whole, rule);
    json!({ "version": 1, "events": [whole] })
}

fn merge(into: &mut Value, from: Value) {
    match from {
        Value::Object(from) if into.is_object() => {
            for (key, value) in from {
                merge(&mut into[key], value);
            }
        }
        other => *into = other,
    }
}

fn faults(mapping: &Value) -> Vec<(String, String)> {
    let Err(MappingError::Wrong(faults)) = Mapping::parse(&mapping.to_string()) else { panic!("{mapping}") };
    faults.into_iter().map(|fault| (fault.pointer, fault.expected)).collect()
}

#[test]
fn the_examples_mean_what_their_snapshots_say() {
    for (name, Example { mapping, body }) in examples() {
        let mapping = Mapping::parse(&mapping).unwrap();
        let found =
            parse_mapped(SourceKind::Mapping, &mapping, body.trim_end().as_bytes(), received_at()).unwrap();
        let meanings: Vec<_> = found
            .iter()
            .map(|seen| json!({ "native_id": seen.native_id, "event": public::print(seen) }))
            .collect();
        insta::assert_json_snapshot!(format!("mapping--{name}"), meanings);
    }
}

#[test]
fn real_forms_of_a_crm_mean_what_their_snapshots_say_and_its_tokens_are_not_kept() {
    let mapping = Mapping::parse(&examples()["crm"].mapping).unwrap();
    let mut meanings = BTreeMap::new();
    for (name, body) in fixtures::of_bitrix24() {
        let body = body.trim_ascii_end();
        let found = parse_mapped(SourceKind::Mapping, &mapping, body, received_at()).unwrap();
        meanings.insert(name, found.iter().map(public::print).collect::<Vec<_>>());
    }
    let text = serde_json::to_string(&meanings).unwrap();
    for token in [
        "s6p6eclrvim6da22ft9ch94ekreb52lv",
        "51856fefc120afa4b628cc82d3935cce",
        "jvh9y1ulvt2m6k5or90v9mg8nn32ozas",
    ] {
        assert!(!text.contains(token), "{text}");
    }
    insta::assert_json_snapshot!("mapping--bitrix24", meanings);
}

#[test]
fn the_schema_for_editors_and_the_reader_are_of_one_mind() {
    let schema =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../proto-schemas/json/mapping.schema.json");
    let schema: Value = serde_json::from_slice(&fs::read(schema).unwrap()).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let mut right: Vec<Value> = examples()
        .into_values()
        .map(|example| {
            serde_json::from_str(Mapping::parse(&example.mapping).unwrap().text().as_str()).unwrap()
        })
        .collect();
    for by in
        [json!({ "by": "bearer" }), json!({ "by": "standard_webhooks" }), json!({ "by": "body", "at": "/a" })]
    {
        let mut whole =
            with(json!({ "when": { "at": "/a", "not": ["b", 1] }, "each": "", "id": ["a", "/b"] }));
        whole["verify"] = by;
        right.push(whole);
    }
    for mapping in right {
        assert!(schema.is_valid(&mapping) && Mapping::parse(&mapping.to_string()).is_ok(), "{mapping}");
    }
    for rule in [
        json!({ "typo": 1 }),
        json!({ "set": { "channel": null } }),
        json!({ "set": { "channel": { "at": "word" } } }),
        json!({ "set": { "channel": { "at": "/a", "value": 1 } } }),
        json!({ "set": { "channel": { "at": "/a", "else": "site" } } }),
        json!({ "set": { "channel": { "at": "/a", "table": {} } } }),
        json!({ "set": { "timestamp": { "at": "/a", "as": "tomorrow" } } }),
        json!({ "set": { "contact": { "fone": "/a" } } }),
        json!({ "set": { "contact": "/a" } }),
        json!({ "each": "items" }),
        json!({ "id": "word" }),
        json!({ "when": { "is": 1 } }),
        json!({ "when": { "at": "/a", "is": 1, "not": 2 } }),
    ] {
        let mapping = with(rule);
        assert!(!schema.is_valid(&mapping), "{mapping}");
        assert!(Mapping::parse(&mapping.to_string()).is_err(), "{mapping}");
    }
}

#[test]
fn a_mapping_is_kept_as_what_it_was_read_from() {
    for (name, Example { mapping, .. }) in examples() {
        let read = Mapping::parse(&mapping).unwrap();
        let again = Mapping::parse(read.text().as_str()).unwrap();
        assert_eq!(read, again, "{name}");
    }
}

#[test]
fn a_file_is_told_all_that_is_wrong_with_it_and_where() {
    let wrong = json!({ "version": 2, "verify": { "by": "smell" }, "typo": 1, "events": [{
        "each": "items", "when": [{ "at": "/a", "is": "b", "not": "c" }, { "at": "$.[" }], "id": "word",
        "set": { "channel": "pigeon", "timestamp": { "at": "/t", "as": { "format": "%d.%m.%Y" } },
            "contact": { "fone": "/p" }, "action": { "at": "/x", "table": { "1": "two words" } } },
    }] });
    insta::assert_debug_snapshot!(faults(&wrong));
    assert_eq!(faults(&json!([])).len(), 3);
}

#[test]
fn what_is_neither_json_nor_yaml_is_told_so_with_its_line() {
    let error = Mapping::parse("version: 1\nevents: [\n  {at: }").unwrap_err();
    assert!(matches!(error, MappingError::NotReadable { line: 2, .. }), "{error:?}");
    assert_eq!(Mapping::parse(&"a".repeat(100_000)), Err(MappingError::TooLong));
    // A few lines that would become a thousand million.
    let laughs = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                  d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e]";
    assert!(Mapping::parse(laughs).is_err());
}

#[test]
fn what_does_not_fit_is_named_by_its_place_and_never_quoted() {
    let mapping = with(json!({ "each": "/items", "set": { "timestamp": "/date" } }));
    let body = json!({ "items": [{ "s": 1, "date": 5 }, { "s": 1, "date": "yesterday, 89990000001" }] });
    let unparsed = read(&mapping, &body).unwrap_err();
    assert_eq!(unparsed.class, ReasonClass::Invalid);
    assert_eq!(unparsed.pointer.as_deref(), Some("/items/1/date"));
    assert_eq!(
        unparsed.detail,
        "timestamp: must be RFC 3339 with an offset, such as 2025-01-01T12:34:56+03:00"
    );

    let table = with(json!({ "set": { "action": { "at": "$.state", "table": { "new": "book" } } } }));
    let unparsed = read(&table, &json!({ "s": "1", "state": "old" })).unwrap_err();
    assert_eq!(
        (unparsed.pointer, unparsed.detail.as_str()),
        (None, "action, from $.state: must be one of the values that the mapping's table has")
    );
    let missing = read(&with(json!({})), &json!({ "t": 1 })).unwrap_err();
    assert_eq!(
        (missing.pointer.as_deref(), missing.detail.as_str()),
        (Some("/s"), "session_id: is required: your own id of the conversation")
    );
}

#[test]
fn what_no_rule_names_is_kept_with_the_event_and_what_fits_no_rule_whole() {
    let mapping = with(json!({ "when": { "at": "/kind", "is": "said" }, "set": { "user_text": "/a/text" } }));
    let body = json!({ "s": 7, "kind": "said", "a": { "text": "да", "lang": "ru", "nil": null }, "x": [1, "a\u{0}b"] });
    let seen = read(&mapping, &body).unwrap().remove(0);
    assert_eq!((seen.session.as_str(), seen.texts.user.as_deref()), ("7", Some("да")));
    assert_eq!(seen.attributes["unmapped"], json!({ "a": { "lang": "ru" }, "x": [1, "a\u{fffd}b"] }));

    let other = json!({ "kind": "typing", "s": 7 });
    let seen = read(&mapping, &other).unwrap().remove(0);
    assert_eq!((seen.action.as_str(), &seen.attributes["kind"]), ("unknown_update", &json!("unmapped")));
    assert_eq!(seen.attributes["unmapped"], other);
}

#[test]
fn an_event_without_a_time_is_dated_by_its_arrival_and_one_id_serves_both_sides() {
    let said = |actor: &str| json!({ "id": "/n", "set": { "channel": "site", "session_id": "/s", "action": "message", "actor": actor } });
    let mapping = json!({ "version": 1, "events": [said("client"), said("assistant")] });
    let seen = read(&mapping, &json!({ "s": "a", "n": 5 })).unwrap();
    assert!(seen.iter().all(|seen| seen.occurred_at == received_at()));
    let ids: Vec<_> = seen.iter().map(|seen| seen.native_id.as_str()).collect();
    assert_eq!(ids, ["message/client:5", "message/assistant:5"]);
    assert!(
        read(&mapping, &json!({ "s": "a", "n": "" })).is_err(),
        "an id that is not there makes nothing unique"
    );
}

#[test]
fn items_that_say_the_same_are_as_many_events() {
    let mapping = with(json!({ "each": "/items" }));
    let seen = read(&mapping, &json!({ "items": [{ "s": 1 }, { "s": 1 }, { "s": 1 }] })).unwrap();
    let mut ids: Vec<_> = seen.into_iter().map(|seen| seen.native_id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_group_of_which_the_body_says_nothing_is_left_out() {
    let mapping = with(json!({ "set": { "consent": { "purpose": "mailing", "granted": "/ads" },
        "appointment": { "id": "/booking", "starts_at": "/at" } } }));
    let seen = read(&mapping, &json!({ "s": 1 })).unwrap().remove(0);
    assert!(seen.consent.is_none() && seen.appointment.is_none());
    let seen = read(&mapping, &json!({ "s": 1, "ads": "нет", "booking": 5, "at": 1_787_893_200 }))
        .unwrap()
        .remove(0);
    assert!(!seen.consent.unwrap().granted);
    assert_eq!(seen.appointment.unwrap().starts_at.unwrap().to_string(), "2026-08-28T05:00:00Z");
}

#[test]
fn times_are_read_as_the_mapping_says_they_are_written() {
    let at = |clock: Value, written: Value| {
        let mapping = with(json!({ "set": { "timestamp": { "at": "/t", "as": clock } } }));
        read(&mapping, &json!({ "s": 1, "t": written })).map(|seen| seen[0].occurred_at.to_string()).ok()
    };
    let some = |text: &str| Some(text.to_owned());
    let pattern = |format: &str| json!({ "format": format, "offset": "-03:30" });
    assert_eq!(at(json!("unix_seconds"), json!("1787893200")), some("2026-08-28T05:00:00Z"));
    assert_eq!(at(json!("unix_millis"), json!(1_787_893_200_500_i64)), some("2026-08-28T05:00:00.5Z"));
    assert_eq!(at(json!("rfc3339"), json!("2026-08-28T08:00:00+03:00")), some("2026-08-28T05:00:00Z"));
    assert_eq!(at(pattern("%d.%m.%Y %H:%M"), json!("28.08.2026 01:30")), some("2026-08-28T05:00:00Z"));
    assert_eq!(at(pattern("%d.%m.%Y"), json!("28.08.2026")), some("2026-08-28T03:30:00Z"));
    assert_eq!(
        at(json!({ "format": "%Y%m%d%H%M %z" }), json!("202608280800 +0300")),
        some("2026-08-28T05:00:00Z")
    );
    assert_eq!(at(pattern("%d.%m.%Y"), json!("31.02.2026")), None);
    assert_eq!(at(json!("unix_seconds"), json!(i64::MAX)), None);
}

#[test]
fn a_preview_says_of_each_delivery_that_was_kept_what_would_become_of_it() {
    let patched = Mapping::parse(&with(json!({ "set": { "timestamp": "/t" } })).to_string()).unwrap();
    let bodies = [json!({ "s": 1, "t": 0 }), json!({ "s": 1, "t": "soon" })].map(|body| body.to_string());
    let kept = bodies.iter().map(|body| Kept {
        kind: SourceKind::Mapping,
        received_at: received_at(),
        body: body.as_bytes(),
    });
    let found = preview(&patched, kept);
    assert!(found[0].is_ok());
    assert_eq!(found[1].as_ref().unwrap_err().pointer.as_deref(), Some("/t"));
}

#[test]
fn a_source_without_its_mapping_understands_nothing_and_loses_nothing() {
    let unparsed = parse(SourceKind::Mapping, b"{}", received_at()).unwrap_err();
    assert_eq!(unparsed.class, ReasonClass::Unreadable);
}

/// Bytes of it that its events hold, as JSON.
fn held(observations: &[Observation]) -> usize {
    let of_one = |observation: &Observation| {
        let attributes: usize = observation.attributes.values().map(|value| value.to_string().len()).sum();
        attributes + observation.native_id.len()
    };
    observations.iter().map(of_one).sum()
}

#[test]
fn a_body_that_its_mapping_would_multiply_is_refused_with_the_reason() {
    let names: BTreeMap<_, _> = (0..32).map(|number| (format!("a{number}"), "$")).collect();
    let mapping = with(json!({ "each": "/items", "set": { "session_id": "$.s", "attributes": names } }));
    let body = |items| json!({ "s": "s-1", "items": vec!["x".repeat(100); items] });
    let Unparsed { class, pointer, detail } = read(&mapping, &body(1_000)).unwrap_err();
    assert_eq!((class, pointer.as_deref()), (ReasonClass::Unreadable, Some("")));
    assert_eq!(detail, "must become events that hold at most 4 times as much as it does, or 1 MB");
    assert_eq!(read(&mapping, &body(10)).unwrap().len(), 10);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_events_of_a_body_never_hold_many_times_what_it_holds(
        items in 1_usize..400,
        length in 16_usize..2_000,
        places in prop::collection::vec(prop::sample::select(vec!["$", "$.items", "/", "@.said", "/said"]), 0..12),
        has_id in any::<bool>(),
    ) {
        let names: BTreeMap<_, _> = places.iter().enumerate().map(|(n, place)| (format!("a{n}"), place)).collect();
        let mut rule = json!({ "each": "/items", "set": { "session_id": "$.s", "attributes": names } });
        if has_id {
            rule["id"] = "/said".into();
        }
        let item = json!({ "said": "x".repeat(length) });
        let body = json!({ "s": "s-1", "items": vec![item; items] });
        let size = body.to_string().len();
        if let Ok(observations) = read(&with(rule), &body) {
            // Four times what they name, and once what they do not; of a value a little more is counted than is written.
            prop_assert!(held(&observations) <= (7 * size).max(1_024_000 + size));
        }
    }
}
