//! What can happen between a client and the salon.

mod booking;
mod question;
mod visit;

use domain::channel::Channel;

use crate::world::World;

/// Kinds of conversation, and how many in a hundred are of each.
#[derive(Clone, Copy)]
enum Kind {
    Booking,
    Price,
    Puzzle,
    Improper,
    Unsubscribe,
}

const KINDS: [(u32, Kind); 5] =
    [(56, Kind::Booking), (24, Kind::Price), (12, Kind::Puzzle), (4, Kind::Improper), (4, Kind::Unsubscribe)];

/// Somebody turns to the salon at an instant.
pub(crate) fn begin(world: &mut World, at: i64) {
    let client = world.visitor();
    let usual = world.clients[client].channel;
    let channel = if world.dice.chance(6) { Channel::Phone } else { usual };
    let thread = world.thread(client, channel);
    match world.dice.weighted(&KINDS) {
        Kind::Booking => booking::run(world, thread, at),
        Kind::Price => question::price(world, thread, at),
        Kind::Puzzle => question::puzzle(world, thread, at),
        Kind::Improper => question::improper(world, thread, at),
        Kind::Unsubscribe => question::unsubscribe(world, thread, at),
    }
}
