//! The owner's figures: counted by SQLite over the rollups that opened within a period.

use std::collections::BTreeMap;

use domain::appointment::{State, Step};
use domain::channel::Channel;
use domain::id::TenantId;
use domain::overview::{AppointmentFigures, ChannelFigures, SessionFigures};
use domain::rollup::Mark;
use ports::analytics::Period;
use rusqlite::{Connection, Row, params};

use crate::columns::{counted, parsed, parsed_if_any};
use crate::failure::Failure;

pub(crate) fn overview(
    connection: &Connection,
    tenant: &TenantId,
    period: Period,
) -> Result<Vec<ChannelFigures>, Failure> {
    let mut sessions = sessions(connection, tenant, period)?;
    let mut appointments = appointments(connection, tenant, period)?;
    let of_channel = |channel| {
        let (sessions, appointments) = (sessions.remove(&channel), appointments.remove(&channel));
        (sessions.is_some() || appointments.is_some()).then(|| ChannelFigures {
            channel,
            sessions: sessions.unwrap_or_default(),
            appointments: appointments.unwrap_or_default(),
        })
    };
    Ok(Channel::ALL.into_iter().filter_map(of_channel).collect())
}

fn sessions(
    connection: &Connection,
    tenant: &TenantId,
    period: Period,
) -> Result<BTreeMap<Channel, SessionFigures>, Failure> {
    connection
        .prepare_cached(
            "SELECT channel, COUNT(*), SUM(marks & ?4 <> 0), SUM(marks & ?5 <> 0), SUM(marks & ?6 <> 0),
                    SUM(marks & ?7 <> 0), SUM(marks & ?8 <> 0), SUM(marks & ?9 <> 0)
             FROM session_rollups
             WHERE tenant = ?1 AND opened_at >= ?2 AND opened_at < ?3 GROUP BY channel",
        )?
        .query_and_then(
            params![
                tenant.as_str(),
                period.from.unix_micros(),
                period.until.unix_micros(),
                Mark::Lead.bit(),
                Mark::Booked.bit(),
                Mark::Attended.bit(),
                Mark::Refused.bit(),
                Mark::Fallback.bit(),
                Mark::HandedOff.bit()
            ],
            session_figures,
        )?
        .collect()
}

fn session_figures(row: &Row<'_>) -> Result<(Channel, SessionFigures), Failure> {
    let figures = SessionFigures {
        total: counted(row, 1)?,
        with_lead: counted(row, 2)?,
        booked: counted(row, 3)?,
        visited: counted(row, 4)?,
        refused: counted(row, 5)?,
        with_fallback: counted(row, 6)?,
        handed_off: counted(row, 7)?,
    };
    Ok((channel(row)?, figures))
}

fn appointments(
    connection: &Connection,
    tenant: &TenantId,
    period: Period,
) -> Result<BTreeMap<Channel, AppointmentFigures>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT channel, step, COUNT(*) FROM appointment_rollups
         WHERE tenant = ?1 AND opened_at >= ?2 AND opened_at < ?3 GROUP BY channel, step",
    )?;
    let key = params![tenant.as_str(), period.from.unix_micros(), period.until.unix_micros()];
    let mut figures: BTreeMap<Channel, AppointmentFigures> = BTreeMap::new();
    for row in statement.query_and_then(key, appointment_count)? {
        let (channel, step, count) = row?;
        let of_channel = figures.entry(channel).or_default();
        // One of which nobody said more than that it is there is booked.
        *match step.map_or(State::Booked, Step::leads_to) {
            State::Booked => &mut of_channel.booked,
            State::Attended => &mut of_channel.attended,
            State::NoShow => &mut of_channel.no_show,
            State::Cancelled => &mut of_channel.cancelled,
        } += count;
    }
    Ok(figures)
}

fn appointment_count(row: &Row<'_>) -> Result<(Channel, Option<Step>, u64), Failure> {
    Ok((channel(row)?, parsed_if_any(row, 1, "an appointment's step", Step::parse)?, counted(row, 2)?))
}

fn channel(row: &Row<'_>) -> Result<Channel, Failure> {
    parsed(row, 0, "a rollup's channel", |word| word.parse().ok())
}
