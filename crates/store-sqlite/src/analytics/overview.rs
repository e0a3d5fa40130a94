//! The owner's figures: counted by SQLite over the rollups that opened within a period.
//!
//! Of hundreds of thousands of sessions there are a few dozen kinds: a channel and a set of marks. Each kind is counted as
//! a range of an index, which takes a thirtieth of the time of looking at every row.

use domain::appointment::{State, Step};
use domain::channel::Channel;
use domain::id::TenantId;
use domain::overview::{AppointmentFigures, ChannelFigures, SessionFigures};
use domain::rollup::{Mark, Marks};
use ports::analytics::Period;
use rusqlite::{Connection, params};

use crate::columns::counted;
use crate::failure::Failure;

/// The next set of marks there is in a channel.
const NEXT_MARKS: &str = "
    SELECT MIN(marks) FROM session_rollups INDEXED BY session_rollups_by_marks
    WHERE tenant = ?1 AND channel = ?2 AND marks > ?3";

const SESSIONS: &str = "
    SELECT COUNT(*) FROM session_rollups INDEXED BY session_rollups_by_marks
    WHERE tenant = ?1 AND channel = ?2 AND marks = ?3 AND opened_at >= ?4 AND opened_at < ?5";

const APPOINTMENTS: &str = "
    SELECT COUNT(*) FROM appointment_rollups INDEXED BY appointment_rollups_by_step
    WHERE tenant = ?1 AND channel = ?2 AND step IS ?3 AND opened_at >= ?4 AND opened_at < ?5";

pub(crate) fn overview(
    connection: &Connection,
    tenant: &TenantId,
    period: Period,
) -> Result<Vec<ChannelFigures>, Failure> {
    let mut overview = Vec::new();
    for channel in Channel::ALL {
        let sessions = sessions(connection, tenant, channel, period)?;
        let appointments = appointments(connection, tenant, channel, period)?;
        if sessions.total > 0 || appointments != AppointmentFigures::default() {
            overview.push(ChannelFigures { channel, sessions, appointments });
        }
    }
    Ok(overview)
}

fn sessions(
    connection: &Connection,
    tenant: &TenantId,
    channel: Channel,
    period: Period,
) -> Result<SessionFigures, Failure> {
    let mut next_marks = connection.prepare_cached(NEXT_MARKS)?;
    let mut count = connection.prepare_cached(SESSIONS)?;
    let (from, until) = (period.from.unix_micros(), period.until.unix_micros());
    let (mut figures, mut before) = (SessionFigures::default(), -1_i64);
    loop {
        let marks = next_marks.query_row(params![tenant.as_str(), channel.as_str(), before], |row| {
            row.get::<_, Option<u32>>(0)
        })?;
        let Some(bits) = marks else { return Ok(figures) };
        let key = params![tenant.as_str(), channel.as_str(), bits, from, until];
        let total = count.query_row(key, |row| Ok(counted(row, 0)))??;
        add(&mut figures, Marks::from_bits(bits), total);
        before = i64::from(bits);
    }
}

/// Adds sessions that all have these marks.
fn add(figures: &mut SessionFigures, marks: Marks, total: u64) {
    let of = |mark| if marks.has(mark) { total } else { 0 };
    figures.total += total;
    figures.with_lead += of(Mark::Lead);
    figures.booked += of(Mark::Booked);
    figures.visited += of(Mark::Attended);
    figures.refused += of(Mark::Refused);
    figures.with_fallback += of(Mark::Fallback);
    figures.handed_off += of(Mark::HandedOff);
}

fn appointments(
    connection: &Connection,
    tenant: &TenantId,
    channel: Channel,
    period: Period,
) -> Result<AppointmentFigures, Failure> {
    let mut count = connection.prepare_cached(APPOINTMENTS)?;
    let (from, until) = (period.from.unix_micros(), period.until.unix_micros());
    let mut figures = AppointmentFigures::default();
    for step in std::iter::once(None).chain(Step::ALL.into_iter().map(Some)) {
        let key = params![tenant.as_str(), channel.as_str(), step.map(Step::as_str), from, until];
        let total = count.query_row(key, |row| Ok(counted(row, 0)))??;
        // One of which nobody said more than that it is there is booked.
        *match step.map_or(State::Booked, Step::leads_to) {
            State::Booked => &mut figures.booked,
            State::Attended => &mut figures.attended,
            State::NoShow => &mut figures.no_show,
            State::Cancelled => &mut figures.cancelled,
        } += total;
    }
    Ok(figures)
}
