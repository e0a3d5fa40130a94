//! From a body to its events: slices of the text as it was sent, so that what is sealed is what was received.

use std::fmt;

use http_kit::problem::{Problem, ProblemKind, describe_json_error};
use serde::de::{DeserializeSeed, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::media::Format;

/// The events of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Items<'a> {
    /// The body is one event, and is answered as one.
    One(&'a str),
    /// The body is a batch, of one event perhaps.
    Many(Vec<&'a str>),
}

impl<'a> Items<'a> {
    /// Takes a body apart. Whether each event is JSON of the right kind is not looked at yet, except that an array
    /// must be JSON as a whole, or nobody could say where its events end.
    pub(crate) fn split(text: &'a str, format: Format, max: usize) -> Result<Self, Problem> {
        let items = match format {
            Format::Ndjson => lines(text, max)?,
            Format::Json if text.trim_ascii_start().starts_with('[') => elements(text, max)?,
            Format::Json => return Ok(Self::One(text)),
        };
        if items.is_empty() {
            return Err(Problem::new(ProblemKind::EmptyBody).detail("the batch has no events"));
        }
        Ok(Self::Many(items))
    }

    pub(crate) fn as_slice(&self) -> &[&'a str] {
        match self {
            Self::One(item) => std::slice::from_ref(item),
            Self::Many(items) => items,
        }
    }
}

fn too_many(max: usize) -> Problem {
    Problem::new(ProblemKind::BatchTooLarge).detail(format!("at most {max} events in one request"))
}

fn lines(text: &str, max: usize) -> Result<Vec<&str>, Problem> {
    let mut items = Vec::new();
    for line in text.split('\n').map(str::trim_ascii).filter(|line| !line.is_empty()) {
        if items.len() == max {
            return Err(too_many(max));
        }
        items.push(line);
    }
    Ok(items)
}

fn elements(text: &str, max: usize) -> Result<Vec<&str>, Problem> {
    let mut elements = Elements { max, found: Vec::new(), are_too_many: false };
    let mut json = serde_json::Deserializer::from_str(text);
    let read = elements.deserialize(&mut json).and_then(|()| json.end());
    match read {
        Ok(()) => Ok(elements.found),
        Err(_stopped) if elements.are_too_many => Err(too_many(max)),
        Err(error) => Err(Problem::new(ProblemKind::InvalidJson).detail(describe_json_error(&error))),
    }
}

/// Collects the elements of an array, and stops at the first one too many: an array of a million commas would
/// otherwise take more memory than its body.
struct Elements<'a> {
    max: usize,
    found: Vec<&'a str>,
    are_too_many: bool,
}

impl<'de> DeserializeSeed<'de> for &mut Elements<'de> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut Elements<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(element) = array.next_element::<&'de RawValue>()? {
            if self.found.len() == self.max {
                self.are_too_many = true;
                return Err(A::Error::custom("too many elements"));
            }
            self.found.push(element.get());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, format: Format) -> Result<Items<'_>, ProblemKind> {
        Items::split(text, format, 3).map_err(|problem| problem.kind())
    }

    #[test]
    fn elements_keep_the_very_text_they_were_sent_with() {
        let found = split("\n [ {\"a\" :1.50} , \"\\u0041\",true ] ", Format::Json);
        assert_eq!(found, Ok(Items::Many(vec!["{\"a\" :1.50}", "\"\\u0041\"", "true"])));
    }

    #[test]
    fn lines_may_end_either_way_and_blank_ones_are_skipped() {
        assert_eq!(split("{}\r\n\n 1 \n", Format::Ndjson), Ok(Items::Many(vec!["{}", "1"])));
    }

    #[test]
    fn a_fourth_event_is_one_too_many() {
        assert_eq!(split("[1,2,3,4]", Format::Json), Err(ProblemKind::BatchTooLarge));
        assert_eq!(split("1\n2\n3\n4", Format::Ndjson), Err(ProblemKind::BatchTooLarge));
    }

    #[test]
    fn an_array_that_breaks_off_or_goes_on_is_not_json() {
        for text in ["[1,2", "[1 2]", "[1,]", "[1]]", "[1] x"] {
            assert_eq!(split(text, Format::Json), Err(ProblemKind::InvalidJson), "{text}");
        }
    }

    #[test]
    fn a_batch_without_events_is_empty() {
        assert_eq!(split("[ ]", Format::Json), Err(ProblemKind::EmptyBody));
        assert_eq!(split(" \n\r\n", Format::Ndjson), Err(ProblemKind::EmptyBody));
    }
}
