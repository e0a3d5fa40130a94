//! What a field of the event is filled with: where that lies in the body, and how it becomes what the field wants.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::timestamp::Timestamp;
use serde_json::{Number, Value};
use time::format_description::OwnedFormatItem;
use time::{Date, OffsetDateTime, PrimitiveDateTime, UtcOffset};

use super::place::{Place, Scope};
use super::rest::Used;

/// The form of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Instant,
    Whole,
    Share,
    Truth,
    /// Text or a number.
    Lead,
    /// Anything, kept as it stands.
    Any,
}

/// How an instant is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Clock {
    /// RFC 3339, or seconds or milliseconds since 1970.
    #[default]
    Plain,
    Seconds,
    Millis,
    /// By a pattern; where that has no offset, by this one.
    Pattern(OwnedFormatItem, Option<UtcOffset>),
}

/// What a field is filled with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filling {
    /// Where it is looked for, in this order; nowhere, when it is always the same.
    pub(super) places: Vec<Place>,
    /// What stands for what; with none, values stand for themselves.
    pub(super) table: Option<BTreeMap<String, Value>>,
    /// What stands for anything else than the table has.
    pub(super) otherwise: Option<Value>,
    /// What stands there when nothing is found.
    pub(super) absent: Option<Value>,
    /// What is put before a text.
    pub(super) prefix: String,
    pub(super) clock: Clock,
}

/// Something a field is filled with.
pub(super) struct Found<'m> {
    pub(super) value: Value,
    /// Where it was; `None` when the mapping itself says it.
    pub(super) place: Option<&'m Place>,
}

/// Why a field cannot be filled.
pub(super) struct Misfit<'m> {
    pub(super) place: Option<&'m Place>,
    pub(super) expected: String,
}

impl Filling {
    /// Always the same.
    pub(super) fn always(value: Value) -> Self {
        Self { absent: Some(value), ..Self::default() }
    }

    pub(super) fn is_constant(&self) -> bool {
        self.places.is_empty()
    }

    /// Looks in a body.
    pub(super) fn find<'m>(
        &'m self,
        form: Form,
        scope: Scope<'m>,
        used: &mut Used,
    ) -> Result<Option<Found<'m>>, Misfit<'m>> {
        for place in &self.places {
            let Some(found) = place.find(scope) else { continue };
            used.add(found);
            if is_blank(found) {
                continue;
            }
            let misfit = |expected| Misfit { place: Some(place), expected };
            let value = self.translated(found).map_err(misfit)?;
            let value = self.converted(form, &value).map_err(misfit)?;
            return Ok(Some(Found { value, place: Some(place) }));
        }
        let absent = self.absent.as_ref().map(|value| self.converted(form, value)).transpose();
        let absent = absent.map_err(|expected| Misfit { place: None, expected })?;
        Ok(absent.map(|value| Found { value, place: None }))
    }

    /// The values that the mapping itself says, to be checked before any body comes.
    pub(super) fn said(&self) -> impl Iterator<Item = &Value> {
        let table = self.table.iter().flat_map(BTreeMap::values);
        table.chain(&self.otherwise).chain(&self.absent)
    }

    fn translated<'v>(&'v self, found: &'v Value) -> Result<Cow<'v, Value>, String> {
        let Some(table) = &self.table else { return Ok(Cow::Borrowed(found)) };
        let known = label(found).and_then(|label| table.get(label.as_ref()));
        known
            .or(self.otherwise.as_ref())
            .map(Cow::Borrowed)
            .ok_or_else(|| "must be one of the values that the mapping's table has".to_owned())
    }

    /// Brings a value into the form of the field, as far as it can be.
    pub(super) fn converted(&self, form: Form, value: &Value) -> Result<Value, String> {
        match form {
            Form::Any => Ok(value.clone()),
            Form::Lead => Ok(label(value).map_or_else(|| value.clone(), |text| Value::from(text.trim()))),
            Form::Instant => self.clock.read(value).map(|instant| Value::from(instant.to_string())),
            Form::Whole => number(value, |text| text.parse::<u64>().ok().map(Number::from)),
            Form::Share => {
                number(value, |text| text.replace(',', ".").parse().ok().and_then(Number::from_f64))
            }
            Form::Truth => truth(value).map(Value::from).ok_or_else(|| "must be true or false".to_owned()),
            Form::Text => {
                let text = label(value).ok_or_else(|| "must be text or a number".to_owned())?;
                Ok(Value::from(format!("{}{text}", self.prefix)))
            }
        }
    }
}

/// A text, number or truth as text.
pub(super) fn label(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        _ => None,
    }
}

/// Whether nothing is said.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

fn number(value: &Value, read: impl FnOnce(&str) -> Option<Number>) -> Result<Value, String> {
    match value {
        Value::Number(_) => Ok(value.clone()),
        Value::String(text) => {
            read(text.trim()).map(Value::Number).ok_or_else(|| "must be a number".to_owned())
        }
        _ => Err("must be a number".to_owned()),
    }
}

fn truth(value: &Value) -> Option<bool> {
    match label(value)?.trim().to_lowercase().as_str() {
        "true" | "1" | "yes" | "on" | "да" => Some(true),
        "false" | "0" | "no" | "off" | "нет" => Some(false),
        _ => None,
    }
}

impl Clock {
    fn read(&self, value: &Value) -> Result<Timestamp, String> {
        let text = label(value).ok_or_else(|| "must be a time, as text or a number".to_owned())?;
        let text = text.trim();
        let whole = text.parse::<i64>().ok();
        match self {
            Self::Plain => match whole {
                Some(number) => either(number),
                None => Timestamp::parse(text).map_err(|error| error.to_string()),
            },
            Self::Seconds => since_1970(whole, 1_000_000),
            Self::Millis => since_1970(whole, 1_000),
            Self::Pattern(pattern, offset) => by_pattern(text, pattern, *offset)
                .ok_or_else(|| "must be a time as the mapping's pattern says".to_owned()),
        }
    }
}

fn since_1970(number: Option<i64>, micros: i64) -> Result<Timestamp, String> {
    let number = number.ok_or_else(|| "must be a whole number".to_owned())?;
    Timestamp::from_unix_micros(number.saturating_mul(micros)).map_err(|error| error.to_string())
}

/// As seconds, what is taken for milliseconds would lie after the year 5138.
fn either(number: i64) -> Result<Timestamp, String> {
    since_1970(Some(number), if number < 100_000_000_000 { 1_000_000 } else { 1_000 })
}

fn by_pattern(text: &str, pattern: &OwnedFormatItem, offset: Option<UtcOffset>) -> Option<Timestamp> {
    let instant = match offset {
        None => OffsetDateTime::parse(text, pattern).ok()?,
        Some(offset) => PrimitiveDateTime::parse(text, pattern)
            .or_else(|_no_time| Date::parse(text, pattern).map(Date::midnight))
            .ok()?
            .assume_offset(offset),
    };
    let micros = i64::try_from(instant.unix_timestamp_nanos().div_euclid(1_000)).ok()?;
    Timestamp::from_unix_micros(micros).ok()
}
