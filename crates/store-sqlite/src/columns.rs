//! Columns to values of the domain, and back.
//!
//! Ids are blobs of sixteen bytes, instants are microseconds, words are text. What does not read back is
//! [`Failure::Corrupt`], naming the column's meaning and never its content.

use domain::event::Digest;
use domain::id::{EventId, ReceiptId};
use domain::rollup::{Dated, Moment};
use domain::timestamp::Timestamp;
use rusqlite::Row;

use crate::failure::Failure;

/// A number of things, as SQLite counts.
pub(crate) fn count(things: usize) -> i64 {
    i64::try_from(things).unwrap_or(i64::MAX)
}

/// A count that SQLite gave.
pub(crate) fn counted(row: &Row<'_>, index: usize) -> Result<u64, Failure> {
    u64::try_from(row.get::<_, i64>(index)?).map_err(|_negative| Failure::Corrupt("a count below zero"))
}

/// Text that something parses.
pub(crate) fn parsed<T>(
    row: &Row<'_>,
    index: usize,
    what: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Failure> {
    parse(row.get_ref(index)?.as_str()?).ok_or(Failure::Corrupt(what))
}

/// Text that something parses, or nothing.
pub(crate) fn parsed_if_any<T>(
    row: &Row<'_>,
    index: usize,
    what: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Failure> {
    row.get_ref(index)?.as_str_or_null()?.map(|text| parse(text).ok_or(Failure::Corrupt(what))).transpose()
}

/// An instant.
pub(crate) fn instant(row: &Row<'_>, index: usize) -> Result<Timestamp, Failure> {
    Timestamp::from_unix_micros(row.get(index)?).map_err(|_out_of_range| Failure::Corrupt("an instant"))
}

/// An instant, or nothing.
pub(crate) fn instant_if_any(row: &Row<'_>, index: usize) -> Result<Option<Timestamp>, Failure> {
    row.get::<_, Option<i64>>(index)?
        .map(|micros| {
            Timestamp::from_unix_micros(micros).map_err(|_out_of_range| Failure::Corrupt("an instant"))
        })
        .transpose()
}

/// A receipt's id.
pub(crate) fn receipt(row: &Row<'_>, index: usize) -> Result<ReceiptId, Failure> {
    ReceiptId::from_slice(row.get_ref(index)?.as_blob()?).ok_or(Failure::Corrupt("a receipt's id"))
}

/// An event's id.
pub(crate) fn event_id(row: &Row<'_>, index: usize) -> Result<EventId, Failure> {
    EventId::from_slice(row.get_ref(index)?.as_blob()?).ok_or(Failure::Corrupt("an event's id"))
}

/// A digest.
pub(crate) fn digest(row: &Row<'_>, index: usize) -> Result<Digest, Failure> {
    Digest::from_slice(row.get_ref(index)?.as_blob()?).ok_or(Failure::Corrupt("a digest"))
}

/// A moment, from the column of its instant and the one after it.
pub(crate) fn moment(row: &Row<'_>, index: usize) -> Result<Moment, Failure> {
    Ok(Moment { at: instant(row, index)?, event: event_id(row, index + 1)? })
}

/// A value read already, with the moment from the two columns given.
pub(crate) fn dated<T>(row: &Row<'_>, value: Option<T>, index: usize) -> Result<Option<Dated<T>>, Failure> {
    value.map(|value| Ok(Dated { moment: moment(row, index)?, value })).transpose()
}
