//! Columns to values of the domain, and back.
//!
//! Ids are sixteen bytes, instants are microseconds, words are text. What does not read back is
//! [`Failure::Corrupt`], naming the column's meaning and never its content.

use domain::event::Digest;
use domain::id::{EventId, ReceiptId};
use domain::rollup::{Dated, Moment};
use domain::timestamp::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::failure::Failure;

/// A free text that PostgreSQL can keep: it knows no U+0000, which is shown by its symbol instead.
pub(crate) fn text(text: &str) -> String {
    text.replace('\0', "\u{2400}")
}

/// A number that is never negative.
pub(crate) fn counted(row: &PgRow, index: usize) -> Result<u64, Failure> {
    u64::try_from(row.try_get::<i64, _>(index)?).map_err(|_negative| Failure::Corrupt("a count below zero"))
}

/// A number of 32 bits.
pub(crate) fn small(row: &PgRow, index: usize, what: &'static str) -> Result<u32, Failure> {
    u32::try_from(row.try_get::<i64, _>(index)?).map_err(|_out_of_range| Failure::Corrupt(what))
}

/// Text that something parses.
pub(crate) fn parsed<T>(
    row: &PgRow,
    index: usize,
    what: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Failure> {
    parse(row.try_get(index)?).ok_or(Failure::Corrupt(what))
}

/// Text that something parses, or nothing.
pub(crate) fn parsed_if_any<T>(
    row: &PgRow,
    index: usize,
    what: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Failure> {
    row.try_get::<Option<&str>, _>(index)?.map(|text| parse(text).ok_or(Failure::Corrupt(what))).transpose()
}

/// An instant.
pub(crate) fn instant(row: &PgRow, index: usize) -> Result<Timestamp, Failure> {
    Timestamp::from_unix_micros(row.try_get(index)?).map_err(|_out_of_range| Failure::Corrupt("an instant"))
}

/// An instant, or nothing.
pub(crate) fn instant_if_any(row: &PgRow, index: usize) -> Result<Option<Timestamp>, Failure> {
    row.try_get::<Option<i64>, _>(index)?
        .map(|micros| {
            Timestamp::from_unix_micros(micros).map_err(|_out_of_range| Failure::Corrupt("an instant"))
        })
        .transpose()
}

/// A receipt's id.
pub(crate) fn receipt(row: &PgRow, index: usize) -> Result<ReceiptId, Failure> {
    ReceiptId::from_slice(row.try_get(index)?).ok_or(Failure::Corrupt("a receipt's id"))
}

/// An event's id.
pub(crate) fn event_id(row: &PgRow, index: usize) -> Result<EventId, Failure> {
    EventId::from_slice(row.try_get(index)?).ok_or(Failure::Corrupt("an event's id"))
}

/// A digest.
pub(crate) fn digest(row: &PgRow, index: usize) -> Result<Digest, Failure> {
    Digest::from_slice(row.try_get(index)?).ok_or(Failure::Corrupt("a digest"))
}

/// A moment, from the column of its instant and the one after it.
pub(crate) fn moment(row: &PgRow, index: usize) -> Result<Moment, Failure> {
    Ok(Moment { at: instant(row, index)?, event: event_id(row, index + 1)? })
}

/// A value read already, with the moment from the two columns given.
pub(crate) fn dated<T>(row: &PgRow, value: Option<T>, index: usize) -> Result<Option<Dated<T>>, Failure> {
    value.map(|value| Ok(Dated { moment: moment(row, index)?, value })).transpose()
}
