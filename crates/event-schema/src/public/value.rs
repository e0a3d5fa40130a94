//! What single values of an event may be.

use std::borrow::Cow;

use domain::action::{Action, Word};
use domain::id::LeadId;
use domain::timestamp::{ParseTimestampError, Timestamp};
use serde_json::{Number, Value};

use super::given::Given;
use super::object::Read;

/// The longest thing a client or an assistant may say, in characters.
pub(super) const TEXT: usize = 16_384;
/// The longest label, name or digest, in characters.
pub(super) const LABEL: usize = 256;
/// The longest id of a conversation, a booking or a person, in characters.
pub(super) const ID: usize = 200;
/// The largest whole number: what JavaScript, and so many a bot, can still count to exactly.
const MAX_WHOLE: u64 = (1 << 53) - 1;

const NUL: &str = "must not contain the character U+0000";

/// Text that says nothing when it is blank, and is then taken as absent: a blank id would link strangers.
pub(super) fn text(max: usize) -> impl FnOnce(Given<'_>) -> Read<Option<String>> {
    move |given| {
        let text = string(given)?;
        if is_longer(&text, max) {
            return Err(format!("must be at most {max} characters").into());
        }
        Ok(Some(text).filter(|text| !is_blank(text)).map(Cow::into_owned))
    }
}

/// An id: text that is not blank and that can be printed on one line.
pub(super) fn id(given: Given<'_>) -> Read<String> {
    let text = string(given)?;
    if is_blank(&text) || is_longer(&text, ID) || text.chars().any(char::is_control) {
        return Err(format!(
            "must be text of 1 to {ID} characters, not blank, none of them a control character"
        )
        .into());
    }
    Ok(text.into_owned())
}

/// A text of a form that the domain reads, and describes when it cannot. An empty text has none of these forms, so
/// what is no text at all is described in the same words.
pub(super) fn parsed<T, E: ToString>(
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> impl FnOnce(Given<'_>) -> Read<T> {
    |given| described(parse(given.as_str().unwrap_or_default()))
}

fn described<T, E: ToString>(parsed: Result<T, E>) -> Read<T> {
    parsed.map_err(|expected| expected.to_string().into())
}

pub(super) fn word(given: Given<'_>) -> Read<Word> {
    described(Word::parse(&string(given)?))
}

pub(super) fn action(given: Given<'_>) -> Read<Action> {
    described(Action::parse(&string(given)?))
}

pub(super) fn instant(given: Given<'_>) -> Read<Timestamp> {
    parsed(|text| {
        // The domain's parser takes any character between date and time. A blank there is common and clear.
        match text.as_bytes().get(10) {
            Some(b'T' | b't' | b' ') => Timestamp::parse(text),
            _ => Err(ParseTimestampError::NotRfc3339),
        }
    })(given)
}

/// A lead: text such as `BX-5678`, or the bare number.
pub(super) fn lead(given: Given<'_>) -> Read<LeadId> {
    match given {
        Given::Other(Value::Number(number)) => {
            let text = whole_number(&number).map(|number| number.to_string()).unwrap_or_default();
            described(text.parse())
        }
        other => parsed(str::parse::<LeadId>)(other),
    }
}

pub(super) fn whole(given: Given<'_>) -> Read<u64> {
    match given {
        Given::Other(Value::Number(number)) => whole_number(&number),
        _ => None,
    }
    .filter(|&number| number <= MAX_WHOLE)
    .ok_or_else(|| format!("must be a whole number from 0 to {MAX_WHOLE}").into())
}

pub(super) fn share(given: Given<'_>) -> Read<f64> {
    match given {
        Given::Other(value) => value.as_f64(),
        Given::Text(_) => None,
    }
    .filter(|share| (0.0..=1.0).contains(share))
    .ok_or_else(|| "must be a number from 0 to 1".into())
}

pub(super) fn truth(given: Given<'_>) -> Read<bool> {
    match given {
        Given::Other(Value::Bool(truth)) => Ok(truth),
        _ => Err("must be true or false".into()),
    }
}

fn is_longer(text: &str, max: usize) -> bool {
    // A character is a byte or more: a text of few bytes need not be counted.
    text.len() > max && text.chars().count() > max
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

fn string(given: Given<'_>) -> Read<Cow<'_, str>> {
    match given {
        Given::Text(text) if has_nul(&text) => Err(NUL.into()),
        Given::Text(text) => Ok(text),
        Given::Other(_) => Err("must be text".into()),
    }
}

/// `12.0` is a whole number in JSON, as in JSON Schema.
fn whole_number(number: &Number) -> Option<u64> {
    number.as_u64().or_else(|| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0 && (0.0..1e18).contains(float))?;
        format!("{float:.0}").parse().ok()
    })
}
