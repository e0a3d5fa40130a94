//! What trials tell the system, and what its figures must say afterwards.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::events;

/// The hours in which all of it happened.
pub const PERIOD: &str = "from=2026-02-28T00:00:00Z&until=2026-03-03T00:00:00Z";

/// What some conversations come to: in which of its turns, in every how many-th conversation, and the figure it shows in.
/// A figure is then wrong when one certain event is missing, not only when all of a conversation is.
const TURNS: [(u32, u32, &str, &str); 4] = [
    (1, 2, "create_lead", "with_lead"),
    (2, 3, "fallback", "with_fallback"),
    (3, 5, "handoff", "handed_off"),
    (4, 7, "refuse", "refused"),
];

/// The event of this number, in one of `sessions` conversations.
#[must_use]
pub fn event(number: u32, sessions: u32) -> Value {
    let mut event = events::numbered(0, number, sessions);
    if let Some((action, _)) = turn(number, sessions) {
        event["action"] = json!(action);
    }
    event
}

fn turn(number: u32, sessions: u32) -> Option<(&'static str, &'static str)> {
    let (round, session) = (number / sessions, number % sessions);
    let turn = TURNS.into_iter().find(|(at, every, ..)| *at == round && session.is_multiple_of(*every));
    turn.map(|(.., action, figure)| (action, figure))
}

/// The figures of the overview once the first `sent` events are in.
#[must_use]
pub fn figures(sent: u32, sessions: u32) -> BTreeMap<&'static str, u32> {
    let zero = ["booked", "visited"].into_iter().chain(TURNS.map(|(.., figure)| figure));
    let mut figures: BTreeMap<&str, u32> = zero.map(|figure| (figure, 0)).collect();
    figures.insert("total", sent.min(sessions));
    for (_action, figure) in (0..sent).filter_map(|number| turn(number, sessions)) {
        *figures.entry(figure).or_default() += 1;
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_count_the_conversations_that_got_as_far() {
        assert_eq!(figures(5, 10)["total"], 5);
        let all = figures(100, 10);
        assert_eq!((all["total"], all["with_lead"], all["with_fallback"]), (10, 5, 4));
        assert_eq!((all["handed_off"], all["refused"], all["booked"]), (2, 2, 0));
        assert_eq!(event(10, 10)["action"], "create_lead");
        assert_eq!(event(11, 10)["action"], "message");
    }
}
