//! Keys outside the event's table: kept as they came, within bounds.

use serde_json::{Map, Value};

use super::object::{Complaints, push_key};
use super::value::{has_nul, no_nul};

/// The most keys kept.
const MAX_KEYS: usize = 64;
/// The longest key kept, in characters.
const MAX_KEY_CHARS: usize = 64;
/// The deepest nesting kept, counted from an attribute's own value. Sealed JSON is read back by a parser with a limit
/// of its own, which lies far above this one.
const MAX_DEPTH: usize = 32;

const AT: &str = "/attributes";

/// Joins the unknown keys of the event with those it gave under `attributes`.
pub(super) fn join(
    unknown: Map<String, Value>,
    given: Option<Map<String, Value>>,
    complaints: &mut Complaints,
) -> Map<String, Value> {
    let mut attributes = given.unwrap_or_default();
    check(&attributes, AT, complaints);
    check(&unknown, "", complaints);
    if attributes.is_empty() {
        attributes = unknown;
    } else {
        for (key, value) in unknown {
            if attributes.contains_key(&key) {
                let mut pointer = AT.to_owned();
                push_key(&mut pointer, &key);
                complaints.add(pointer, "must not be given twice: the event has a key of this name too");
            }
            attributes.insert(key, value);
        }
    }
    if attributes.len() > MAX_KEYS {
        complaints
            .add(AT, format!("must have at most {MAX_KEYS} keys, counting the event's own unknown ones"));
    }
    attributes
}

fn check(attributes: &Map<String, Value>, at: &str, complaints: &mut Complaints) {
    let mut walk = Walk { at: at.to_owned(), complaints };
    for (key, value) in attributes {
        if key.is_empty() || key.chars().count() > MAX_KEY_CHARS {
            walk.complain(&format!("must have keys of 1 to {MAX_KEY_CHARS} characters"));
        }
        walk.entry(key, value, true, MAX_DEPTH);
    }
}

/// Goes through a value and everything inside it.
struct Walk<'c> {
    at: String,
    complaints: &'c mut Complaints,
}

impl Walk<'_> {
    fn entry(&mut self, key: &str, value: &Value, shown: bool, depth: usize) {
        if has_nul(key) {
            self.complain("must have keys without the character U+0000");
        }
        let end = self.at.len();
        let shown = shown && push_key(&mut self.at, key);
        self.value(value, shown, depth);
        self.at.truncate(end);
    }

    /// `shown` is false once the pointer had to stop at an object further up.
    fn value(&mut self, value: &Value, shown: bool, depth: usize) {
        let Some(deeper) = depth.checked_sub(1) else {
            return self.complain(&format!("must be nested at most {MAX_DEPTH} deep"));
        };
        match value {
            Value::String(text) if has_nul(text) => self.complain(no_nul()),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let end = self.at.len();
                    if shown {
                        self.at.push_str(&format!("/{index}"));
                    }
                    self.value(item, shown, deeper);
                    self.at.truncate(end);
                }
            }
            Value::Object(keys) => {
                for (key, item) in keys {
                    self.entry(key, item, shown, deeper);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
        }
    }

    fn complain(&mut self, expected: &str) {
        self.complaints.add(self.at.clone(), expected);
    }
}
