//! A session's rollup as columns, one array each: how many sessions are written by one statement.

use domain::appointment::Step;
use domain::channel::Channel;
use domain::id::{LeadId, SessionId, TenantId};
use domain::rollup::{Dated, Marks, Moment, SessionRollup};
use domain::session::Outcome;
use domain::timestamp::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::columns::{counted, dated, instant, moment, parsed, parsed_if_any, small};
use crate::database::Statement;
use crate::failure::Failure;

/// The columns, in the order [`read`] takes them and [`bind_all`] gives them.
macro_rules! columns {
    () => {
        "tenant, session, channel, opened_at, opened_event, last_at, last_event, marks, lead, lead_at, lead_event,
         step, step_at, step_event, outcome, events, first_received, last_received"
    };
}
pub(crate) use columns;

/// A session as it is kept.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) rollup: SessionRollup,
    /// Of how many events.
    pub(crate) events: u64,
    /// When the first of them was received.
    pub(crate) first_received: Timestamp,
    /// When the last of them was received.
    pub(crate) last_received: Timestamp,
}

impl Kept {
    /// What one new event says of its session.
    pub(crate) fn of(rollup: SessionRollup, received_at: Timestamp) -> Self {
        Self { rollup, events: 1, first_received: received_at, last_received: received_at }
    }

    /// Both together. They must be of one session, and of different events.
    pub(crate) fn merge(self, other: Self) -> Self {
        Self {
            rollup: self.rollup.merge(other.rollup),
            events: self.events + other.events,
            first_received: self.first_received.min(other.first_received),
            last_received: self.last_received.max(other.last_received),
        }
    }

    /// What rows are sorted and found by.
    pub(crate) fn key(&self) -> (&TenantId, &SessionId) {
        (&self.rollup.tenant, &self.rollup.session)
    }
}

/// Merges the news of each session into one. Sorted, as rows are locked.
pub(crate) fn merge_by_session(mut news: Vec<Kept>) -> Vec<Kept> {
    news.sort_unstable_by(|a, b| a.key().cmp(&b.key()));
    let mut merged: Vec<Kept> = Vec::new();
    for one in news {
        match merged.pop() {
            Some(last) if last.key() == one.key() => merged.push(last.merge(one)),
            other => {
                merged.extend(other);
                merged.push(one);
            }
        }
    }
    merged
}

/// Reads a session from the first columns of a row.
pub(crate) fn read(row: &PgRow) -> Result<Kept, Failure> {
    let channel = parsed(row, 2, "a session's channel", |word| word.parse::<Channel>().ok())?;
    let lead = row.try_get::<Option<i64>, _>(8)?.map(|number| LeadId::from_number(number.cast_unsigned()));
    let step = parsed_if_any(row, 11, "a session's step", Step::parse)?;
    Ok(Kept {
        rollup: SessionRollup {
            tenant: parsed(row, 0, "a session's tenant", |text| TenantId::parse(text).ok())?,
            session: parsed(row, 1, "a session's id", |text| SessionId::parse(text).ok())?,
            opened: Dated { moment: moment(row, 3)?, value: channel },
            last: moment(row, 5)?,
            marks: Marks::from_bits(small(row, 7, "a session's marks")?),
            lead: dated(row, lead, 9)?,
            step: dated(row, step, 12)?,
        },
        events: counted(row, 15)?,
        first_received: instant(row, 16)?,
        last_received: instant(row, 17)?,
    })
}

/// Binds sessions as arrays, column by column.
pub(crate) fn bind_all<'q>(statement: Statement<'q>, sessions: &[Kept]) -> Statement<'q> {
    let rollups = || sessions.iter().map(|kept| &kept.rollup);
    let leads = || rollups().map(|rollup| rollup.lead.as_ref());
    let steps = || rollups().map(|rollup| rollup.step.as_ref());
    let at = |moment: &Moment| moment.at.unix_micros();
    let event = |moment: &Moment| *moment.event.as_bytes();
    statement
        .bind(rollups().map(|rollup| rollup.tenant.as_str()).collect::<Vec<_>>())
        .bind(rollups().map(|rollup| rollup.session.as_str()).collect::<Vec<_>>())
        .bind(rollups().map(|rollup| rollup.opened.value.as_str()).collect::<Vec<_>>())
        .bind(rollups().map(|rollup| at(&rollup.opened.moment)).collect::<Vec<_>>())
        .bind(rollups().map(|rollup| event(&rollup.opened.moment)).collect::<Vec<_>>())
        .bind(rollups().map(|rollup| at(&rollup.last)).collect::<Vec<_>>())
        .bind(rollups().map(|rollup| event(&rollup.last)).collect::<Vec<_>>())
        .bind(rollups().map(|rollup| i64::from(rollup.marks.bits())).collect::<Vec<_>>())
        .bind(leads().map(|lead| lead.map(|lead| lead.value.number().cast_signed())).collect::<Vec<_>>())
        .bind(leads().map(|lead| lead.map(|lead| at(&lead.moment))).collect::<Vec<_>>())
        .bind(leads().map(|lead| lead.map(|lead| event(&lead.moment))).collect::<Vec<_>>())
        .bind(steps().map(|step| step.map(|step| step.value.as_str())).collect::<Vec<_>>())
        .bind(steps().map(|step| step.map(|step| at(&step.moment))).collect::<Vec<_>>())
        .bind(steps().map(|step| step.map(|step| event(&step.moment))).collect::<Vec<_>>())
        .bind(rollups().map(|rollup| Outcome::of(rollup).as_str()).collect::<Vec<_>>())
        .bind(sessions.iter().map(|kept| i64::try_from(kept.events).unwrap_or(i64::MAX)).collect::<Vec<_>>())
        .bind(sessions.iter().map(|kept| kept.first_received.unix_micros()).collect::<Vec<_>>())
        .bind(sessions.iter().map(|kept| kept.last_received.unix_micros()).collect::<Vec<_>>())
}
