//! An appointment's rollup as columns.

use domain::appointment::Step;
use domain::channel::Channel;
use domain::id::{AppointmentId, SessionId, TenantId};
use domain::rollup::{AppointmentRollup, Dated, Marks};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::columns::{dated, instant_if_any, moment, parsed, parsed_if_any};
use crate::failure::Failure;

/// Merges the rollups of each appointment into one, in the order the rows lie in.
pub(crate) fn merge(mut rollups: Vec<AppointmentRollup>) -> Vec<AppointmentRollup> {
    rollups.sort_unstable_by(|a, b| (&a.tenant, &a.appointment).cmp(&(&b.tenant, &b.appointment)));
    let mut merged: Vec<AppointmentRollup> = Vec::new();
    for rollup in rollups {
        match merged.pop() {
            Some(last) if last.tenant == rollup.tenant && last.appointment == rollup.appointment => {
                merged.push(last.merge(rollup));
            }
            other => {
                merged.extend(other);
                merged.push(rollup);
            }
        }
    }
    merged
}

/// Merges a rollup into what is there.
pub(crate) fn write(connection: &Connection, news: AppointmentRollup) -> Result<(), Failure> {
    let rollup = match kept(connection, &news)? {
        Some(kept) => kept.merge(news),
        None => news,
    };
    let (starts, step) = (rollup.starts_at.as_ref(), rollup.step.as_ref());
    let (channel, session) = &rollup.opened.value;
    connection
        .prepare_cached(
            "INSERT INTO appointment_rollups (tenant, appointment, channel, session, opened_at, opened_event, starts_at,
                                              starts_said_at, starts_said_event, step, step_at, step_event, marks)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
             ON CONFLICT (tenant, appointment) DO UPDATE SET
                 channel = excluded.channel, session = excluded.session, opened_at = excluded.opened_at,
                 opened_event = excluded.opened_event, starts_at = excluded.starts_at,
                 starts_said_at = excluded.starts_said_at, starts_said_event = excluded.starts_said_event,
                 step = excluded.step, step_at = excluded.step_at, step_event = excluded.step_event,
                 marks = excluded.marks",
        )?
        .execute(params![
            rollup.tenant.as_str(),
            rollup.appointment.as_str(),
            channel.as_str(),
            session.as_str(),
            rollup.opened.moment.at.unix_micros(),
            rollup.opened.moment.event.as_bytes().as_slice(),
            starts.map(|starts| starts.value.unix_micros()),
            starts.map(|starts| starts.moment.at.unix_micros()),
            starts.map(|starts| starts.moment.event.as_bytes().as_slice()),
            step.map(|step| step.value.as_str()),
            step.map(|step| step.moment.at.unix_micros()),
            step.map(|step| step.moment.event.as_bytes().as_slice()),
            rollup.marks.bits()
        ])?;
    Ok(())
}

fn kept(connection: &Connection, news: &AppointmentRollup) -> Result<Option<AppointmentRollup>, Failure> {
    connection
        .prepare_cached(
            "SELECT tenant, appointment, channel, session, opened_at, opened_event, starts_at, starts_said_at,
                    starts_said_event, step, step_at, step_event, marks
             FROM appointment_rollups WHERE tenant = ?1 AND appointment = ?2",
        )?
        .query_row([news.tenant.as_str(), news.appointment.as_str()], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

fn read(row: &Row<'_>) -> Result<AppointmentRollup, Failure> {
    let channel = parsed(row, 2, "an appointment's channel", |word| word.parse::<Channel>().ok())?;
    let session = parsed(row, 3, "an appointment's session", |text| SessionId::parse(text).ok())?;
    let step = parsed_if_any(row, 9, "an appointment's step", Step::parse)?;
    Ok(AppointmentRollup {
        tenant: parsed(row, 0, "an appointment's tenant", |text| TenantId::parse(text).ok())?,
        appointment: parsed(row, 1, "an appointment's id", |text| AppointmentId::parse(text).ok())?,
        opened: Dated { moment: moment(row, 4)?, value: (channel, session) },
        starts_at: dated(row, instant_if_any(row, 6)?, 7)?,
        step: dated(row, step, 10)?,
        marks: Marks::from_bits(row.get(12)?),
    })
}
