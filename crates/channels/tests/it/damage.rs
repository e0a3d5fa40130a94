//! Fixtures with something broken off: always an answer, never a panic.

use std::sync::LazyLock;

use channels::{Mapping, Unparsed, parse, parse_mapped};
use domain::observation::Observation;
use domain::quarantine::ReasonClass;
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::{fixtures, mapping};

fn update() -> impl Strategy<Value = Vec<u8>> {
    let mut bodies: Vec<_> = fixtures::all().into_iter().map(|fixture| fixture.body).collect();
    // As often as a messenger's: these are fewer, and read by whatever somebody wrote.
    let examples = mapping::examples().into_values().filter(|example| example.body.starts_with('{'));
    let examples: Vec<_> = examples.map(|example| example.body.into_bytes()).collect();
    bodies.extend(examples.iter().cycle().take(20).cloned());
    prop::sample::select(bodies)
}

/// Pointers to everything inside a value.
pub(crate) fn spots(value: &Value, at: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(keys) => keys.iter().map(|(key, item)| (key.clone(), item)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(n, item)| (n.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    for (key, item) in children {
        let at = format!("{at}/{key}");
        spots(item, &at, found);
        found.push(at);
    }
}

pub(crate) fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<u64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,20}".prop_map(|text| json!(text)),
        Just(json!("a\u{0}")),
        Just(json!([])),
        Just(json!({})),
        Just(json!({ "id": 1 })),
    ]
}

/// What holds for every body, whatever it is.
fn check(body: &[u8]) {
    for kind in SourceKind::ALL {
        judge(parse(kind, body, Timestamp::EPOCH));
    }
    for mapping in mappings() {
        judge(parse_mapped(SourceKind::Mapping, mapping, body, Timestamp::EPOCH));
    }
}

/// Those of the document, read once.
fn mappings() -> &'static [Mapping] {
    static MAPPINGS: LazyLock<Vec<Mapping>> = LazyLock::new(|| {
        let examples = mapping::examples().into_values();
        examples.map(|example| Mapping::parse(&example.mapping).unwrap()).collect()
    });
    &MAPPINGS
}

fn judge(answer: Result<Vec<Observation>, Unparsed>) {
    match answer {
        Ok(observations) => {
            assert!(!observations.is_empty());
            for observation in observations {
                let printed = event_schema::public::print(&observation);
                assert!(event_schema::public::parse(printed).is_ok(), "breaks the rules of the public event");
            }
        }
        Err(unparsed) => {
            assert!(matches!(unparsed.class, ReasonClass::Unreadable | ReasonClass::Invalid));
        }
    }
}

proptest! {
    #[test]
    fn with_a_value_of_another_type(update in update(), spot in any::<Index>(), value in any_value()) {
        let mut update: Value = serde_json::from_slice(&update).unwrap();
        let mut found = Vec::new();
        spots(&update, "", &mut found);
        let spot: &String = spot.get(&found);
        *update.pointer_mut(spot).unwrap() = value;
        check(update.to_string().as_bytes());
    }

    #[test]
    fn with_a_key_missing(update in update(), spot in any::<Index>()) {
        let mut update: Value = serde_json::from_slice(&update).unwrap();
        let mut found = Vec::new();
        spots(&update, "", &mut found);
        let (parent, key) = spot.get(&found).rsplit_once('/').unwrap();
        if let Some(Value::Object(keys)) = update.pointer_mut(parent) {
            keys.remove(key);
        }
        check(update.to_string().as_bytes());
    }

    #[test]
    fn cut_off(update in update(), length in any::<Index>()) {
        check(&update[..length.index(update.len())]);
    }

    #[test]
    fn with_one_byte_changed(mut update in update(), spot in any::<Index>(), byte in any::<u8>()) {
        let spot = spot.index(update.len());
        update[spot] = byte;
        check(&update);
    }

    #[test]
    fn a_mapping_file_with_a_value_of_another_type(
        mapping in prop::sample::select(mappings().to_vec()),
        spot in any::<Index>(),
        value in any_value(),
        body in update(),
    ) {
        let mut file: Value = serde_json::from_str(mapping.text().as_str()).unwrap();
        let mut found = Vec::new();
        spots(&file, "", &mut found);
        *file.pointer_mut(spot.get(&found).as_str()).unwrap() = value;
        if let Ok(mapping) = Mapping::parse(&file.to_string()) {
            judge(parse_mapped(SourceKind::Mapping, &mapping, &body, Timestamp::EPOCH));
        }
    }

    #[test]
    fn replaced_by_any_bytes(body in prop::collection::vec(any::<u8>(), 0..64)) {
        check(&body);
    }
}
