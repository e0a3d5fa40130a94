//! How much the events of one body may hold together.
//!
//! A rule that goes through a list may take a part of the body around it for each item, and thirty names for the same
//! part: without a bound, four megabytes become gigabytes.

use serde_json::Value;

use crate::{Unparsed, json};

/// How many times its own size a body's events may hold of it.
const TIMES: usize = 4;
/// What they may hold of a small one: a KiB for each event there can be.
const AT_LEAST: usize = 1024 * super::MAX_EVENTS;
/// A value without its text: as an array or object holds it.
const PLAIN: usize = 8;

/// What is left of it.
pub(super) struct Room(usize);

impl Room {
    /// For the events of this body.
    pub(super) fn of(body: &Value) -> Self {
        Self(size(body).saturating_mul(TIMES).max(AT_LEAST))
    }

    /// Takes room for a value before it is kept.
    pub(super) fn hold(&mut self, value: &Value) -> Result<(), Unparsed> {
        self.hold_bytes(size(value))
    }

    /// Takes room for a text of so many bytes.
    pub(super) fn hold_bytes(&mut self, bytes: usize) -> Result<(), Unparsed> {
        self.0 = self.0.checked_sub(bytes).ok_or_else(|| {
            let expected =
                format!("must become events that hold at most {TIMES} times as much as it does, or 1 MB");
            json::unreadable("", &expected)
        })?;
        Ok(())
    }
}

/// About as many bytes as a value takes.
fn size(value: &Value) -> usize {
    let inside: usize = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(keys) => keys.iter().map(|(key, value)| key.len() + size(value)).sum(),
    };
    PLAIN + inside
}
