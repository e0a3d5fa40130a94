//! The binary form: the envelope in headers, the data as the body.
//!
//! <https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/http-protocol-binding.md#31-binary-content-mode>

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use event_schema::public::Violation;
use percent_encoding::percent_decode;
use serde_json::value::{RawValue, to_raw_value};

use super::envelope::is_json;

const PREFIX: &str = "ce-";
/// What has no header: the data is the body, and its type is the body's.
const NO_ATTRIBUTES: [&str; 3] = ["data", "data_base64", "datacontenttype"];

/// Writes an event in its structured form: `headers` by their lower-case names, whichever they are. The data is in it as it came.
///
/// # Errors
/// Everything that is wrong with the headers, or that the body is not of its type.
pub fn from_headers<'h>(
    headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    content_type: Option<&[u8]>,
    body: &[u8],
) -> Result<String, Vec<Violation>> {
    let mut event: BTreeMap<String, Box<RawValue>> = BTreeMap::new();
    let mut violations = Vec::new();
    for (header, value) in headers {
        let Some(name) = header.strip_prefix(PREFIX).filter(|name| is_attribute(name)) else { continue };
        match decoded(value) {
            Some(_) if event.contains_key(name) => violations.push(wrong(name, "must be given once")),
            Some(text) => drop(event.insert(name.to_owned(), raw(&text))),
            None => violations.push(wrong(name, "must be UTF-8, percent-encoded once")),
        }
    }
    let content_type = content_type.map(String::from_utf8_lossy);
    match data(content_type.as_deref(), body) {
        Ok(Some((key, data))) => drop(event.insert(key.to_owned(), data)),
        Ok(None) => {}
        Err(violation) => violations.push(violation),
    }
    if let Some(content_type) = content_type {
        event.insert("datacontenttype".to_owned(), raw(&content_type));
    }
    if violations.is_empty() {
        Ok(serde_json::to_string(&event).expect("texts and JSON are JSON"))
    } else {
        Err(violations)
    }
}

/// Names are lower-case letters and digits; others cannot be meant, for no sender could have put them into an event.
fn is_attribute(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    !name.is_empty() && name.bytes().all(is_plain) && !NO_ATTRIBUTES.contains(&name)
}

/// The body as it stands in the structured form: JSON as it is written, text as text, anything else in base64.
fn data(content_type: Option<&str>, body: &[u8]) -> Result<Option<(&'static str, Box<RawValue>)>, Violation> {
    if body.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(body);
    if content_type.is_none_or(is_json) {
        let json = text.ok().and_then(|text| serde_json::from_str(text).ok());
        let data = json.ok_or_else(|| wrong("data", "must be JSON, as the content type says"))?;
        return Ok(Some(("data", data)));
    }
    let is_text =
        content_type.is_some_and(|given| given.trim_start().to_ascii_lowercase().starts_with("text/"));
    Ok(Some(match text {
        Ok(text) if is_text => ("data", raw(text)),
        _ => ("data_base64", raw(&STANDARD.encode(body))),
    }))
}

/// The value of a header: out of its quotes, where it has any, then percent-decoded once.
fn decoded(value: &[u8]) -> Option<String> {
    let value = value.trim_ascii();
    let inside = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    let unquoted = inside.map_or_else(|| value.to_vec(), unescaped);
    percent_decode(&unquoted).decode_utf8().ok().map(Cow::into_owned)
}

fn unescaped(quoted: &[u8]) -> Vec<u8> {
    let mut bytes = quoted.iter();
    let mut plain = Vec::with_capacity(quoted.len());
    while let Some(byte) = bytes.next() {
        plain.push(if *byte == b'\\' { *bytes.next().unwrap_or(byte) } else { *byte });
    }
    plain
}

fn raw(text: &str) -> Box<RawValue> {
    to_raw_value(text).expect("a text is JSON")
}

fn wrong(key: &str, expected: &str) -> Violation {
    Violation { pointer: format!("/{key}"), expected: expected.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_headers_are_decoded_once_and_out_of_their_quotes() {
        for (value, text) in [
            (&b"Euro%20%E2%82%AC%20%F0%9F%98%80"[..], Some("Euro € 😀")),
            (b"100%25%32%35", Some("100%25")),
            (b" \"a \\\"b\\\" %41\" ", Some("a \"b\" A")),
            ("уже".as_bytes(), Some("уже")),
            (b"50% off", Some("50% off")),
            (b"%C0%A0", None),
            (b"%ff", None),
            (b"", Some("")),
        ] {
            assert_eq!(decoded(value).as_deref(), text, "{}", String::from_utf8_lossy(value));
        }
    }
}
