//! Somebody wants an appointment, and mostly gets one.

use domain::action::{Action, Actor};
use domain::channel::Channel;

use super::visit;
use crate::catalogue::Service;
use crate::fact::{Report, Slot, ThreadId};
use crate::phrases;
use crate::talk::Talk;
use crate::world::World;

/// From the first word to the booking, or to a no on the way.
pub(crate) fn run(world: &mut World, thread: ThreadId, at: i64) {
    let service = world.wish();
    let mut talk = Talk::new(world, thread, at, "booking");
    ring(&mut talk);
    let wish = phrases::wish(&mut talk.world.dice, service);
    talk.says(wish);
    arrange(talk, service);
}

/// Finds a time with the client and books it; the client has said what is wanted.
pub(crate) fn arrange(mut talk: Talk<'_>, service: &'static Service) {
    let mut slot = talk.world.free_slot(service, talk.now);
    offer(&mut talk, &slot);
    while talk.world.dice.chance(22) {
        let other = phrases::another_time(&mut talk.world.dice);
        talk.says(other);
        slot = talk.world.free_slot(service, talk.now);
        offer(&mut talk, &slot);
    }
    if talk.world.dice.chance(11) {
        return refuse(&mut talk);
    }
    if talk.world.dice.chance(6) {
        // The client falls silent.
        return;
    }
    if talk.world.threads[talk.thread].channel == Channel::Telegram && talk.world.dice.chance(70) {
        talk.presses("Да, записаться", "slot:yes");
    } else {
        let yes = phrases::agreement(&mut talk.world.dice);
        talk.says(yes);
    }
    if !obtain_consent(&mut talk) {
        return refuse(&mut talk);
    }
    enter(&mut talk, slot);
}

/// The client says no, and the assistant takes it.
pub(crate) fn refuse(talk: &mut Talk<'_>) {
    let no = phrases::refusal(&mut talk.world.dice);
    talk.says(no);
    let bye = phrases::farewell(&mut talk.world.dice);
    talk.reports(Report::assistant(Action::Refuse).intent("refusal").text(bye));
}

/// A call begins with the call itself.
pub(crate) fn ring(talk: &mut Talk<'_>) {
    if talk.world.threads[talk.thread].channel == Channel::Phone {
        let seconds = talk.world.dice.between(40, 260);
        talk.tell(Report::new(Actor::Client, Action::Call).attribute("duration_s", seconds));
    }
}

fn offer(talk: &mut Talk<'_>, slot: &Slot) {
    let text = phrases::offer(&mut talk.world.dice, slot);
    talk.answers_to("appointment_booking", text);
}

/// Consent and phone, unless the client has given them before; false when the client will not.
fn obtain_consent(talk: &mut Talk<'_>) -> bool {
    let client = talk.world.threads[talk.thread].client;
    if talk.world.clients[client].consented {
        return true;
    }
    let request = phrases::consent_request(&mut talk.world.dice);
    talk.answers(request);
    if talk.world.dice.chance(4) {
        return false;
    }
    talk.presses("Согласие даю", "consent:yes");
    talk.tell(Report::new(Actor::Client, Action::ConsentGrant).consent("personal_data", true));
    let request = phrases::phone_request(&mut talk.world.dice);
    talk.answers(request);
    talk.shares_contact();
    if talk.world.dice.chance(35) {
        talk.tell(Report::new(Actor::Client, Action::ConsentGrant).consent("mailing", true));
    }
    talk.world.clients[client].consented = true;
    true
}

/// The lead, the booking, the thanks; and what the days after will bring.
fn enter(talk: &mut Talk<'_>, slot: Slot) {
    let lead = talk.world.lead();
    talk.lead = Some(lead);
    talk.reports(Report::assistant(Action::CreateLead).intent("appointment_booking").with_contact());
    let booking = talk.world.book(talk.thread, lead, slot, talk.now);
    let slot = talk.world.bookings[booking].slot;
    let name = talk.client().first_name;
    let text = phrases::booked(&mut talk.world.dice, &slot, name);
    let report = Report::assistant(Action::Book).intent("appointment_booking").text(text).slot(slot);
    talk.reports(report.with_contact());
    talk.tell(Report::new(Actor::Crm, Action::LeadStage).attribute("stage", "IN_PROCESS"));
    if talk.world.dice.chance(55) {
        let thanks = phrases::thanks(&mut talk.world.dice);
        talk.says(thanks);
    }
    let until = talk.now;
    visit::plan(talk.world, booking, until);
}
