//! Where something lies in a body: a JSON Pointer, or a JSONPath where a pointer cannot say it.

use std::fmt;

use serde_json::Value;
use serde_json_path::JsonPath;

/// The longest place, in bytes.
const LONGEST: usize = 512;

/// A place, as a mapping writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    written: String,
    way: Way,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// `/a/0/b`: from the item (RFC 6901).
    Pointer,
    /// `$.a[?@.b == 1]`: from the whole body (RFC 9535).
    FromRoot(JsonPath),
    /// `@.a[?@.b == 1]`: the same, from the item.
    FromItem(JsonPath),
}

/// What a place is looked for in: the whole body, and the part of it that one event is made of.
#[derive(Clone, Copy)]
pub(super) struct Scope<'v> {
    pub(super) root: &'v Value,
    pub(super) item: &'v Value,
}

impl Place {
    /// Whether a text is a place, and not a word that stands for itself.
    pub(super) fn is_written(text: &str) -> bool {
        text.starts_with(['/', '$', '@'])
    }

    /// Reads a place, or says what would be right. The empty pointer is the item itself.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("must be at most {LONGEST} bytes long"));
        }
        let way = match text.chars().next() {
            None => Way::Pointer,
            Some('/') if has_wrong_tilde(text) => {
                return Err("must be a JSON pointer: after ~ only 0 or 1 may follow".to_owned());
            }
            Some('/') => Way::Pointer,
            Some('$') => Way::FromRoot(json_path(text)?),
            Some('@') => Way::FromItem(json_path(&text.replacen('@', "$", 1))?),
            Some(_) => {
                return Err(
                    "must be a JSON pointer such as /client/id, or a JSONPath that begins with $ or @"
                        .to_owned(),
                );
            }
        };
        Ok(Self { written: text.to_owned(), way })
    }

    /// The first thing at this place.
    pub(super) fn find<'v>(&'v self, scope: Scope<'v>) -> Option<&'v Value> {
        match &self.way {
            Way::Pointer => scope.item.pointer(&self.written),
            Way::FromRoot(path) => path.query(scope.root).first(),
            Way::FromItem(path) => path.query(scope.item).first(),
        }
    }

    /// Everything to go through at this place: the items of an array there, or what a JSONPath selects.
    pub(super) fn items<'v>(&'v self, body: &'v Value) -> Vec<&'v Value> {
        match &self.way {
            Way::Pointer => match body.pointer(&self.written) {
                Some(Value::Array(items)) => items.iter().collect(),
                Some(Value::Null) | None => Vec::new(),
                Some(one) => vec![one],
            },
            Way::FromRoot(path) | Way::FromItem(path) => path.query(body).all(),
        }
    }

    /// The place as a pointer, where it is one.
    pub(super) fn as_pointer(&self) -> Option<&str> {
        matches!(self.way, Way::Pointer).then_some(self.written.as_str())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.written.is_empty() { "the item" } else { &self.written })
    }
}

fn json_path(text: &str) -> Result<JsonPath, String> {
    JsonPath::parse(text).map_err(|error| {
        format!("must be a JSONPath (RFC 9535); stops being one at character {}", error.position())
    })
}

fn has_wrong_tilde(text: &str) -> bool {
    text.split('~').skip(1).any(|after| !after.starts_with(['0', '1']))
}
