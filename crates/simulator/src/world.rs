//! The salon itself: its clients, conversations, bookings, and everything that happens, in order of time.

use std::collections::{BTreeMap, BTreeSet};

use domain::channel::Channel;
use uuid::Uuid;

use crate::calendar::{DAY, HOUR, midnight, second_of_day};
use crate::catalogue::{SERVICES, STAFF, Service};
use crate::dice::Dice;
use crate::fact::{BookingId, Deed, Fact, Slot, ThreadId};
use crate::people::{CAPACITY, Client};

/// Names a client: the place in the world's list.
pub(crate) type ClientId = usize;

/// Everything there is. Stories change it; the renderer and the bookkeeper read it.
pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) pace: Pace,
    pub(crate) clients: Vec<Client>,
    pub(crate) threads: Vec<Thread>,
    pub(crate) bookings: Vec<Booking>,
    pub(crate) facts: BTreeMap<(i64, u64), Fact>,
    /// Put before the numbers of bookings, so that those of two runs never meet.
    pub(crate) tag: String,
    pub(crate) next_lead: u64,
    /// Instants taken in each conversation.
    taken: BTreeSet<(ThreadId, i64)>,
    /// Hours taken of each master.
    busy: BTreeSet<(usize, i64)>,
    /// The conversation of a client at a messenger that has one for life.
    lasting: BTreeMap<(ClientId, Channel), ThreadId>,
    told: u64,
}

/// How fast people write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As they do.
    Natural,
    /// Faster, so that somebody who watches sees something.
    Brisk,
}

/// A conversation.
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    /// The session id as sent.
    pub(crate) id: String,
    pub(crate) channel: Channel,
    pub(crate) client: ClientId,
}

/// A booking in the salon's calendar.
#[derive(Clone, Debug)]
pub(crate) struct Booking {
    /// The id as sent.
    pub(crate) id: String,
    pub(crate) thread: ThreadId,
    pub(crate) lead: u64,
    pub(crate) booked_at: i64,
    pub(crate) slot: Slot,
}

impl World {
    pub(crate) fn new(dice: Dice) -> Self {
        Self {
            dice,
            pace: Pace::Natural,
            clients: Vec::new(),
            threads: Vec::new(),
            bookings: Vec::new(),
            facts: BTreeMap::new(),
            tag: "rec".to_owned(),
            next_lead: 4001,
            taken: BTreeSet::new(),
            busy: BTreeSet::new(),
            lasting: BTreeMap::new(),
            told: 0,
        }
    }

    /// Somebody who turns to the salon: a client of before, or a new one.
    pub(crate) fn visitor(&mut self) -> ClientId {
        if !self.clients.is_empty() && (self.clients.len() >= CAPACITY || self.dice.chance(28)) {
            return self.dice.index(self.clients.len());
        }
        let client = Client::new(self.clients.len(), &mut self.dice);
        self.clients.push(client);
        self.clients.len() - 1
    }

    /// The conversation a client has at a door: at Telegram and WhatsApp the same for life, elsewhere a new one.
    pub(crate) fn thread(&mut self, client: ClientId, channel: Channel) -> ThreadId {
        let lasts = matches!(channel, Channel::Telegram | Channel::Whatsapp);
        if lasts && let Some(&thread) = self.lasting.get(&(client, channel)) {
            return thread;
        }
        let person = &self.clients[client];
        let id = match channel {
            Channel::Telegram => person.messenger_id.to_string(),
            // WhatsApp names a conversation by the phone itself.
            Channel::Whatsapp => person.phone.trim_start_matches('+').to_owned(),
            _ => format!("{channel}-{}", short(self.dice.uuid())),
        };
        self.threads.push(Thread { id, channel, client });
        let thread = self.threads.len() - 1;
        if lasts {
            self.lasting.insert((client, channel), thread);
        }
        thread
    }

    /// The person a conversation is with.
    pub(crate) fn client_of(&self, thread: ThreadId) -> &Client {
        &self.clients[self.threads[thread].client]
    }

    /// Records that something happens, at this second or the first free one after it; returns that second.
    pub(crate) fn tell(&mut self, thread: ThreadId, wanted: i64, deed: Deed) -> i64 {
        let mut at = wanted;
        while !self.taken.insert((thread, at)) {
            at += 1;
        }
        let id = self.dice.uuid();
        self.facts.insert((at, self.told), Fact { at, id, thread, deed });
        self.told += 1;
        at
    }

    /// A new lead in the salon's CRM.
    pub(crate) fn lead(&mut self) -> u64 {
        self.next_lead += 1;
        self.next_lead
    }

    /// Finds a free hour for a service, some days from now, within opening hours.
    pub(crate) fn free_slot(&mut self, service: &'static Service, now: i64) -> Slot {
        let days = self.dice.weighted(&[
            (16, 0),
            (20, 1),
            (16, 2),
            (12, 3),
            (9, 4),
            (7, 5),
            (7, 7),
            (5, 9),
            (4, 11),
            (4, 14),
        ]);
        let mut day = midnight(now) + days * DAY;
        // A salon booked out for weeks does not turn people away here: it books twice.
        for _ in 0..40 {
            let hour = 10 + i64::from(self.dice.below(10));
            let starts_at = day + hour * HOUR + if self.dice.chance(30) { HOUR / 2 } else { 0 };
            let master = service.masters[self.dice.index(service.masters.len())];
            if starts_at > now + 2 * HOUR && self.busy.insert((master, starts_at / HOUR)) {
                return self.slot(service, master, starts_at);
            }
            if second_of_day(now) > 17 * HOUR && day < now || self.dice.chance(15) {
                day += DAY;
            }
        }
        self.slot(service, service.masters[0], day + DAY + 12 * HOUR)
    }

    /// Enters a booking.
    pub(crate) fn book(&mut self, thread: ThreadId, lead: u64, slot: Slot, now: i64) -> BookingId {
        let booking = self.bookings.len();
        let id = format!("{}-{}", self.tag, booking + 1);
        let slot = Slot { booking, ..slot };
        self.bookings.push(Booking { id, thread, lead, booked_at: now, slot });
        booking
    }

    /// A service somebody wants.
    pub(crate) fn wish(&mut self) -> &'static Service {
        &SERVICES[self.dice.index(SERVICES.len())]
    }

    fn slot(&self, service: &'static Service, master: usize, starts_at: i64) -> Slot {
        Slot { booking: self.bookings.len(), starts_at, service, master: STAFF[master].name }
    }
}

/// Twelve hexadecimal digits.
fn short(uuid: Uuid) -> String {
    let mut text = uuid.simple().to_string();
    text.truncate(12);
    text
}
