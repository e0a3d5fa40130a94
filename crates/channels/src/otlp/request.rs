//! Goes through a request span by span, without unfolding it: a few kilobytes, packed, can be millions of empty spans.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer as _, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Form, MAX_SPAN_BYTES, form, wire};
use crate::{Unparsed, json};

/// A span of a request, not read yet.
pub(super) struct Part<'b> {
    text: Text<'b>,
    /// Which of the request's resources, of that one's scopes, and of that one's spans.
    place: [usize; 3],
}

/// In the form of the request.
#[derive(Clone, Copy)]
enum Text<'b> {
    Json(&'b str),
    Protobuf(&'b [u8]),
}

impl Part<'_> {
    /// The span; nothing when it is malformed or too large.
    pub(super) fn span(&self) -> Option<wire::Span> {
        match self.text {
            _ if self.is_too_large() => None,
            Text::Json(text) => form::span(&serde_json::from_str(text).ok()?),
            Text::Protobuf(bytes) => {
                let span: wire::Span = prost::Message::decode(bytes).ok()?;
                form::is_small_enough(&span).then_some(span)
            }
        }
    }

    /// A request with this span alone, as it came; nothing of one that is too large.
    pub(super) fn alone(&self) -> Vec<u8> {
        match self.text {
            _ if self.is_too_large() => Vec::new(),
            Text::Json(text) => {
                format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{text}]}}]}}]}}"#).into_bytes()
            }
            Text::Protobuf(bytes) => [SPANS, SCOPE_SPANS, RESOURCE_SPANS]
                .into_iter()
                .fold(bytes.to_vec(), |inside, number| message_of(number, &inside)),
        }
    }

    /// Where it is, as a JSON pointer.
    pub(super) fn pointer(&self) -> String {
        let [resource, scope, span] = self.place;
        format!("/resourceSpans/{resource}/scopeSpans/{scope}/spans/{span}")
    }

    const fn is_too_large(&self) -> bool {
        let len = match self.text {
            Text::Json(text) => text.len(),
            Text::Protobuf(bytes) => bytes.len(),
        };
        len > MAX_SPAN_BYTES
    }
}

/// Calls `act` for each span, with what is read of the resource it belongs to, until it has enough.
pub(super) fn each_span<E: From<Unparsed>>(
    form: Form,
    body: &[u8],
    act: impl FnMut(&wire::Resource, Part<'_>) -> Result<(), E>,
) -> Result<(), E> {
    match form {
        Form::Json => each_in_json(body, act),
        Form::Protobuf => each_in_protobuf(body, act),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'b> {
    #[serde(borrow)]
    resource_spans: Option<&'b RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans<'b> {
    #[serde(borrow)]
    resource: Option<&'b RawValue>,
    #[serde(borrow)]
    scope_spans: Option<&'b RawValue>,
}

#[derive(Deserialize)]
struct ScopeSpans<'b> {
    #[serde(borrow)]
    spans: Option<&'b RawValue>,
}

fn each_in_json<E: From<Unparsed>>(
    body: &[u8],
    mut act: impl FnMut(&wire::Resource, Part<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let no_request = || json::unreadable("", "must be an object with a list of resourceSpans");
    if !body.trim_ascii_start().starts_with(b"{") {
        // An array would be read as the fields of a request, one after the other.
        json::read(body)?;
        return Err(no_request().into());
    }
    let request: Request<'_> = serde_json::from_slice(body)
        .map_err(|error| if error.is_data() { no_request() } else { json::not_json(&error) })?;
    each_item(request.resource_spans, no_request, |i, text| {
        let no_scopes = || {
            json::unreadable(&format!("/resourceSpans/{i}"), "must be an object with a list of scopeSpans")
        };
        let of_resource: ResourceSpans<'_> = object(text).ok_or_else(no_scopes)?;
        let resource = of_resource.resource.filter(|text| text.get().len() <= MAX_SPAN_BYTES);
        let resource = resource.and_then(|text| serde_json::from_str(text.get()).ok());
        let resource = resource.map(|value| form::read_of(form::resource(&value))).unwrap_or_default();
        each_item(of_resource.scope_spans, no_scopes, |j, text| {
            let no_spans = || {
                let pointer = format!("/resourceSpans/{i}/scopeSpans/{j}");
                json::unreadable(&pointer, "must be an object with a list of spans")
            };
            let of_scope: ScopeSpans<'_> = object(text).ok_or_else(no_spans)?;
            each_item(of_scope.spans, no_spans, |k, text| {
                act(&resource, Part { text: Text::Json(text.get()), place: [i, j, k] })
            })
        })
    })
}

fn object<'b, T: Deserialize<'b>>(text: &'b RawValue) -> Option<T> {
    text.get().starts_with('{').then(|| serde_json::from_str(text.get()).ok()).flatten()
}

/// Calls `act` for each item of a list, one after the other: a list of them all would be many times larger than the text.
fn each_item<'b, E: From<Unparsed>>(
    list: Option<&'b RawValue>,
    no_list: impl Fn() -> Unparsed,
    act: impl FnMut(usize, &'b RawValue) -> Result<(), E>,
) -> Result<(), E> {
    let Some(list) = list else { return Ok(()) };
    let mut stopped = None;
    let items = Items { act, stopped: &mut stopped };
    let read = serde_json::Deserializer::from_str(list.get()).deserialize_seq(items);
    match stopped {
        Some(error) => Err(error),
        None => read.map_err(|_no_list| no_list().into()),
    }
}

/// Items of a list as they are come by.
struct Items<'s, F, E> {
    act: F,
    stopped: &'s mut Option<E>,
}

impl<'b, F: FnMut(usize, &'b RawValue) -> Result<(), E>, E> Visitor<'b> for Items<'_, F, E> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'b>>(mut self, mut items: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(item) = items.next_element()? {
            if let Err(error) = (self.act)(number, item) {
                *self.stopped = Some(error);
                return Err(A::Error::custom("enough"));
            }
            number += 1;
        }
        Ok(())
    }
}

/// The numbers of the fields that hold spans: in a request, of a resource, of a scope.
const RESOURCE_SPANS: usize = 1;
const SCOPE_SPANS: usize = 2;
const SPANS: usize = 2;
/// The number of the resource, beside its spans.
const RESOURCE: usize = 1;

/// The bytes are no protobuf.
#[derive(Debug)]
struct Malformed;

impl From<Malformed> for Unparsed {
    fn from(Malformed: Malformed) -> Self {
        json::unreadable("", "must be protobuf of an ExportTraceServiceRequest")
    }
}

fn each_in_protobuf<E: From<Unparsed>>(
    body: &[u8],
    mut act: impl FnMut(&wire::Resource, Part<'_>) -> Result<(), E>,
) -> Result<(), E> {
    for (i, of_resource) in inside(body, RESOURCE_SPANS).enumerate() {
        let of_resource = of_resource.map_err(Unparsed::from)?;
        // Said twice, the last counts; whatever is wrong with it, the spans can do without.
        let resource = inside(of_resource, RESOURCE).last().transpose().map_err(Unparsed::from)?;
        let resource = resource.filter(|bytes| bytes.len() <= MAX_SPAN_BYTES);
        let resource = resource.and_then(|bytes| prost::Message::decode(bytes).ok());
        let resource = resource.map(form::read_of).unwrap_or_default();
        for (j, of_scope) in inside(of_resource, SCOPE_SPANS).enumerate() {
            let of_scope = of_scope.map_err(Unparsed::from)?;
            for (k, span) in inside(of_scope, SPANS).enumerate() {
                let text = Text::Protobuf(span.map_err(Unparsed::from)?);
                act(&resource, Part { text, place: [i, j, k] })?;
            }
        }
    }
    Ok(())
}

/// The messages that a message has under one number. They are found, not decoded.
const fn inside(message: &[u8], number: usize) -> Inside<'_> {
    Inside { rest: message, number }
}

struct Inside<'b> {
    rest: &'b [u8],
    number: usize,
}

impl<'b> Iterator for Inside<'b> {
    type Item = Result<&'b [u8], Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            match self.field() {
                Ok((number, Some(message))) if number == self.number => return Some(Ok(message)),
                Ok(_another) => {}
                Err(malformed) => {
                    self.rest = &[];
                    return Some(Err(malformed));
                }
            }
        }
        None
    }
}

impl<'b> Inside<'b> {
    /// The next field: its number, and its bytes where it may hold a message.
    fn field(&mut self) -> Result<(usize, Option<&'b [u8]>), Malformed> {
        let key = self.varint()?;
        let number = key >> 3;
        if number == 0 {
            return Err(Malformed);
        }
        let bytes = match key & 7 {
            0 => {
                self.varint()?;
                None
            }
            1 => self.take(8).map(|_fixed| None)?,
            2 => {
                let length = self.varint()?;
                Some(self.take(length)?)
            }
            5 => self.take(4).map(|_fixed| None)?,
            // Groups are a thing of the past, and OpenTelemetry has none.
            _ => return Err(Malformed),
        };
        Ok((number, bytes))
    }

    /// A length is a number like any other.
    fn varint(&mut self) -> Result<usize, Malformed> {
        prost::decode_length_delimiter(&mut self.rest).map_err(|_malformed| Malformed)
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// A message that has this one under a number below 16.
fn message_of(number: usize, inside: &[u8]) -> Vec<u8> {
    const LENGTH_DELIMITED: usize = 2;
    let mut message = Vec::with_capacity(inside.len() + 12);
    for varint in [number << 3 | LENGTH_DELIMITED, inside.len()] {
        prost::encode_length_delimiter(varint, &mut message).expect("a vector grows");
    }
    message.extend_from_slice(inside);
    message
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    fn places(form: Form, body: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        each_span(form, body, |_, part| {
            found.push(part.pointer());
            Ok::<_, Unparsed>(())
        })
        .unwrap();
        found
    }

    #[test]
    fn a_span_alone_is_a_request_in_the_form_it_came_in() {
        let span = wire::Span { name: "chat".to_owned(), ..wire::Span::default() };
        let body =
            message_of(RESOURCE_SPANS, &message_of(SCOPE_SPANS, &message_of(SPANS, &span.encode_to_vec())));
        let json = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"chat"}]}]}]}"#;
        for (form, body) in [(Form::Protobuf, body.as_slice()), (Form::Json, json)] {
            let mut alone = Vec::new();
            each_span(form, body, |_, part| {
                assert_eq!(part.span().unwrap(), span);
                alone = part.alone();
                Ok::<_, Unparsed>(())
            })
            .unwrap();
            assert_eq!(alone, body);
            assert_eq!(places(form, body), ["/resourceSpans/0/scopeSpans/0/spans/0"]);
        }
    }

    #[test]
    fn fields_of_every_kind_beside_the_spans_are_skipped() {
        // 15: a number; 16 (two bytes of key): fixed 64 bits; 4: fixed 32 bits; 3: text.
        let others = [
            &[15 << 3, 0x96, 0x01][..],
            &[0x81, 0x01, 1, 2, 3, 4, 5, 6, 7, 8],
            &[4 << 3 | 5, 1, 2, 3, 4],
            &[3 << 3 | 2, 2, b'h', b'i'],
        ]
        .concat();
        let scope = [others.as_slice(), &message_of(SPANS, b""), &others, &message_of(SPANS, b"")].concat();
        let body =
            [others.as_slice(), &message_of(RESOURCE_SPANS, &message_of(SCOPE_SPANS, &scope))].concat();
        assert_eq!(places(Form::Protobuf, &body).len(), 2);
    }

    #[test]
    fn what_is_no_protobuf_is_told_from_an_empty_request() {
        let each = |body: &[u8]| each_span(Form::Protobuf, body, |_, _| Ok::<_, Unparsed>(()));
        assert!(each(b"").is_ok());
        for body in [
            &b"\x0a"[..],
            b"\x0a\x05a",
            b"\x00\x01",
            b"\x0b",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        ] {
            assert!(each(body).is_err(), "{body:?}");
        }
    }

    #[test]
    fn lists_that_are_none_are_named() {
        for (body, pointer) in [
            (&br#"[]"#[..], Some("")),
            (br#"{"resourceSpans":{}}"#, Some("")),
            (br#"{"resourceSpans":[[]]}"#, Some("/resourceSpans/0")),
            (
                br#"{"resourceSpans":[{"scopeSpans":[{},{"spans":5}]}]}"#,
                Some("/resourceSpans/0/scopeSpans/1"),
            ),
            (br#"{"resourceSpans":["#, None),
        ] {
            let unparsed = each_span(Form::Json, body, |_, _| Ok::<_, Unparsed>(())).unwrap_err();
            assert_eq!(unparsed.pointer.as_deref(), pointer, "{}", unparsed.detail);
        }
        for body in
            [&b"{}"[..], br#"{"resourceSpans":null,"more":1}"#, br#"{"resourceSpans":[{"scopeSpans":null}]}"#]
        {
            assert!(places(Form::Json, body).is_empty());
        }
    }
}
