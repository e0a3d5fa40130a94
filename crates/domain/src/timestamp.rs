//! Instants, in microseconds since the Unix epoch.

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An instant, UTC, to the microsecond: what SQLite, PostgreSQL and ClickHouse can all keep without rounding.
///
/// Holds years 1970 to 2099; a clock that says anything else is broken beyond what a skew flag can express.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Why a text or number is not an instant that can be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseTimestampError {
    /// Not of the form `2025-01-01T12:34:56+03:00`.
    #[error("must be RFC 3339 with an offset, such as 2025-01-01T12:34:56+03:00")]
    NotRfc3339,
    /// Before 1970 or after 2099.
    #[error("must lie between the years 1970 and 2099")]
    OutOfRange,
}

const MICROS_PER_SECOND: i64 = 1_000_000;
/// 2100-01-01T00:00:00Z.
const END: i64 = 4_102_444_800 * MICROS_PER_SECOND;

impl Timestamp {
    /// 1970-01-01T00:00:00Z, the earliest instant there is here.
    pub const EPOCH: Self = Self(0);

    /// Reads RFC 3339 with an offset. Digits below a microsecond are cut off.
    pub fn parse(text: &str) -> Result<Self, ParseTimestampError> {
        let parsed =
            OffsetDateTime::parse(text, &Rfc3339).map_err(|_malformed| ParseTimestampError::NotRfc3339)?;
        let micros = parsed.unix_timestamp_nanos().div_euclid(1_000);
        i64::try_from(micros)
            .map_err(|_too_far| ParseTimestampError::OutOfRange)
            .and_then(Self::from_unix_micros)
    }

    /// From seconds since the epoch, as Telegram and WhatsApp send them.
    pub fn from_unix_seconds(seconds: i64) -> Result<Self, ParseTimestampError> {
        seconds
            .checked_mul(MICROS_PER_SECOND)
            .ok_or(ParseTimestampError::OutOfRange)
            .and_then(Self::from_unix_micros)
    }

    /// From microseconds since the epoch, as stored.
    pub fn from_unix_micros(micros: i64) -> Result<Self, ParseTimestampError> {
        if (0..END).contains(&micros) { Ok(Self(micros)) } else { Err(ParseTimestampError::OutOfRange) }
    }

    /// Microseconds since the epoch, as stored.
    #[must_use]
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// Later by `duration`; stops at the last instant there is.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(END);
        Self(self.0.saturating_add(micros).min(END - 1))
    }

    /// Earlier by `duration`; stops at the epoch.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(END);
        Self(self.0.saturating_sub(micros).max(0))
    }

    /// How far apart two instants are, whichever is first.
    #[must_use]
    pub fn distance(self, other: Self) -> Duration {
        Duration::from_micros(self.0.abs_diff(other.0))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, such as `2025-01-01T09:34:56.25Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .map_err(|_out_of_range| fmt::Error)?;
        f.write_str(&instant.format(&Rfc3339).map_err(|_unformattable| fmt::Error)?)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_offset_is_honoured() {
        let moscow = Timestamp::parse("2025-01-01T12:34:56+03:00").unwrap();
        assert_eq!(moscow.to_string(), "2025-01-01T09:34:56Z");
        assert_eq!(moscow, Timestamp::from_unix_seconds(1_735_724_096).unwrap());
    }

    #[test]
    fn a_time_without_offset_or_in_year_zero_or_9999_is_refused() {
        use ParseTimestampError::{NotRfc3339, OutOfRange};
        for (text, expected) in [
            ("2025-01-01T12:34:56", NotRfc3339),
            ("2025-01-01", NotRfc3339),
            ("yesterday", NotRfc3339),
            ("2025-02-30T00:00:00Z", NotRfc3339),
            ("0000-01-01T00:00:00Z", OutOfRange),
            ("9999-12-31T23:59:59Z", OutOfRange),
            ("2100-01-01T00:00:00Z", OutOfRange),
        ] {
            assert_eq!(Timestamp::parse(text), Err(expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_gives_the_same_instant(micros in 0..END) {
            let instant = Timestamp::from_unix_micros(micros).unwrap();
            prop_assert_eq!(Timestamp::parse(&instant.to_string()), Ok(instant));
        }
    }
}
