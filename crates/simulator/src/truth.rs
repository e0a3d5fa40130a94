//! The salon's own account of its days.
//!
//! Written by a bookkeeper who walks through what happened in order of time and never looks at an event as sent, at
//! the product's rollups or at its rules of merging: two ways to the same figures, so that either can be wrong.

use std::collections::{BTreeMap, BTreeSet};

use domain::action::{Action, Actor};
use domain::channel::Channel;
use serde::Serialize;

use crate::calendar::instant;
use crate::fact::{BookingId, Deed, Fact, Report, ThreadId};
use crate::salon::SalonConfig;
use crate::world::World;

/// What is true of the salon's days. Instants are RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// The seed of the salon.
    pub seed: u64,
    /// When the first day began.
    pub start: String,
    /// The first instant after the last day.
    pub end: String,
    /// Events sent, each once.
    pub events: u64,
    /// Every conversation, in order of its first event.
    pub sessions: Vec<SessionTruth>,
    /// Every booking, in the order they were made.
    pub appointments: Vec<AppointmentTruth>,
    /// The figures of every channel that has any, in the order channels are listed to people.
    pub overview: Vec<ChannelTruth>,
}

/// What is true of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionTruth {
    /// The session id as sent.
    pub session_id: String,
    /// The door it began at.
    pub channel: &'static str,
    /// Its first event.
    pub first_at: String,
    /// Its last event.
    pub last_at: String,
    /// How many events it has.
    pub events: u64,
    /// How it ended, or where it stands.
    pub outcome: &'static str,
    /// The first lead named in it.
    pub lead: Option<String>,
    /// What has happened in it at least once.
    pub marks: BTreeSet<&'static str>,
}

/// What is true of a booking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppointmentTruth {
    /// The id as sent.
    pub id: String,
    /// The door it was made at.
    pub channel: &'static str,
    /// The conversation it was made in.
    pub session_id: String,
    /// When the visit is to begin, as last agreed.
    pub starts_at: String,
    /// Where it stands: `booked`, `cancelled`, `attended` or `no_show`.
    pub state: &'static str,
}

/// The figures of one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelTruth {
    /// The door.
    pub channel: &'static str,
    /// Conversations that began there.
    pub sessions: SessionCounts,
    /// Bookings made there.
    pub appointments: AppointmentCounts,
}

/// Conversations, and how many of them have each mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names and meanings of domain::overview::SessionFigures")]
pub struct SessionCounts {
    pub total: u64,
    pub with_lead: u64,
    pub booked: u64,
    pub visited: u64,
    pub refused: u64,
    pub with_fallback: u64,
    pub handed_off: u64,
}

/// Bookings, by where they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names and meanings of domain::overview::AppointmentFigures")]
pub struct AppointmentCounts {
    pub booked: u64,
    pub attended: u64,
    pub no_show: u64,
    pub cancelled: u64,
}

impl Truth {
    pub(crate) fn of(config: &SalonConfig, world: &World) -> Self {
        let mut books = Books::default();
        for fact in world.facts.range(..(config.end_second(), 0)).map(|(_, fact)| fact) {
            books.enter(fact);
        }
        let sessions = books.sessions(world);
        let appointments = books.appointments(world);
        Self {
            seed: config.seed,
            start: config.start.to_string(),
            end: config.end().to_string(),
            events: sessions.iter().map(|session| session.events).sum(),
            overview: overview(&sessions, &appointments),
            sessions,
            appointments,
        }
    }
}

/// Pages of the bookkeeper: one a conversation, one a booking.
#[derive(Default)]
struct Books {
    threads: BTreeMap<ThreadId, ThreadPage>,
    bookings: BTreeMap<BookingId, BookingPage>,
}

#[derive(Default)]
struct ThreadPage {
    first_at: i64,
    last_at: i64,
    events: u64,
    lead: Option<u64>,
    marks: BTreeSet<&'static str>,
    /// Where the latest booking of the conversation stands.
    standing: Option<&'static str>,
}

struct BookingPage {
    thread: ThreadId,
    starts_at: i64,
    state: &'static str,
}

impl Books {
    fn enter(&mut self, fact: &Fact) {
        let page = self.threads.entry(fact.thread).or_default();
        if page.events == 0 {
            page.first_at = fact.at;
        }
        page.last_at = fact.at;
        page.events += 1;
        let Deed::Report(report) = &fact.deed else {
            page.marks.insert("client_spoke");
            return;
        };
        page.marks.extend(mark(report));
        if report.lead.is_some() {
            page.marks.insert("lead");
            page.lead = page.lead.or(report.lead);
        }
        let state = match report.action {
            Action::Book | Action::Reschedule | Action::Confirm => "booked",
            Action::Cancel => "cancelled",
            Action::Attend => "attended",
            Action::NoShow => "no_show",
            _ => return,
        };
        page.standing = Some(if state == "attended" { "visited" } else { state });
        if let Some(slot) = report.appointment {
            let fresh = BookingPage { thread: fact.thread, starts_at: 0, state };
            let booking = self.bookings.entry(slot.booking).or_insert(fresh);
            booking.starts_at = slot.starts_at;
            booking.state = state;
        }
    }

    fn sessions(&self, world: &World) -> Vec<SessionTruth> {
        let mut pages: Vec<_> = self.threads.iter().collect();
        pages.sort_by_key(|(thread, page)| (page.first_at, **thread));
        let truth = |(&thread, page): (&ThreadId, &ThreadPage)| SessionTruth {
            session_id: world.threads[thread].id.clone(),
            channel: world.threads[thread].channel.as_str(),
            first_at: instant(page.first_at).to_string(),
            last_at: instant(page.last_at).to_string(),
            events: page.events,
            outcome: outcome(page),
            lead: page.lead.map(|lead| format!("BX-{lead}")),
            marks: page.marks.clone(),
        };
        pages.into_iter().map(truth).collect()
    }

    fn appointments(&self, world: &World) -> Vec<AppointmentTruth> {
        let truth = |(&booking, page): (&BookingId, &BookingPage)| AppointmentTruth {
            id: world.bookings[booking].id.clone(),
            channel: world.threads[page.thread].channel.as_str(),
            session_id: world.threads[page.thread].id.clone(),
            starts_at: instant(page.starts_at).to_string(),
            state: page.state,
        };
        self.bookings.iter().map(truth).collect()
    }
}

/// What a report says has happened.
fn mark(report: &Report) -> Option<&'static str> {
    Some(match (&report.action, report.actor) {
        (Action::Message, Actor::Assistant) => "assistant_spoke",
        (Action::Message, Actor::Staff) => "staff_spoke",
        (Action::CreateLead, _) => "lead",
        (Action::Book, _) => "booked",
        (Action::Reschedule, _) => "rescheduled",
        (Action::Confirm, _) => "confirmed",
        (Action::Cancel, _) => "cancelled",
        (Action::Remind, _) => "reminded",
        (Action::Attend, _) => "attended",
        (Action::NoShow, _) => "no_show",
        (Action::Pay, _) => "paid",
        (Action::Review, _) => "reviewed",
        (Action::Refuse, _) => "refused",
        (Action::Fallback, _) => "fallback",
        (Action::Decline, _) => "declined",
        (Action::Handoff, _) => "handed_off",
        (Action::Call, _) => "called",
        _ => return None,
    })
}

fn outcome(page: &ThreadPage) -> &'static str {
    if let Some(standing) = page.standing {
        return standing;
    }
    let ladder = [("refused", "refused"), ("handed_off", "handed_off"), ("lead", "lead")];
    let unserved = [("declined", "not_served"), ("fallback", "not_served")];
    let found = ladder.iter().chain(&unserved).find(|(mark, _)| page.marks.contains(mark));
    found.map_or("open", |(_, outcome)| outcome)
}

fn overview(sessions: &[SessionTruth], appointments: &[AppointmentTruth]) -> Vec<ChannelTruth> {
    let figures = Channel::ALL.iter().map(|channel| {
        let channel = channel.as_str();
        let of_channel = || sessions.iter().filter(move |session| session.channel == channel);
        let having = |mark: &str| count(of_channel().filter(|session| session.marks.contains(mark)));
        let standing = |state: &str| {
            count(appointments.iter().filter(|booking| booking.channel == channel && booking.state == state))
        };
        ChannelTruth {
            channel,
            sessions: SessionCounts {
                total: count(of_channel()),
                with_lead: having("lead"),
                booked: having("booked"),
                visited: having("attended"),
                refused: having("refused"),
                with_fallback: having("fallback"),
                handed_off: having("handed_off"),
            },
            appointments: AppointmentCounts {
                booked: standing("booked"),
                attended: standing("attended"),
                no_show: standing("no_show"),
                cancelled: standing("cancelled"),
            },
        }
    });
    figures.filter(|figures| figures.sessions.total > 0).collect()
}

fn count(items: impl Iterator) -> u64 {
    u64::try_from(items.count()).unwrap_or(u64::MAX)
}
