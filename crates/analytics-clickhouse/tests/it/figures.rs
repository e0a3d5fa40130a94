//! The figures of some events by the rules of the domain, in memory: what any store must answer.

use std::collections::BTreeMap;

use domain::appointment::{State, Step};
use domain::channel::Channel;
use domain::event::Event;
use domain::overview::{AppointmentFigures, ChannelFigures, SessionFigures};
use domain::rollup::{AppointmentRollup, Mark, SessionRollup};
use domain::timestamp::Timestamp;
use ports::analytics::Period;

pub(crate) fn of(events: &[Event], period: Period) -> Vec<ChannelFigures> {
    let mut figures: BTreeMap<Channel, (SessionFigures, AppointmentFigures)> = BTreeMap::new();
    let is_in = |at: Timestamp| period.from <= at && at < period.until;
    for rollup in sessions(events).into_values().filter(|rollup| is_in(rollup.opened.moment.at)) {
        let of_channel = &mut figures.entry(rollup.opened.value).or_default().0;
        of_channel.total += 1;
        for (mark, count) in [
            (Mark::Lead, &mut of_channel.with_lead),
            (Mark::Booked, &mut of_channel.booked),
            (Mark::Attended, &mut of_channel.visited),
            (Mark::Refused, &mut of_channel.refused),
            (Mark::Fallback, &mut of_channel.with_fallback),
            (Mark::HandedOff, &mut of_channel.handed_off),
        ] {
            *count += u64::from(rollup.marks.has(mark));
        }
    }
    for rollup in appointments(events).into_values().filter(|rollup| is_in(rollup.opened.moment.at)) {
        let of_channel = &mut figures.entry(rollup.opened.value.0).or_default().1;
        *match rollup.step.map_or(State::Booked, |step| Step::leads_to(step.value)) {
            State::Booked => &mut of_channel.booked,
            State::Attended => &mut of_channel.attended,
            State::NoShow => &mut of_channel.no_show,
            State::Cancelled => &mut of_channel.cancelled,
        } += 1;
    }
    figures
        .into_iter()
        .map(|(channel, (sessions, appointments))| ChannelFigures { channel, sessions, appointments })
        .collect()
}

pub(crate) fn sessions(events: &[Event]) -> BTreeMap<String, SessionRollup> {
    let mut rollups: BTreeMap<String, SessionRollup> = BTreeMap::new();
    for news in events.iter().map(SessionRollup::of) {
        let key = news.session.to_string();
        let rollup = match rollups.remove(&key) {
            Some(kept) => kept.merge(news),
            None => news,
        };
        rollups.insert(key, rollup);
    }
    rollups
}

pub(crate) fn appointments(events: &[Event]) -> BTreeMap<String, AppointmentRollup> {
    let mut rollups: BTreeMap<String, AppointmentRollup> = BTreeMap::new();
    for news in events.iter().filter_map(AppointmentRollup::of) {
        let key = news.appointment.to_string();
        let rollup = match rollups.remove(&key) {
            Some(kept) => kept.merge(news),
            None => news,
        };
        rollups.insert(key, rollup);
    }
    rollups
}
