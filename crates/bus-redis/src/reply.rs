//! Reading what Redis answers. By hand: the client's own conversions print what they cannot read, payloads and all.

use std::collections::BTreeMap;

use domain::id::TenantId;
use domain::timestamp::Timestamp;
use redis::Value;

use crate::failure::Failure;

pub(crate) fn array(value: Value, what: &'static str) -> Result<Vec<Value>, Failure> {
    match value {
        Value::Array(values) => Ok(values),
        Value::Nil => Ok(Vec::new()),
        _ => Err(Failure::Corrupt(what)),
    }
}

/// An array of which the first `N` elements are all that matters.
pub(crate) fn parts<const N: usize>(value: Value, what: &'static str) -> Result<[Value; N], Failure> {
    let mut values = array(value, what)?;
    values.truncate(N);
    values.try_into().map_err(|_short| Failure::Corrupt(what))
}

pub(crate) fn bytes(value: Value, what: &'static str) -> Result<Vec<u8>, Failure> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) => Ok(text.into_bytes()),
        _ => Err(Failure::Corrupt(what)),
    }
}

pub(crate) fn text(value: Value, what: &'static str) -> Result<String, Failure> {
    String::from_utf8(bytes(value, what)?).map_err(|_not_text| Failure::Corrupt(what))
}

/// A count, whether Redis says it as a number or in digits.
pub(crate) fn count(value: Value, what: &'static str) -> Result<u64, Failure> {
    let counted = match value {
        Value::Int(number) => u64::try_from(number).ok(),
        other => text(other, what)?.parse().ok(),
    };
    counted.ok_or(Failure::Corrupt(what))
}

/// Adds what a flat list of tenants and counts says to what is counted already.
pub(crate) fn add_per_tenant(counts: &mut BTreeMap<TenantId, u64>, flat: Value) -> Result<(), Failure> {
    const WHAT: &str = "a book";
    let mut values = array(flat, WHAT)?.into_iter();
    while let (Some(tenant), Some(receipts)) = (values.next(), values.next()) {
        let tenant = TenantId::parse(&text(tenant, WHAT)?).map_err(|_parse| Failure::Corrupt(WHAT))?;
        *counts.entry(tenant).or_default() += count(receipts, WHAT)?;
    }
    Ok(())
}

/// When the message of this id was published. The id begins with that, in milliseconds.
pub(crate) fn published_at(id: &str) -> Result<Timestamp, Failure> {
    id.split_once('-')
        .and_then(|(time, _)| time.parse::<i64>().ok()?.checked_mul(1_000))
        .and_then(|micros| Timestamp::from_unix_micros(micros).ok())
        .ok_or(Failure::Corrupt("the id of a message"))
}
