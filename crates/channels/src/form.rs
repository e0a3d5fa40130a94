//! The parameters of a call, in the three forms in which bots write them: JSON, a form of a page, and one with files.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// The most parameters of a call; no method has half as many.
const PARAMETERS: usize = 64;

/// What a body holds.
#[derive(Debug, PartialEq)]
pub(crate) enum Call {
    /// Nothing.
    None,
    /// These parameters. Of a file there is only that it is there: `null`.
    Of(Map<String, Value>),
    /// It cannot be read.
    Unreadable,
}

pub(crate) fn call(content_type: Option<&str>, body: &[u8]) -> Call {
    if body.trim_ascii().is_empty() {
        return Call::None;
    }
    let content_type = content_type.unwrap_or("application/json");
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let found = match essence.as_str() {
        "application/x-www-form-urlencoded" => Some(fields(body)),
        "multipart/form-data" => boundary(content_type).and_then(|boundary| parts(&boundary, body)),
        "application/json" => object(body),
        // "ok", a page, whatever: Telegram calls nothing for it.
        _ => return Call::None,
    };
    found.map_or(Call::Unreadable, |found| if found.is_empty() { Call::None } else { Call::Of(found) })
}

/// A parameter that is more than a word. In a form it is JSON in a field.
pub(crate) fn opened(parameter: &Value) -> Cow<'_, Value> {
    let inside = parameter.as_str().and_then(|text| serde_json::from_str(text).ok());
    inside.map_or(Cow::Borrowed(parameter), Cow::Owned)
}

fn object(body: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(body).ok()? {
        Value::Object(parameters) => Some(parameters),
        _ => Some(Map::new()),
    }
}

fn fields(body: &[u8]) -> Map<String, Value> {
    let fields = form_urlencoded::parse(body).take(PARAMETERS);
    fields.map(|(name, value)| (name.into_owned(), Value::from(value.into_owned()))).collect()
}

/// RFC 2046: at most 70 characters, in quotes or not.
fn boundary(content_type: &str) -> Option<String> {
    let mut parameters =
        content_type.split(';').skip(1).filter_map(|parameter| parameter.trim().split_once('='));
    let (_, boundary) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    let boundary = boundary.trim().trim_matches('"');
    (1..=70).contains(&boundary.len()).then(|| format!("\r\n--{boundary}"))
}

/// RFC 7578.
fn parts(boundary: &str, body: &[u8]) -> Option<Map<String, Value>> {
    let boundary = boundary.as_bytes();
    // The first line of a boundary may be the first of all.
    let mut rest = match body.strip_prefix(boundary.strip_prefix(b"\r\n")?) {
        Some(rest) => rest,
        None => split(body, boundary)?.1,
    };
    let mut found = Map::new();
    while !rest.starts_with(b"--") {
        let (part, behind) = split(rest, boundary)?;
        let (head, content) = split(part, b"\r\n\r\n")?;
        let (name, is_file) = disposition(std::str::from_utf8(head).ok()?)?;
        let value = match is_file {
            true => Value::Null,
            false => Value::from(std::str::from_utf8(content).ok()?),
        };
        found.insert(name, value);
        rest = behind;
        if found.len() > PARAMETERS {
            return None;
        }
    }
    Some(found)
}

/// The name of a part, and whether it is a file.
fn disposition(head: &str) -> Option<(String, bool)> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let (_, said) = lines.find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))?;
    let parameter = |wanted: &str| {
        let mut parameters = said.split(';').skip(1).filter_map(|parameter| parameter.trim().split_once('='));
        let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))?;
        Some(value.trim().trim_matches('"').to_owned())
    };
    let is_file =
        said.split(';').any(|parameter| parameter.trim().to_ascii_lowercase().starts_with("filename"));
    Some((parameter("name")?, is_file))
}

/// What stands before and behind the first such bytes.
fn split<'b>(bytes: &'b [u8], at: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let found = bytes.windows(at.len()).position(|window| window == at)?;
    Some((bytes.get(..found)?, bytes.get(found + at.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MULTIPART: &str = "multipart/form-data; boundary=\"xYz\"";

    fn multipart(body: &str) -> Call {
        call(Some(MULTIPART), body.replace('\n', "\r\n").as_bytes())
    }

    fn of(pairs: &[(&str, Value)]) -> Call {
        Call::Of(pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    #[test]
    fn a_form_of_a_page_is_read() {
        let body = b"method=sendMessage&chat_id=5&text=%D0%94%D0%B0%21+%F0%9F%91%8D";
        let found = call(Some("application/x-www-form-urlencoded; charset=utf-8"), body);
        assert_eq!(
            found,
            of(&[("method", "sendMessage".into()), ("chat_id", "5".into()), ("text", "Да! 👍".into())])
        );
    }

    #[test]
    fn of_a_form_with_files_the_texts_are_read_and_that_there_are_files() {
        let found = multipart(
            "--xYz\nContent-Disposition: form-data; name=\"method\"\n\nsendPhoto\n--xYz\n\
             content-disposition: form-data; name=\"caption\"\nContent-Type: text/plain\n\nДве\nстроки\n--xYz\n\
             Content-Disposition: form-data; name=\"photo\"; filename=\"a.jpg\"\n\n\u{1}--xY\n--xYz--\n",
        );
        assert_eq!(
            found,
            of(&[
                ("method", "sendPhoto".into()),
                ("caption", "Две\r\nстроки".into()),
                ("photo", Value::Null)
            ])
        );
    }

    #[test]
    fn what_breaks_off_cannot_be_read_and_what_calls_nothing_is_nothing() {
        for body in ["", "--xYz\n", "--xYz\nContent-Disposition: form-data; name=\"a\"\n\nb", "--other--"] {
            let expected = if body.is_empty() { Call::None } else { Call::Unreadable };
            assert_eq!(multipart(body), expected, "{body:?}");
        }
        assert_eq!(call(Some("application/json"), b"{\"method\":"), Call::Unreadable);
        for (content_type, body) in [
            (None, "{}"),
            (Some("application/json"), "[]"),
            (Some("text/plain"), "ok"),
            (Some("text/html"), "<html>"),
            (Some("application/x-www-form-urlencoded"), " "),
        ] {
            assert_eq!(call(content_type, body.as_bytes()), Call::None, "{body}");
        }
        assert_eq!(call(Some("multipart/form-data"), b"--x--"), Call::Unreadable, "no boundary is named");
    }
}
