//! What some events are to write: a row an event, and a row for each session and appointment they are about.

use std::cmp::Ordering;

use domain::event::Event;
use domain::rollup::{AppointmentRollup, SessionRollup};
use domain::timestamp::Timestamp;

use crate::rows::EventRow;

/// Rows to write together.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) events: Vec<EventRow>,
    pub(crate) sessions: Vec<SessionRollup>,
    pub(crate) appointments: Vec<Heard>,
}

/// An appointment, and when it was last heard of.
///
/// The domain's rollup knows the last step and the last date only; the sweep asks for the last event of any kind.
pub(crate) struct Heard {
    pub(crate) rollup: AppointmentRollup,
    pub(crate) last: Timestamp,
}

impl Batch {
    pub(crate) fn of(events: &[Event]) -> Self {
        let heard = |event: &Event| {
            AppointmentRollup::of(event).map(|rollup| Heard { rollup, last: event.occurred_at })
        };
        Self {
            events: events.iter().map(EventRow::of).collect(),
            sessions: events.iter().filter(|event| !event.is_notice()).map(SessionRollup::of).collect(),
            appointments: events.iter().filter_map(heard).collect(),
        }
        .merged()
    }

    /// All rows of several, one a key.
    pub(crate) fn joined(batches: impl IntoIterator<Item = Self>) -> Self {
        let mut batches = batches.into_iter();
        let Some(mut all) = batches.next() else { return Self::default() };
        let alone = all.events.len();
        for batch in batches {
            all.events.extend(batch.events);
            all.sessions.extend(batch.sessions);
            all.appointments.extend(batch.appointments);
        }
        if all.events.len() == alone { all } else { all.merged() }
    }

    fn merged(self) -> Self {
        Self {
            events: self.events,
            sessions: merge(
                self.sessions,
                |a, b| (&a.tenant, &a.session).cmp(&(&b.tenant, &b.session)),
                SessionRollup::merge,
            ),
            appointments: merge(
                self.appointments,
                |a, b| {
                    (&a.rollup.tenant, &a.rollup.appointment).cmp(&(&b.rollup.tenant, &b.rollup.appointment))
                },
                |a, b| Heard { rollup: a.rollup.merge(b.rollup), last: a.last.max(b.last) },
            ),
        }
    }
}

/// Merges those of one key into one; what is left lies in the order of the keys.
fn merge<T>(
    mut rollups: Vec<T>,
    by_key: impl Fn(&T, &T) -> Ordering,
    together: impl Fn(T, T) -> T,
) -> Vec<T> {
    rollups.sort_unstable_by(&by_key);
    let mut merged: Vec<T> = Vec::new();
    for rollup in rollups {
        match merged.pop() {
            Some(last) if by_key(&last, &rollup).is_eq() => merged.push(together(last, rollup)),
            other => {
                merged.extend(other);
                merged.push(rollup);
            }
        }
    }
    merged
}
