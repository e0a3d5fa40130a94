//! The salon's past: a number of days, and what was sent in them.

use domain::timestamp::Timestamp;
use serde_json::Value;

use crate::calendar::{DAY, HOUR, instant, second_of_day, seconds};
use crate::dice::Dice;
use crate::live::Live;
use crate::render::{Keyboard, Renderer};
use crate::story;
use crate::truth::Truth;
use crate::world::World;

/// Which salon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SalonConfig {
    /// Another seed, another salon.
    pub seed: u64,
    /// When the first day begins.
    pub start: Timestamp,
    /// How many days of 24 hours.
    pub days: u32,
    /// About how many conversations begin on a day.
    pub sessions_per_day: u32,
}

impl SalonConfig {
    /// A salon of ordinary size: about thirty conversations a day.
    #[must_use]
    pub const fn new(seed: u64, start: Timestamp, days: u32) -> Self {
        Self { seed, start, days, sessions_per_day: 30 }
    }

    /// The first instant after the last day.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        instant(self.end_second())
    }

    pub(crate) fn end_second(&self) -> i64 {
        seconds(self.start) + i64::from(self.days) * DAY
    }
}

/// Something the salon sends, at the instant it would be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// When it happens.
    pub at: Timestamp,
    /// Which door it goes to, and what is sent there.
    pub door: Door,
}

/// A door of the gateway.
#[derive(Clone, Debug, PartialEq)]
pub enum Door {
    /// `POST /v1/events`: one canonical event.
    Events(Value),
    /// `POST /v1/hooks/{source}` of a Telegram bot: one update.
    Telegram(Value),
}

/// A salon that has lived through its days.
pub struct Salon {
    config: SalonConfig,
    world: World,
}

/// Hours of the day by how many people write in them, from midnight.
const BUSY_HOURS: [(u32, i64); 24] = [
    (2, 0),
    (1, 1),
    (1, 2),
    (1, 3),
    (1, 4),
    (1, 5),
    (2, 6),
    (3, 7),
    (6, 8),
    (9, 9),
    (12, 10),
    (13, 11),
    (12, 12),
    (11, 13),
    (10, 14),
    (10, 15),
    (10, 16),
    (11, 17),
    (12, 18),
    (12, 19),
    (11, 20),
    (9, 21),
    (6, 22),
    (3, 23),
];

impl Salon {
    /// Lives through the days.
    #[must_use]
    pub fn new(config: SalonConfig) -> Self {
        let mut world = World::new(Dice::new(config.seed, config.start));
        for day in 0..i64::from(config.days) {
            for at in beginnings(&mut world.dice, config, seconds(config.start) + day * DAY) {
                story::begin(&mut world, at);
            }
        }
        Self { config, world }
    }

    /// Everything sent in these days, in order of time. Nothing lies outside of them.
    pub fn deliveries(&self) -> impl Iterator<Item = Delivery> {
        let mut renderer = Renderer::new(seconds(self.config.start), Keyboard::Reply);
        let past = self.world.facts.range(..(self.config.end_second(), 0));
        past.map(move |(_, fact)| renderer.deliver(&self.world, fact))
    }

    /// What is true of these days.
    #[must_use]
    pub fn truth(&self) -> Truth {
        Truth::of(&self.config, &self.world)
    }

    /// The days after, from an instant on.
    #[must_use]
    pub fn live(self, from: Timestamp) -> Live {
        Live::new(self.config, self.world, from)
    }
}

/// When conversations begin in the 24 hours from `day`, in order.
fn beginnings(dice: &mut Dice, config: SalonConfig, day: i64) -> Vec<i64> {
    let spread = config.sessions_per_day / 6;
    let count = config.sessions_per_day - spread + dice.below(2 * spread + 1);
    let mut instants: Vec<i64> = (0..count)
        .map(|_| {
            let clock = dice.weighted(&BUSY_HOURS) * HOUR + i64::from(dice.below(3600));
            day + (clock - second_of_day(day)).rem_euclid(DAY)
        })
        .collect();
    instants.sort_unstable();
    instants
}
