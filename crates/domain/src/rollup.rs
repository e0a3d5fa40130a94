//! Rollups: what is kept of a session and of an appointment after its events are gone.
//!
//! Every column is a minimum, a maximum, an "or", or the value that goes with the smallest or largest
//! `(occurred_at, event id)`. So [`SessionRollup::merge`] is commutative, associative and idempotent: events may
//! arrive in any order and any number of times, and the rollup is the same. Nothing here counts rows.

use crate::action::{Action, Actor};
use crate::appointment::Step;
use crate::channel::Channel;
use crate::event::Event;
use crate::id::{AppointmentId, EventId, LeadId, SessionId, TenantId};
use crate::timestamp::Timestamp;

/// The place of an event in time, unique: the key of every "first" and "last".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// When it happened.
    pub at: Timestamp,
    /// Which event, to break ties.
    pub event: EventId,
}

/// A value and the moment it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated<T> {
    /// When.
    pub moment: Moment,
    /// What.
    pub value: T,
}

/// Two values of one moment come from two contents under one event id, which is a conflict: the ledger keeps the one
/// that came first, and a rollup, which must not depend on order, the smaller or larger value.
impl<T: Ord> Dated<T> {
    pub(crate) fn earlier(self, other: Self) -> Self {
        if (other.moment, &other.value) < (self.moment, &self.value) { other } else { self }
    }

    pub(crate) fn later(self, other: Self) -> Self {
        if (other.moment, &other.value) > (self.moment, &self.value) { other } else { self }
    }
}

/// What one of two says, or what `choose` makes of both.
pub(crate) fn either<T>(a: Option<T>, b: Option<T>, choose: fn(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(choose(a, b)),
        (one, None) | (None, one) => one,
    }
}

/// What has happened at least once: a set of [`Mark`]s as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Marks(u32);

/// Something that has happened at least once. The number is the bit in every store: never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the action or actor of its name")]
#[repr(u32)]
pub enum Mark {
    ClientSpoke = 0,
    AssistantSpoke = 1,
    StaffSpoke = 2,
    Lead = 3,
    Booked = 4,
    Rescheduled = 5,
    Confirmed = 6,
    Cancelled = 7,
    Reminded = 8,
    Attended = 9,
    NoShow = 10,
    Paid = 11,
    Reviewed = 12,
    Refused = 13,
    Fallback = 14,
    Declined = 15,
    HandedOff = 16,
    Called = 17,
}

impl Mark {
    /// The value of its bit in [`Marks::bits`].
    #[must_use]
    pub const fn bit(self) -> u32 {
        1 << (self as u32)
    }
}

impl Marks {
    /// The marks one event sets.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        let by_action = match &event.action {
            Action::Message => match event.actor {
                Actor::Client => Some(Mark::ClientSpoke),
                Actor::Assistant => Some(Mark::AssistantSpoke),
                Actor::Staff => Some(Mark::StaffSpoke),
                Actor::System | Actor::Crm => None,
            },
            Action::CreateLead => Some(Mark::Lead),
            Action::Book => Some(Mark::Booked),
            Action::Reschedule => Some(Mark::Rescheduled),
            Action::Confirm => Some(Mark::Confirmed),
            Action::Cancel => Some(Mark::Cancelled),
            Action::Remind => Some(Mark::Reminded),
            Action::Attend => Some(Mark::Attended),
            Action::NoShow => Some(Mark::NoShow),
            Action::Pay => Some(Mark::Paid),
            Action::Review => Some(Mark::Reviewed),
            Action::Refuse => Some(Mark::Refused),
            Action::Fallback => Some(Mark::Fallback),
            Action::Decline => Some(Mark::Declined),
            Action::Handoff => Some(Mark::HandedOff),
            Action::Call => Some(Mark::Called),
            Action::ConsentGrant
            | Action::ConsentWithdraw
            | Action::LeadStage
            | Action::SubjectJoin
            | Action::SubjectSplit
            | Action::Other(_) => None,
        };
        let mut marks = by_action.map_or(Self::default(), Self::from);
        if event.lead.is_some() && !event.is_ruling() {
            // An event that names its lead shows that there is one, whoever created it.
            marks = marks.with(Mark::Lead);
        }
        marks
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set and one mark more.
    #[must_use]
    pub const fn with(self, mark: Mark) -> Self {
        Self(self.0 | mark.bit())
    }

    /// Whether it has happened.
    #[must_use]
    pub const fn has(self, mark: Mark) -> bool {
        self.0 & mark.bit() != 0
    }

    /// The bits, as stored.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Reads stored bits.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
}

impl From<Mark> for Marks {
    fn from(mark: Mark) -> Self {
        Self::default().with(mark)
    }
}

/// What is kept of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRollup {
    /// Whose it is.
    pub tenant: TenantId,
    /// Which conversation.
    pub session: SessionId,
    /// The door it began at, with its first moment.
    pub opened: Dated<Channel>,
    /// Its last moment.
    pub last: Moment,
    /// What has happened in it.
    pub marks: Marks,
    /// The first lead named in it.
    pub lead: Option<Dated<LeadId>>,
    /// The last step of a booking in it.
    pub step: Option<Dated<Step>>,
}

impl SessionRollup {
    /// What one event says of its session.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        let moment = Moment { at: event.occurred_at, event: event.id };
        Self {
            tenant: event.tenant.clone(),
            session: event.session.clone(),
            opened: Dated { moment, value: event.channel },
            last: moment,
            marks: Marks::of(event),
            lead: event.lead.map(|value| Dated { moment, value }),
            step: Step::of(&event.action).map(|value| Dated { moment, value }),
        }
    }

    /// Both together. The two must be of one session.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        debug_assert_eq!((&self.tenant, &self.session), (&other.tenant, &other.session));
        Self {
            tenant: self.tenant,
            session: self.session,
            opened: self.opened.earlier(other.opened),
            last: self.last.max(other.last),
            marks: self.marks.union(other.marks),
            lead: either(self.lead, other.lead, Dated::earlier),
            step: either(self.step, other.step, Dated::later),
        }
    }
}

/// What is kept of an appointment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppointmentRollup {
    /// Whose it is.
    pub tenant: TenantId,
    /// Which booking.
    pub appointment: AppointmentId,
    /// The door and conversation it was first heard of in.
    pub opened: Dated<(Channel, SessionId)>,
    /// When the visit is to begin, as last said.
    pub starts_at: Option<Dated<Timestamp>>,
    /// Its last step.
    pub step: Option<Dated<Step>>,
    /// What has happened to it.
    pub marks: Marks,
}

impl AppointmentRollup {
    /// What one event says of its appointment, if it names one; a ruling says whose it is, and nothing of the visit.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        let appointment = event.appointment.as_ref().filter(|_| !event.is_ruling())?;
        let moment = Moment { at: event.occurred_at, event: event.id };
        Some(Self {
            tenant: event.tenant.clone(),
            appointment: appointment.id.clone(),
            opened: Dated { moment, value: (event.channel, event.session.clone()) },
            starts_at: appointment.starts_at.map(|value| Dated { moment, value }),
            step: Step::of(&event.action).map(|value| Dated { moment, value }),
            marks: Marks::of(event),
        })
    }

    /// Both together. The two must be of one appointment.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        debug_assert_eq!((&self.tenant, &self.appointment), (&other.tenant, &other.appointment));
        Self {
            tenant: self.tenant,
            appointment: self.appointment,
            opened: self.opened.earlier(other.opened),
            starts_at: either(self.starts_at, other.starts_at, Dated::later),
            step: either(self.step, other.step, Dated::later),
            marks: self.marks.union(other.marks),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::event::testing;

    fn event() -> impl Strategy<Value = Event> {
        let steps = prop::sample::select(vec![
            Action::Message,
            Action::CreateLead,
            Action::Book,
            Action::Cancel,
            Action::Attend,
            Action::NoShow,
            Action::Remind,
        ]);
        // Few instants and ids, so that ties and conflicts are common.
        (
            prop_oneof![any::<u128>(), 0_u128..3],
            0_i64..4,
            steps,
            prop::sample::select(Actor::ALL.to_vec()),
            0_u64..3,
        )
            .prop_map(|(id, second, action, actor, lead)| {
                let mut event = testing::event(EventId::from_uuid(Uuid::from_u128(id)));
                event.occurred_at = Timestamp::from_unix_seconds(second).unwrap();
                event.channel = if lead == 1 { Channel::Crm } else { Channel::Telegram };
                event.action = action;
                event.actor = actor;
                event.lead = (lead > 0).then(|| LeadId::from_number(lead));
                event.appointment = Some(testing::appointment("a-1", second));
                event
            })
    }

    fn fold(events: &[Event]) -> (SessionRollup, AppointmentRollup) {
        let session = events.iter().map(SessionRollup::of).reduce(SessionRollup::merge);
        let appointment = events.iter().filter_map(AppointmentRollup::of).reduce(AppointmentRollup::merge);
        (session.unwrap(), appointment.unwrap())
    }

    proptest! {
        #[test]
        fn any_order_and_any_repetition_of_events_gives_the_same_rollup(
            events in prop::collection::vec(event(), 1..12),
            order in any::<prop::sample::Index>(),
            repeated in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let expected = fold(&events);
            let mut arrived = events.clone();
            arrived.extend(repeated.iter().map(|index| index.get(&events).clone()));
            let turn = order.index(arrived.len());
            arrived.rotate_left(turn);
            prop_assert_eq!(fold(&arrived), expected.clone());
            arrived.reverse();
            prop_assert_eq!(fold(&arrived), expected);
        }

        #[test]
        fn batches_may_be_merged_in_any_grouping(
            events in prop::collection::vec(event(), 2..12),
            cut in any::<prop::sample::Index>(),
        ) {
            let cut = 1 + cut.index(events.len() - 1);
            let (left, right) = (fold(&events[..cut]), fold(&events[cut..]));
            prop_assert_eq!((left.0.merge(right.0), left.1.merge(right.1)), fold(&events));
        }
    }

    #[test]
    fn an_event_that_names_a_lead_marks_one() {
        let mut event = testing::event(EventId::from_uuid(Uuid::nil()));
        event.action = Action::LeadStage;
        assert!(!Marks::of(&event).has(Mark::Lead));
        event.lead = Some(LeadId::from_number(1));
        assert!(Marks::of(&event).has(Mark::Lead));
    }

    #[test]
    fn a_ruling_marks_nothing_and_books_nothing() {
        let mut event = testing::event(EventId::from_uuid(Uuid::nil()));
        event.lead = Some(LeadId::from_number(1));
        event.appointment = Some(testing::appointment("a-1", 0));
        event.action = Action::SubjectJoin;
        assert_eq!(Marks::of(&event), Marks::default());
        assert_eq!(AppointmentRollup::of(&event), None);
    }
}
