//! Moments and values as ClickHouse compares them: in the order of the domain, so that its `min` and `max` choose what
//! [`domain::rollup`] chooses.
//!
//! A value with its moment is one number, of the instant, the event's id and the value from the top down: ClickHouse
//! takes the minimum of numbers ten times as fast as of tuples.

use domain::appointment::Step;
use domain::channel::Channel;
use domain::rollup::{Dated, Moment};

/// A `UInt256` as it is sent: its lower half, its upper half.
pub(crate) type Said = (u128, u128);

/// Nothing was said: it loses against everything in a minimum.
const NEVER_EARLIEST: Said = (u128::MAX, u128::MAX);
/// Nothing was said: it loses against everything in a maximum.
const NEVER_LATEST: Said = (0, 0);

/// A value of eight bits with its moment.
pub(crate) fn said(moment: Moment, value: u8) -> Said {
    joined(moment, u64::from(value), u8::BITS)
}

/// A value of 64 bits with its moment.
fn said_wide(moment: Moment, value: u64) -> Said {
    joined(moment, value, u64::BITS)
}

fn joined(moment: Moment, value: u64, bits: u32) -> Said {
    let event = moment.event.as_uuid().as_u128();
    // Instants are never before the epoch.
    let at = u128::from(moment.at.unix_micros().unsigned_abs());
    (event << bits | u128::from(value), at << bits | event >> (u128::BITS - bits))
}

/// The value of 64 bits that goes with the earliest moment, if there is any.
pub(crate) fn earliest<T>(one: Option<&Dated<T>>, encode: impl Fn(&T) -> u64) -> Said {
    one.map_or(NEVER_EARLIEST, |one| said_wide(one.moment, encode(&one.value)))
}

/// The last step, if there is any.
pub(crate) fn last_step(one: Option<&Dated<Step>>) -> Said {
    one.map_or(NEVER_LATEST, |one| said(one.moment, step_code(one.value)))
}

/// The value of 64 bits, not 0, that goes with the latest moment, if there is any.
pub(crate) fn latest<T>(one: Option<&Dated<T>>, encode: impl Fn(&T) -> u64) -> Said {
    one.map_or(NEVER_LATEST, |one| said_wide(one.moment, encode(&one.value)))
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

/// The number of no step.
pub(crate) const NO_STEP: u8 = 0;

/// The number of a step. In ClickHouse for good: the order of the domain's list must not change.
pub(crate) const fn step_code(step: Step) -> u8 {
    match step {
        Step::Book => 1,
        Step::Reschedule => 2,
        Step::Confirm => 3,
        Step::Cancel => 4,
        Step::Attend => 5,
        Step::NoShow => 6,
    }
}

/// The step of a number.
pub(crate) fn step_of(code: u8) -> Option<Step> {
    Step::ALL.into_iter().find(|step| step_code(*step) == code)
}

#[cfg(test)]
mod tests {
    use domain::id::EventId;
    use domain::timestamp::Timestamp;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn numbers_are_ordered_by_instant_then_event_then_value() {
        let instants = [
            Timestamp::EPOCH,
            Timestamp::from_unix_micros(1).unwrap(),
            Timestamp::EPOCH.plus(std::time::Duration::MAX),
        ];
        let events = [0, 1, 1 << 63, 1 << 64, 1 << 120, u128::MAX - 1, u128::MAX]
            .map(Uuid::from_u128)
            .map(EventId::from_uuid);
        let moments =
            || instants.iter().flat_map(|at| events.iter().map(|event| Moment { at: *at, event: *event }));
        let high_first = |(low, high): Said| (high, low);
        let narrow: Vec<_> = moments()
            .flat_map(|moment| [0, 1, u8::MAX].map(|value| high_first(said(moment, value))))
            .collect();
        let wide: Vec<_> = moments()
            .flat_map(|moment| [1, u64::MAX].map(|value| high_first(said_wide(moment, value))))
            .collect();
        for numbers in [narrow, wide] {
            assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:x?}");
            assert!(*numbers.last().unwrap() < high_first(NEVER_EARLIEST));
        }
        let first_step = Dated { moment: Moment { at: instants[0], event: events[0] }, value: Step::Book };
        assert!(high_first(last_step(Some(&first_step))) > high_first(last_step(None)));
    }

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
