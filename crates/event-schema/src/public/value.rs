//! What single values of an event may be.

use domain::action::{Action, Word};
use domain::id::LeadId;
use domain::timestamp::{ParseTimestampError, Timestamp};
use serde_json::{Number, Value};

use super::object::Read;

/// The longest thing a client or an assistant may say, in characters.
pub(super) const TEXT: usize = 16_384;
/// The longest label, name or digest, in characters.
pub(super) const LABEL: usize = 256;
/// The longest id of a conversation, a booking or a person, in characters.
pub(super) const ID: usize = 128;
/// The largest whole number: what JavaScript, and so many a bot, can still count to exactly.
const MAX_WHOLE: u64 = (1 << 53) - 1;

const NUL: &str = "must not contain the character U+0000";

/// Text that says nothing when it is blank, and is then taken as absent: a blank id would link strangers.
pub(super) fn text(max: usize) -> impl FnOnce(Value) -> Read<Option<String>> {
    move |value| {
        let text = string(value)?;
        if text.chars().count() > max {
            return Err(format!("must be at most {max} characters").into());
        }
        Ok(Some(text).filter(|text| !is_blank(text)))
    }
}

/// An id: text that is not blank and that can be printed on one line.
pub(super) fn id(value: Value) -> Read<String> {
    let text = string(value)?;
    if is_blank(&text) || text.chars().count() > ID || text.chars().any(char::is_control) {
        return Err(format!(
            "must be text of 1 to {ID} characters, not blank, none of them a control character"
        )
        .into());
    }
    Ok(text)
}

/// A text of a form that the domain reads, and describes when it cannot. An empty text has none of these forms, so
/// what is no text at all is described in the same words.
pub(super) fn parsed<T, E: ToString>(
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> impl FnOnce(Value) -> Read<T> {
    |value| parse(value.as_str().unwrap_or_default()).map_err(|expected| expected.to_string().into())
}

pub(super) fn word(value: Value) -> Read<Word> {
    parsed(Word::parse)(Value::String(string(value)?))
}

pub(super) fn action(value: Value) -> Read<Action> {
    parsed(Action::parse)(Value::String(string(value)?))
}

pub(super) fn instant(value: Value) -> Read<Timestamp> {
    parsed(|text| {
        // The domain's parser takes any character between date and time. A blank there is common and clear.
        match text.as_bytes().get(10) {
            Some(b'T' | b't' | b' ') => Timestamp::parse(text),
            _ => Err(ParseTimestampError::NotRfc3339),
        }
    })(value)
}

/// A lead: text such as `BX-5678`, or the bare number.
pub(super) fn lead(value: Value) -> Read<LeadId> {
    match value {
        Value::Number(number) => {
            let text = whole_number(&number).map(|number| number.to_string()).unwrap_or_default();
            parsed(str::parse::<LeadId>)(Value::String(text))
        }
        other => parsed(str::parse::<LeadId>)(other),
    }
}

pub(super) fn whole(value: Value) -> Read<u64> {
    match value {
        Value::Number(number) => whole_number(&number),
        _ => None,
    }
    .filter(|&number| number <= MAX_WHOLE)
    .ok_or_else(|| format!("must be a whole number from 0 to {MAX_WHOLE}").into())
}

pub(super) fn share(value: Value) -> Read<f64> {
    value
        .as_f64()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "must be a number from 0 to 1".into())
}

pub(super) fn truth(value: Value) -> Read<bool> {
    value.as_bool().ok_or_else(|| "must be true or false".into())
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

pub(super) fn has_nul(text: &str) -> bool {
    text.contains('\0')
}

/// The complaint about a text with NUL in it, which no database keeps.
pub(super) const fn no_nul() -> &'static str {
    NUL
}

fn string(value: Value) -> Read<String> {
    match value {
        Value::String(text) if has_nul(&text) => Err(NUL.into()),
        Value::String(text) => Ok(text),
        _ => Err("must be text".into()),
    }
}

/// `12.0` is a whole number in JSON, as in JSON Schema.
fn whole_number(number: &Number) -> Option<u64> {
    number.as_u64().or_else(|| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0 && (0.0..1e18).contains(float))?;
        format!("{float:.0}").parse().ok()
    })
}
