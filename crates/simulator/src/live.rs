//! The salon goes on while somebody watches.

use domain::timestamp::Timestamp;

use crate::calendar::{instant, seconds};
use crate::dice::Dice;
use crate::render::{Keyboard, Renderer};
use crate::salon::{Delivery, SalonConfig};
use crate::story;
use crate::world::{Pace, World};

/// An endless stream of deliveries, by the clock of whoever asks.
///
/// A conversation begins every few seconds, and people write faster than they do. Reminders and visits of bookings
/// made in the past days come when their time comes. What two runs make up never meets: event ids, update numbers,
/// leads and bookings all depend on the instant the run began.
pub struct Live {
    world: World,
    renderer: Renderer,
    next_beginning: i64,
}

impl Live {
    pub(crate) fn new(config: SalonConfig, mut world: World, from: Timestamp) -> Self {
        let from_second = seconds(from).max(config.end_second());
        world.facts = world.facts.split_off(&(config.end_second(), 0));
        world.dice = Dice::new(config.seed, from);
        world.pace = Pace::Brisk;
        world.tag = format!("live-{from_second:x}");
        // Ten leads a minute at the most, so those of a later run begin higher.
        world.next_lead = u64::try_from(from_second / 6).unwrap_or(0) % 100_000_000;
        Self { world, renderer: Renderer::new(from_second, Keyboard::Inline), next_beginning: from_second }
    }

    /// What is due by now, in order of time. Conversations begin as needed.
    pub fn due(&mut self, now: Timestamp) -> Vec<Delivery> {
        let now = now.unix_micros().div_euclid(1_000_000);
        while self.next_beginning <= now {
            story::begin(&mut self.world, self.next_beginning);
            self.next_beginning += i64::from(self.world.dice.between(6, 11));
        }
        let later = self.world.facts.split_off(&(now + 1, 0));
        let due = std::mem::replace(&mut self.world.facts, later);
        due.values().map(|fact| self.renderer.deliver(&self.world, fact)).collect()
    }

    /// When something is due next.
    #[must_use]
    pub fn next_at(&self) -> Timestamp {
        let first = self.world.facts.keys().next().map_or(i64::MAX, |(at, _)| *at);
        instant(first.min(self.next_beginning))
    }
}
