//! The JSON Schema and the parser agree on every example under `proto-schemas/json/examples`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use domain::action::Action;
use event_schema::public::{parse, print};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::strategies::observation;
use crate::text::assert_read_alike;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../proto-schemas/json")
}

fn read(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn schema() -> Value {
    read(folder().join("event.schema.json"))
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

/// The examples of a folder by their names.
fn examples(kind: &str) -> BTreeMap<String, Value> {
    let files = fs::read_dir(folder().join("examples").join(kind)).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let examples: BTreeMap<_, _> =
        paths.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), read(path))).collect();
    assert!(examples.len() > 20, "the corpus is gone");
    examples
}

fn with(key: &str, value: Value) -> Value {
    let mut event = json!({
        "timestamp": "2025-01-01T12:34:56+03:00", "channel": "site", "session_id": "s-1", "action": "message",
    });
    event[key] = value;
    event
}

#[test]
fn valid_examples_are_valid_to_both() {
    let validator = validator();
    for (name, event) in examples("valid") {
        assert!(
            validator.is_valid(&event),
            "{name}: {:?}",
            validator.iter_errors(&event).collect::<Vec<_>>()
        );
        assert_read_alike(event.to_string().as_bytes());
        let parsed = parse(event);
        assert!(parsed.is_ok(), "{name}: {parsed:?}");
    }
}

/// The words of every complaint are an interface: people read them, and `invalid.expected.json` shows them.
#[test]
fn invalid_examples_are_invalid_to_both_and_the_parser_says_why() {
    let validator = validator();
    let mut found = serde_json::Map::new();
    for (name, event) in examples("invalid") {
        assert!(!validator.is_valid(&event), "{name} is valid to the schema");
        assert_read_alike(event.to_string().as_bytes());
        let violations = parse(event).expect_err(&name);
        let violations: serde_json::Map<_, _> =
            violations.into_iter().map(|violation| (violation.pointer, violation.expected.into())).collect();
        found.insert(name, violations.into());
    }
    let path = folder().join("examples/invalid.expected.json");
    if !path.exists() {
        fs::write(&path, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
        panic!("the file of expected complaints did not exist and was written: look at it, then commit it");
    }
    assert_eq!(Value::Object(found), read(path));
}

#[test]
fn the_limits_are_the_same_to_both() {
    let validator = validator();
    let text = |length| Value::from("я".repeat(length));
    for (key, value, expected) in [
        ("user_text", text(16_384), true),
        ("user_text", text(16_385), false),
        ("assistant_response", text(16_384), true),
        ("assistant_response", text(16_385), false),
        ("session_id", text(10_240), false),
        ("payload_hash", text(256), true),
        ("payload_hash", text(257), false),
    ] {
        let event = with(key, value);
        assert_eq!(validator.is_valid(&event), expected, "{key} to the schema");
        assert_eq!(parse(event).is_ok(), expected, "{key} to the parser");
    }
}

#[test]
fn the_schema_lists_every_key_the_parser_knows() {
    let every = examples("valid").remove("every-field").unwrap();
    let printed = print(&parse(every).unwrap());
    let printed: BTreeSet<_> = printed.as_object().unwrap().keys().cloned().collect();
    let listed: BTreeSet<_> = schema()["properties"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(printed, listed);
}

#[test]
fn the_page_for_developers_names_every_key_and_every_action() {
    let page = fs::read_to_string(folder().join("../../docs/event.md")).unwrap();
    for key in schema()["properties"].as_object().unwrap().keys() {
        assert!(page.contains(&format!("`{key}`")), "{key}");
    }
    let actions = schema()["properties"]["action"]["description"].as_str().unwrap().to_owned();
    let (_, actions) = actions.split_once(": ").unwrap();
    let (actions, _) = actions.split_once(". ").unwrap();
    for action in actions.split(", ") {
        assert!(page.contains(&format!("`{action}`")), "{action}");
        assert!(!matches!(Action::parse(action), Ok(Action::Other(_)) | Err(_)), "{action}");
    }
}

proptest! {
    #[test]
    fn what_is_printed_is_valid_to_the_schema(observation in observation()) {
        thread_local!(static VALIDATOR: Validator = validator());
        let printed = print(&observation);
        prop_assert!(VALIDATOR.with(|validator| validator.is_valid(&printed)), "{printed}");
    }
}
