//! What becomes of a booking: moved, called off, reminded of, kept or missed, paid and praised.
//!
//! The chance of a no-show grows with the days between booking and visit and falls with a reminder; who is reminded
//! is drawn by lot, so that the effect of a reminder can be estimated from the events and held against the numbers
//! written here.

use domain::action::{Action, Actor};
use domain::channel::Channel;

use crate::calendar::{DAY, HOUR, midnight};
use crate::fact::{BookingId, Report, Slot};
use crate::phrases;
use crate::talk::Talk;
use crate::world::World;

/// How many in a hundred bookings are moved, and called off.
const MOVED: u32 = 9;
const CALLED_OFF: u32 = 11;
/// How many in a hundred visits are reminded of.
const REMINDED: u32 = 75;
/// What a reminder leaves of the chance of a no-show, in a hundred.
const LEFT_BY_REMINDER: u32 = 45;

/// Plans all that follows a booking; `talked_until` is when the conversation of the booking ended.
pub(crate) fn plan(world: &mut World, booking: BookingId, talked_until: i64) {
    let mut free_from = talked_until + HOUR / 4;
    if world.dice.chance(MOVED)
        && let Some(at) = between(world, free_from, starts_at(world, booking) - 3 * HOUR)
    {
        free_from = reschedule(world, booking, at) + HOUR / 4;
    }
    if world.dice.chance(CALLED_OFF)
        && let Some(at) = between(world, free_from, starts_at(world, booking) - HOUR)
    {
        return call_off(world, booking, at);
    }
    let reminded = world.dice.chance(REMINDED) && remind(world, booking, free_from);
    let starts_at = starts_at(world, booking);
    let days = (starts_at - world.bookings[booking].booked_at) / DAY;
    if world.dice.chance(no_show_percent(days, reminded)) {
        miss(world, booking, starts_at);
    } else {
        let at = starts_at + i64::from(world.dice.between(0, 900));
        attend(world, booking, at);
    }
}

/// The chance of a no-show, in a hundred.
fn no_show_percent(days: i64, reminded: bool) -> u32 {
    let base = match days {
        ..=1 => 12,
        2..=4 => 24,
        5..=8 => 34,
        _ => 44,
    };
    if reminded { base * LEFT_BY_REMINDER / 100 } else { base }
}

fn starts_at(world: &World, booking: BookingId) -> i64 {
    world.bookings[booking].slot.starts_at
}

/// An instant drawn from a stretch of time; none when there is no stretch.
fn between(world: &mut World, from: i64, until: i64) -> Option<i64> {
    let width = u32::try_from(until - from).ok().filter(|width| *width > 0)?;
    Some(from + i64::from(world.dice.below(width)))
}

fn talk<'w>(world: &'w mut World, booking: BookingId, at: i64, branch: &'static str) -> Talk<'w> {
    let (thread, lead) = (world.bookings[booking].thread, world.bookings[booking].lead);
    let mut talk = Talk::new(world, thread, at, branch);
    talk.lead = Some(lead);
    talk
}

fn slot(talk: &Talk<'_>, booking: BookingId) -> Slot {
    talk.world.bookings[booking].slot
}

fn reschedule(world: &mut World, booking: BookingId, at: i64) -> i64 {
    let mut talk = talk(world, booking, at, "reschedule");
    let request = phrases::move_request(&mut talk.world.dice);
    talk.says(request);
    let service = slot(&talk, booking).service;
    let moved = talk.world.free_slot(service, talk.now);
    let moved = Slot { booking, ..moved };
    let text = phrases::moved(&mut talk.world.dice, &moved);
    talk.reports(Report::assistant(Action::Reschedule).intent("reschedule").text(text).slot(moved));
    talk.world.bookings[booking].slot = moved;
    talk.now
}

/// Some call off by phone, in a conversation of its own; the booking knows both.
fn call_off(world: &mut World, booking: BookingId, at: i64) {
    let by_phone = world.dice.chance(15);
    let mut talk = talk(world, booking, at, "cancel");
    if by_phone {
        let client = talk.world.threads[talk.thread].client;
        talk.thread = talk.world.thread(client, Channel::Phone);
        super::booking::ring(&mut talk);
    }
    let request = phrases::cancel_request(&mut talk.world.dice);
    talk.says(request);
    let slot = slot(&talk, booking);
    let text = phrases::cancelled(&mut talk.world.dice);
    talk.reports(Report::assistant(Action::Cancel).intent("cancel").text(text).slot(slot));
    talk.tell(Report::new(Actor::Crm, Action::LeadStage).attribute("stage", "JUNK"));
}

/// A day before, or three hours before when that is over; false when even that is too late.
fn remind(world: &mut World, booking: BookingId, free_from: i64) -> bool {
    let starts_at = starts_at(world, booking);
    let Some(at) = [starts_at - DAY, starts_at - 3 * HOUR].into_iter().find(|&at| at > free_from) else {
        return false;
    };
    let mut talk = talk(world, booking, at, "reminder");
    let slot = slot(&talk, booking);
    let text = phrases::reminder(&mut talk.world.dice, &slot);
    talk.reports(Report::assistant(Action::Remind).text(text).slot(slot));
    if talk.world.dice.chance(62) {
        talk.pause(20, 5400);
        let yes = phrases::coming(&mut talk.world.dice);
        talk.says(yes);
        talk.reports(
            Report::assistant(Action::Confirm).intent("confirmation").text("Отлично, ждём вас!").slot(slot),
        );
    }
    true
}

fn attend(world: &mut World, booking: BookingId, at: i64) {
    let mut talk = talk(world, booking, at, "visit");
    let slot = slot(&talk, booking);
    talk.tell(Report::new(Actor::Staff, Action::Attend).slot(slot));
    talk.now += i64::from(slot.service.minutes) * 60;
    if talk.world.dice.chance(96) {
        let tip = 100 * talk.world.dice.below(4);
        let paid = Report::new(Actor::System, Action::Pay).slot(slot);
        talk.tell(paid.attribute("amount_rub", slot.service.roubles + tip));
        talk.tell(Report::new(Actor::Crm, Action::LeadStage).attribute("stage", "CONVERTED"));
    }
    if talk.world.dice.chance(45) {
        // The next day around noon, not when people sleep.
        talk.now = midnight(talk.now) + DAY + 11 * HOUR;
        talk.pause(0, 3 * 3600);
        let request = phrases::review_request(&mut talk.world.dice);
        talk.answers(request);
        if talk.world.dice.chance(50) {
            let stars = talk.world.dice.weighted(&[(2, 1), (3, 2), (6, 3), (22, 4), (67, 5)]);
            let words = phrases::review(&mut talk.world.dice, stars);
            talk.says(words);
            talk.tell(Report::new(Actor::Client, Action::Review).slot(slot).attribute("stars", stars));
        }
    }
}

/// The client does not come; a few were only late and are marked as visitors after all.
fn miss(world: &mut World, booking: BookingId, starts_at: i64) {
    let late = world.dice.chance(5);
    let mut talk = talk(world, booking, starts_at + HOUR / 2, "visit");
    let slot = slot(&talk, booking);
    talk.tell(Report::new(Actor::Staff, Action::NoShow).slot(slot));
    if late {
        let at = talk.now + HOUR / 4;
        return attend(talk.world, booking, at);
    }
    if talk.world.dice.chance(60) {
        talk.pause(3600, 5 * 3600);
        let sorry = phrases::missed(&mut talk.world.dice);
        talk.answers(sorry);
        if talk.world.dice.chance(35) {
            talk.scenario.id = "booking";
            let yes = phrases::agreement(&mut talk.world.dice);
            talk.says(yes);
            // A second wish is a second lead and a second booking.
            talk.lead = None;
            super::booking::arrange(talk, slot.service);
        }
    }
}
