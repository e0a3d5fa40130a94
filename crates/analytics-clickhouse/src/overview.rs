//! The owner's figures, counted by ClickHouse.
//!
//! Rows are put together by their key, a number, to see when and where each really began. When most of a tenant's rows
//! may lie in the period, simply all of them are. Else those with a row that says so are picked first, which is cheap, as
//! merging keeps the earliest, and only their rows are put together. In a cluster the rows of a key lie on one shard, and
//! are put together rightly even where they do not.

use std::collections::BTreeMap;

use clickhouse::{Client, Row};
use domain::appointment::State;
use domain::channel::Channel;
use domain::id::TenantId;
use domain::overview::{AppointmentFigures, ChannelFigures, SessionFigures};
use domain::rollup::Mark;
use ports::analytics::Period;
use serde::Deserialize;

use crate::encoding::{NO_STEP, channel_of, step_of};
use crate::failure::Failure;

/// What begins both questions: the period as numbers that are compared with `opened`, and which way to go. That is
/// decided by a sample, one key in 64, and by when it was last heard of: right enough to choose between two ways.
const PERIOD: &str = "
    WITH bitShiftLeft(toUInt256({from:Int64}), 136) AS first, bitShiftLeft(toUInt256({until:Int64}), 136) AS beyond,
         (SELECT countIf(last >= {from:Int64}) * 4 >= count() FROM TABLE
          WHERE tenant = {tenant:String} AND key < bitShiftLeft(toUInt128(1), 122)) AS most";

/// What ends both: up to a million keys, threads share the work better when none divides what it has.
const SETTINGS: &str = "
    SETTINGS group_by_two_level_threshold = 1000000, group_by_two_level_threshold_bytes = 0";

const SESSIONS: &str = "
    SELECT toUInt8(bitAnd(begun, 255)) AS channel,
           count() AS total,
           countIf(bitAnd(happened, {lead:UInt32}) != 0) AS with_lead,
           countIf(bitAnd(happened, {booked:UInt32}) != 0) AS booked,
           countIf(bitAnd(happened, {attended:UInt32}) != 0) AS visited,
           countIf(bitAnd(happened, {refused:UInt32}) != 0) AS refused,
           countIf(bitAnd(happened, {fallback:UInt32}) != 0) AS with_fallback,
           countIf(bitAnd(happened, {handed_off:UInt32}) != 0) AS handed_off
    FROM (
        SELECT min(opened) AS begun, groupBitOr(marks) AS happened
        FROM TABLE
        WHERE tenant = {tenant:String} AND (most OR key GLOBAL IN (
            SELECT key FROM TABLE
            WHERE NOT most AND tenant = {tenant:String} AND opened >= first AND opened < beyond))
        GROUP BY key
        HAVING begun >= first AND begun < beyond)
    GROUP BY channel";

const APPOINTMENTS: &str = "
    SELECT toUInt8(bitAnd(begun, 255)) AS channel, toUInt8(bitAnd(stands, 255)) AS step, count() AS total
    FROM (
        SELECT min(opened) AS begun, max(step) AS stands
        FROM TABLE
        WHERE tenant = {tenant:String} AND (most OR key GLOBAL IN (
            SELECT key FROM TABLE
            WHERE NOT most AND tenant = {tenant:String} AND opened >= first AND opened < beyond))
        GROUP BY key
        HAVING begun >= first AND begun < beyond)
    GROUP BY channel, step";

#[derive(Row, Deserialize)]
struct SessionCounts {
    channel: u8,
    total: u64,
    with_lead: u64,
    booked: u64,
    visited: u64,
    refused: u64,
    with_fallback: u64,
    handed_off: u64,
}

#[derive(Row, Deserialize)]
struct AppointmentCount {
    channel: u8,
    step: u8,
    total: u64,
}

pub(crate) async fn overview(
    client: &Client,
    tenant: &TenantId,
    period: Period,
) -> Result<Vec<ChannelFigures>, Failure> {
    let (mut sessions, mut appointments) =
        tokio::try_join!(sessions(client, tenant, period), appointments(client, tenant, period))?;
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

fn question(figures: &str, table: &str) -> String {
    [PERIOD, figures, SETTINGS].concat().replace("TABLE", table)
}

async fn sessions(
    client: &Client,
    tenant: &TenantId,
    period: Period,
) -> Result<BTreeMap<Channel, SessionFigures>, Failure> {
    let counts: Vec<SessionCounts> = client
        .query_raw(&question(SESSIONS, "sessions"))
        .param("tenant", tenant.as_str())
        .param("from", period.from.unix_micros())
        .param("until", period.until.unix_micros())
        .param("lead", Mark::Lead.bit())
        .param("booked", Mark::Booked.bit())
        .param("attended", Mark::Attended.bit())
        .param("refused", Mark::Refused.bit())
        .param("fallback", Mark::Fallback.bit())
        .param("handed_off", Mark::HandedOff.bit())
        .fetch_all()
        .await?;
    counts.into_iter().map(session_figures).collect()
}

fn session_figures(counts: SessionCounts) -> Result<(Channel, SessionFigures), Failure> {
    let SessionCounts { channel, total, with_lead, booked, visited, refused, with_fallback, handed_off } =
        counts;
    let figures = SessionFigures { total, with_lead, booked, visited, refused, with_fallback, handed_off };
    Ok((channel_of(channel).ok_or(Failure::Corrupt("a session's channel"))?, figures))
}

async fn appointments(
    client: &Client,
    tenant: &TenantId,
    period: Period,
) -> Result<BTreeMap<Channel, AppointmentFigures>, Failure> {
    let counts: Vec<AppointmentCount> = client
        .query_raw(&question(APPOINTMENTS, "appointments"))
        .param("tenant", tenant.as_str())
        .param("from", period.from.unix_micros())
        .param("until", period.until.unix_micros())
        .fetch_all()
        .await?;
    let mut figures: BTreeMap<Channel, AppointmentFigures> = BTreeMap::new();
    for AppointmentCount { channel, step, total } in counts {
        let channel = channel_of(channel).ok_or(Failure::Corrupt("an appointment's channel"))?;
        let of_channel = figures.entry(channel).or_default();
        *match state(step)? {
            State::Booked => &mut of_channel.booked,
            State::Attended => &mut of_channel.attended,
            State::NoShow => &mut of_channel.no_show,
            State::Cancelled => &mut of_channel.cancelled,
        } += total;
    }
    Ok(figures)
}

/// One of which nobody said more than that it is there is booked.
fn state(step: u8) -> Result<State, Failure> {
    if step == NO_STEP {
        return Ok(State::Booked);
    }
    Ok(step_of(step).ok_or(Failure::Corrupt("an appointment's step"))?.leads_to())
}
