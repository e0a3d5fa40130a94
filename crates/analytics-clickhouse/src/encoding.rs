//! Moments and values as ClickHouse compares them: in the order of the domain, so that its `min` and `max` choose what
//! [`domain::rollup`] chooses.

use domain::appointment::Step;
use domain::channel::Channel;
use domain::rollup::{Dated, Moment};

/// An instant in microseconds and the bytes of an event's id.
pub(crate) type At = (i64, [u8; 16]);
/// A value with its moment.
pub(crate) type Said<T> = (i64, [u8; 16], T);

/// No step: it loses against every step in a maximum.
pub(crate) const NO_STEP: u8 = u8::MAX;

pub(crate) fn at(moment: Moment) -> At {
    (moment.at.unix_micros(), *moment.event.as_bytes())
}

pub(crate) fn said<T>(moment: Moment, value: T) -> Said<T> {
    let (at, event) = at(moment);
    (at, event, value)
}

/// The value that goes with the earliest moment; nothing said comes after everything.
pub(crate) fn earliest<T, N: Default>(said_if_any: Option<&Dated<T>>, encode: impl Fn(&T) -> N) -> Said<N> {
    said_if_any
        .map_or_else(|| (i64::MAX, [u8::MAX; 16], N::default()), |one| said(one.moment, encode(&one.value)))
}

/// The value that goes with the latest moment; nothing said comes before everything.
pub(crate) fn latest<T, N>(said_if_any: Option<&Dated<T>>, nothing: N, encode: impl Fn(&T) -> N) -> Said<N> {
    match said_if_any {
        Some(one) => said(one.moment, encode(&one.value)),
        None => (-1, [0; 16], nothing),
    }
}

/// The number of a channel. In ClickHouse for good: the order of the domain's list must not change.
pub(crate) const fn channel_code(channel: Channel) -> u8 {
    match channel {
        Channel::Telegram => 0,
        Channel::Whatsapp => 1,
        Channel::Instagram => 2,
        Channel::Max => 3,
        Channel::Vk => 4,
        Channel::Avito => 5,
        Channel::Site => 6,
        Channel::Phone => 7,
        Channel::Sms => 8,
        Channel::Email => 9,
        Channel::Crm => 10,
        Channel::Booking => 11,
        Channel::Other => 12,
    }
}

/// The channel of a number.
pub(crate) fn channel_of(code: u8) -> Option<Channel> {
    Channel::ALL.into_iter().find(|channel| channel_code(*channel) == code)
}

/// The number of a step. In ClickHouse for good: the order of the domain's list must not change.
pub(crate) const fn step_code(step: Step) -> u8 {
    match step {
        Step::Book => 0,
        Step::Reschedule => 1,
        Step::Confirm => 2,
        Step::Cancel => 3,
        Step::Attend => 4,
        Step::NoShow => 5,
    }
}

/// The step of a number.
pub(crate) fn step_of(code: u8) -> Option<Step> {
    Step::ALL.into_iter().find(|step| step_code(*step) == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_ordered_as_the_domain_orders() {
        for (a, b) in Channel::ALL.iter().flat_map(|a| Channel::ALL.iter().map(move |b| (*a, *b))) {
            assert_eq!(a.cmp(&b), channel_code(a).cmp(&channel_code(b)), "{a:?} {b:?}");
        }
        for (a, b) in Step::ALL.iter().flat_map(|a| Step::ALL.iter().map(move |b| (*a, *b))) {
            assert_eq!(a.cmp(&b), step_code(a).cmp(&step_code(b)), "{a:?} {b:?}");
        }
    }

    #[test]
    fn codes_are_read_back() {
        assert!(Channel::ALL.into_iter().all(|channel| channel_of(channel_code(channel)) == Some(channel)));
        assert!(Step::ALL.into_iter().all(|step| step_of(step_code(step)) == Some(step)));
        assert_eq!((channel_of(13), step_of(NO_STEP)), (None, None));
    }
}
