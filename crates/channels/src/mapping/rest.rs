//! What of a body no field was filled with: kept, so that nothing is lost because nobody named it yet.

use std::collections::HashSet;
use std::ptr;

use serde_json::{Map, Value};

/// As deep as an attribute may be nested, less the object all of it is put into.
const DEEPEST: usize = 31;

/// The parts of a body that were looked at, by where they are and not by what they say.
#[derive(Default)]
pub(super) struct Used(HashSet<*const Value>);

impl Used {
    pub(super) fn add(&mut self, value: &Value) {
        self.0.insert(ptr::from_ref(value));
    }

    /// What is left of a value, which counts as used from now on; `None` when nothing is.
    pub(super) fn rest(&mut self, value: &Value) -> Option<Value> {
        let rest = self.left(value, DEEPEST);
        self.add(value);
        rest
    }

    fn left(&self, value: &Value, depth: usize) -> Option<Value> {
        if self.0.contains(&ptr::from_ref(value)) {
            return None;
        }
        let Some(deeper) = depth.checked_sub(1) else { return Some(Value::from("nested too deep")) };
        match value {
            Value::Null => None,
            Value::Object(keys) => {
                let left =
                    keys.iter().filter_map(|(key, inside)| Some((text(key), self.left(inside, deeper)?)));
                let left: Map<_, _> = left.collect();
                (!left.is_empty()).then_some(Value::Object(left))
            }
            Value::Array(items) => {
                let left: Vec<_> = items.iter().filter_map(|inside| self.left(inside, deeper)).collect();
                (!left.is_empty()).then_some(Value::Array(left))
            }
            Value::String(said) => Some(Value::from(text(said))),
            Value::Bool(_) | Value::Number(_) => Some(value.clone()),
        }
    }
}

/// No database keeps U+0000.
fn text(said: &str) -> String {
    said.replace('\0', "\u{fffd}")
}
