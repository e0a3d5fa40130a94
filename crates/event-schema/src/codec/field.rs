//! Reading one field of a message.

use bytes::Bytes;
use domain::timestamp::Timestamp;

use super::DecodeError;

/// Names `field` when the domain did not take its value, whichever way the domain says so.
pub(super) fn read<T>(value: impl IntoOption<T>, field: &'static str) -> Result<T, DecodeError> {
    value.into_option().ok_or(DecodeError::Field(field))
}

/// Like [`read`], for a field that may be absent.
pub(super) fn read_optional<V, T, R: IntoOption<T>>(
    value: Option<V>,
    parse: impl FnOnce(V) -> R,
    field: &'static str,
) -> Result<Option<T>, DecodeError> {
    value.map(|value| read(parse(value), field)).transpose()
}

pub(super) fn instant(micros: i64, field: &'static str) -> Result<Timestamp, DecodeError> {
    read(Timestamp::from_unix_micros(micros), field)
}

pub(super) fn bytes(slice: &[u8]) -> Bytes {
    Bytes::copy_from_slice(slice)
}

/// The domain's parsers answer with an `Option` where there is one way to fail and with a `Result` where there are
/// more; here both mean the same.
pub(super) trait IntoOption<T> {
    fn into_option(self) -> Option<T>;
}

impl<T> IntoOption<T> for Option<T> {
    fn into_option(self) -> Self {
        self
    }
}

impl<T, E> IntoOption<T> for Result<T, E> {
    fn into_option(self) -> Option<T> {
        self.ok()
    }
}
