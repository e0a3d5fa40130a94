//! A form as JSON: `leads[add][0][id]=17` is `{"leads": {"add": [{"id": "17"}]}}`, as PHP and its kin mean it.

use serde_json::{Map, Value};

/// The deepest nesting of names; a name that goes deeper is taken as it stands.
const DEEPEST: usize = 16;

/// Reads the body of a form. Everything in it is text.
pub(super) fn read(body: &[u8]) -> Value {
    let mut root = Map::new();
    for (name, value) in form_urlencoded::parse(body) {
        let names = split(&name);
        put(&mut root, &names, Value::from(value.into_owned()));
    }
    listed(Value::Object(root))
}

/// `a[b][]` in its parts: `a`, `b`, and nothing.
fn split(name: &str) -> Vec<&str> {
    let Some((first, rest)) = name.split_once('[') else { return vec![name] };
    let Some(rest) = rest.strip_suffix(']').filter(|_| !first.is_empty()) else { return vec![name] };
    let names: Vec<&str> = std::iter::once(first).chain(rest.split("][")).collect();
    if names.len() > DEEPEST { vec![name] } else { names }
}

fn put(object: &mut Map<String, Value>, names: &[&str], value: Value) {
    let Some((name, deeper)) = names.split_first() else { return };
    let name = if name.is_empty() { object.len().to_string() } else { (*name).to_owned() };
    if deeper.is_empty() {
        match object.get_mut(&name) {
            // A name that is given twice, as by a choice of several.
            Some(Value::Array(values)) => values.push(value),
            Some(there) if there.is_string() => *there = Value::from(vec![there.take(), value]),
            _ => drop(object.insert(name, value)),
        }
        return;
    }
    let inside = object.entry(name).or_insert_with(|| Value::Object(Map::new()));
    if !inside.is_object() {
        *inside = Value::Object(Map::new());
    }
    if let Value::Object(inside) = inside {
        put(inside, deeper, value);
    }
}

/// Objects whose names are 0, 1, 2 … are lists.
fn listed(value: Value) -> Value {
    let Value::Object(object) = value else { return value };
    let is_list =
        !object.is_empty() && (0..object.len()).all(|index| object.contains_key(&index.to_string()));
    if is_list {
        let mut object = object;
        let items = (0..object.len()).collect::<Vec<_>>();
        let items = items.into_iter().filter_map(|index| object.remove(&index.to_string())).map(listed);
        return Value::Array(items.collect());
    }
    Value::Object(object.into_iter().map(|(name, inside)| (name, listed(inside))).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn brackets_nest_and_numbers_make_lists() {
        let body = "leads%5Badd%5D[0][id]=17&leads[add][0][name]=%D0%90%D0%BD%D0%BD%D0%B0&leads[add][1][id]=18&a=1+2";
        assert_eq!(
            read(body.as_bytes()),
            json!({ "a": "1 2", "leads": { "add": [{ "id": "17", "name": "Анна" }, { "id": "18" }] } })
        );
        assert_eq!(read(b"s[]=a&s[]=b"), json!({ "s": ["a", "b"] }));
    }

    #[test]
    fn a_name_given_twice_keeps_both_and_odd_names_are_names() {
        assert_eq!(read(b"s=a&s=b&s=c"), json!({ "s": ["a", "b", "c"] }));
        assert_eq!(read(b"[a]=1&b[=2&c]=3"), json!({ "[a]": "1", "b[": "2", "c]": "3" }));
        assert_eq!(read(b"a=1&a[b]=2"), json!({ "a": { "b": "2" } }));
        let deep = format!("a{}=1", "[b]".repeat(40));
        assert_eq!(read(deep.as_bytes()), json!({ format!("a{}", "[b]".repeat(40)): "1" }));
        assert_eq!(read(b""), json!({}));
    }
}
