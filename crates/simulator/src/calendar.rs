//! The salon's clock: whole seconds, shown at the salon's own offset.

use domain::timestamp::Timestamp;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// An hour, in seconds.
pub(crate) const HOUR: i64 = 3600;
/// A day, in seconds.
pub(crate) const DAY: i64 = 24 * HOUR;
/// The salon stands in Moscow.
const OFFSET_HOURS: i8 = 3;

const WEEKDAYS: [&str; 7] =
    ["в понедельник", "во вторник", "в среду", "в четверг", "в пятницу", "в субботу", "в воскресенье"];
const MONTHS: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];

/// Whole seconds since the epoch, rounded up: a period that starts within a second has none before its start.
pub(crate) fn seconds(at: Timestamp) -> i64 {
    at.unix_micros().div_euclid(1_000_000) + i64::from(at.unix_micros().rem_euclid(1_000_000) > 0)
}

/// The instant; the last there is when the number lies beyond.
pub(crate) fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap_or(Timestamp::EPOCH)
}

/// RFC 3339 at the salon's offset.
pub(crate) fn rfc3339(seconds: i64) -> String {
    local(seconds).format(&Rfc3339).unwrap_or_default()
}

/// Seconds since local midnight.
pub(crate) fn second_of_day(seconds: i64) -> i64 {
    (seconds + i64::from(OFFSET_HOURS) * HOUR).rem_euclid(DAY)
}

/// Local midnight before or at an instant.
pub(crate) fn midnight(seconds: i64) -> i64 {
    seconds - second_of_day(seconds)
}

/// As a person says it: `в пятницу, 14 марта, в 15:30`.
pub(crate) fn spoken(seconds: i64) -> String {
    format!("{}, в {}", spoken_day(seconds), spoken_time(seconds))
}

/// As a person says it: `в пятницу, 14 марта`.
pub(crate) fn spoken_day(seconds: i64) -> String {
    let local = local(seconds);
    let weekday = WEEKDAYS[usize::from(local.weekday().number_days_from_monday())];
    let month = MONTHS[usize::from(u8::from(local.month()) - 1)];
    format!("{weekday}, {} {month}", local.day())
}

/// As a person says it: `15:30`.
pub(crate) fn spoken_time(seconds: i64) -> String {
    let local = local(seconds);
    format!("{}:{:02}", local.hour(), local.minute())
}

fn local(seconds: i64) -> OffsetDateTime {
    let offset = UtcOffset::from_hms(OFFSET_HOURS, 0, 0).unwrap_or(UtcOffset::UTC);
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH).to_offset(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_spoken_as_people_speak() {
        let at = seconds(Timestamp::parse("2025-03-14T12:30:00Z").unwrap());
        assert_eq!(spoken(at), "в пятницу, 14 марта, в 15:30");
        assert_eq!(rfc3339(at), "2025-03-14T15:30:00+03:00");
    }

    #[test]
    fn midnight_is_the_salons_own() {
        let at = seconds(Timestamp::parse("2025-03-14T22:30:00Z").unwrap());
        assert_eq!(rfc3339(midnight(at)), "2025-03-15T00:00:00+03:00");
    }
}
