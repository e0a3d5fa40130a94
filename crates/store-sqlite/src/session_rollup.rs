//! A session's rollup as columns: the ledger and analytics keep the same ones.

use domain::appointment::Step;
use domain::channel::Channel;
use domain::id::{LeadId, SessionId, TenantId};
use domain::rollup::{Dated, Marks, SessionRollup};
use rusqlite::types::ToSql;
use rusqlite::{OptionalExtension as _, Row, Statement};

use crate::columns::{dated, moment, parsed, parsed_if_any};
use crate::failure::Failure;

/// The columns, in the order [`read`] takes them and [`write()`] gives them.
macro_rules! columns {
    () => {
        "tenant, session, channel, opened_at, opened_event, last_at, last_event, marks, lead, lead_at, lead_event,
         step, step_at, step_event"
    };
}
pub(crate) use columns;

/// Reads a rollup from the first columns of a row.
pub(crate) fn read(row: &Row<'_>) -> Result<SessionRollup, Failure> {
    let channel = parsed(row, 2, "a session's channel", |word| word.parse::<Channel>().ok())?;
    let lead = row.get::<_, Option<i64>>(8)?.map(|number| LeadId::from_number(number.cast_unsigned()));
    let step = parsed_if_any(row, 11, "a session's step", Step::parse)?;
    Ok(SessionRollup {
        tenant: parsed(row, 0, "a session's tenant", |text| TenantId::parse(text).ok())?,
        session: parsed(row, 1, "a session's id", |text| SessionId::parse(text).ok())?,
        opened: Dated { moment: moment(row, 3)?, value: channel },
        last: moment(row, 5)?,
        marks: Marks::from_bits(row.get(7)?),
        lead: dated(row, lead, 9)?,
        step: dated(row, step, 12)?,
    })
}

/// Binds a rollup's columns, then `more`, and executes.
pub(crate) fn write(
    statement: &mut Statement<'_>,
    rollup: &SessionRollup,
    more: &[&dyn ToSql],
) -> Result<(), Failure> {
    let lead = rollup.lead.as_ref();
    let step = rollup.step.as_ref();
    let values: [&dyn ToSql; 14] = [
        &rollup.tenant.as_str(),
        &rollup.session.as_str(),
        &rollup.opened.value.as_str(),
        &rollup.opened.moment.at.unix_micros(),
        &rollup.opened.moment.event.as_bytes().as_slice(),
        &rollup.last.at.unix_micros(),
        &rollup.last.event.as_bytes().as_slice(),
        &rollup.marks.bits(),
        &lead.map(|lead| lead.value.number().cast_signed()),
        &lead.map(|lead| lead.moment.at.unix_micros()),
        &lead.map(|lead| lead.moment.event.as_bytes().as_slice()),
        &step.map(|step| step.value.as_str()),
        &step.map(|step| step.moment.at.unix_micros()),
        &step.map(|step| step.moment.event.as_bytes().as_slice()),
    ];
    for (index, value) in values.iter().chain(more).enumerate() {
        statement.raw_bind_parameter(index + 1, value)?;
    }
    statement.raw_execute()?;
    Ok(())
}

/// Merges what is there into `rollup`; `query` selects [`columns!`] by tenant and session.
pub(crate) fn merge_with_kept(
    query: &mut Statement<'_>,
    rollup: SessionRollup,
) -> Result<SessionRollup, Failure> {
    let kept = query
        .query_row([rollup.tenant.as_str(), rollup.session.as_str()], |row| Ok(read(row)))
        .optional()?
        .transpose()?;
    Ok(match kept {
        Some(kept) => kept.merge(rollup),
        None => rollup,
    })
}

/// Merges the rollups of each session into one, and says of how many it came. Sorted, so that the rows are written
/// in the order they lie in.
pub(crate) fn merge_by_session(mut rollups: Vec<SessionRollup>) -> Vec<(SessionRollup, i64)> {
    rollups.sort_unstable_by(|a, b| (&a.tenant, &a.session).cmp(&(&b.tenant, &b.session)));
    let mut merged: Vec<(SessionRollup, i64)> = Vec::new();
    for rollup in rollups {
        match merged.pop() {
            Some((last, of)) if last.tenant == rollup.tenant && last.session == rollup.session => {
                merged.push((last.merge(rollup), of + 1));
            }
            other => {
                merged.extend(other);
                merged.push((rollup, 1));
            }
        }
    }
    merged
}
