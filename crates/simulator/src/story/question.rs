//! Conversations that do not begin with a wish for an appointment.

use domain::action::{Action, Actor};

use super::booking;
use crate::fact::{Report, ThreadId};
use crate::phrases;
use crate::talk::Talk;
use crate::world::World;

/// What does it cost? Some book, some say no, some fall silent.
pub(crate) fn price(world: &mut World, thread: ThreadId, at: i64) {
    let service = world.wish();
    let mut talk = Talk::new(world, thread, at, "price");
    booking::ring(&mut talk);
    let question = phrases::price_question(&mut talk.world.dice, service);
    talk.says(question);
    let price = phrases::price(&mut talk.world.dice, service);
    talk.answers_to("price_question", price);
    match talk.world.dice.below(100) {
        0..38 => {
            let yes = phrases::agreement(&mut talk.world.dice);
            talk.says(yes);
            booking::arrange(talk, service);
        }
        38..66 => booking::refuse(&mut talk),
        66..76 => call_back(&mut talk),
        _ => {
            let thanks = phrases::thanks(&mut talk.world.dice);
            talk.says(thanks);
        }
    }
}

/// The client wants to be called: a lead without a booking.
fn call_back(talk: &mut Talk<'_>) {
    let request = phrases::call_back_request(&mut talk.world.dice);
    talk.says(request);
    talk.shares_contact();
    talk.lead = Some(talk.world.lead());
    let promise = "Записала ваш номер, администратор перезвонит в течение часа.";
    talk.reports(Report::assistant(Action::CreateLead).intent("call_back").text(promise).with_contact());
}

/// The assistant does not understand; mostly a human has to help.
pub(crate) fn puzzle(world: &mut World, thread: ThreadId, at: i64) {
    let mut talk = Talk::new(world, thread, at, "small-talk");
    booking::ring(&mut talk);
    let riddle = phrases::riddle(&mut talk.world.dice);
    talk.says(riddle);
    let excuse = phrases::not_understood(&mut talk.world.dice);
    talk.reports(Report::assistant(Action::Fallback).text(excuse));
    if talk.world.dice.chance(22) {
        // The client gives up.
        return;
    }
    let demand = phrases::insistence(&mut talk.world.dice);
    talk.says(demand);
    let handoff = phrases::handoff(&mut talk.world.dice);
    talk.reports(Report::assistant(Action::Handoff).intent("human_wanted").text(handoff));
    let answer = phrases::staff_answer(&mut talk.world.dice);
    talk.staff_writes(answer);
    if talk.world.dice.chance(60) {
        let thanks = phrases::thanks(&mut talk.world.dice);
        talk.says(thanks);
    }
    if talk.world.dice.chance(30) {
        // Staff note the wish in the CRM; nothing is booked yet.
        talk.lead = Some(talk.world.lead());
        talk.pause(20, 200);
        talk.tell(Report::new(Actor::Staff, Action::CreateLead).with_contact());
    }
}

/// The client asks for what the assistant must not tell.
pub(crate) fn improper(world: &mut World, thread: ThreadId, at: i64) {
    let mut talk = Talk::new(world, thread, at, "guard");
    booking::ring(&mut talk);
    let request = phrases::improper(&mut talk.world.dice);
    talk.says(request);
    let decline = phrases::decline(&mut talk.world.dice);
    talk.reports(Report::assistant(Action::Decline).text(decline));
    if talk.world.dice.chance(40) {
        let wish = talk.world.wish();
        let text = phrases::wish(&mut talk.world.dice, wish);
        talk.says(text);
        talk.scenario.id = "booking";
        booking::arrange(talk, wish);
    }
}

/// The client wants no more mailings.
pub(crate) fn unsubscribe(world: &mut World, thread: ThreadId, at: i64) {
    let mut talk = Talk::new(world, thread, at, "mailing");
    booking::ring(&mut talk);
    let text = phrases::unsubscribe(&mut talk.world.dice);
    talk.says(text);
    talk.tell(Report::new(Actor::Client, Action::ConsentWithdraw).consent("mailing", false));
    talk.answers_to("unsubscribe", "Готово, рассылку отключила. Напоминания о ваших записях останутся.");
}
