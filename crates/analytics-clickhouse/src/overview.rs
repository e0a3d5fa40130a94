//! The owner's figures, counted by ClickHouse.
//!
//! Rows are put together by their key, a number, to see when and where each really began. When most of a tenant's rows
//! may lie in the period, simply all of them are. Else those with a row that says so are picked first, which is cheap, as
//! merging keeps the earliest, and only their rows are put together. In a cluster the rows of a key lie on one shard, and
//! are put together rightly even where they do not.

use std::collections::BTreeMap;

use clickhouse::query::Query;
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

/// Whether most of a tenant's rows may lie in the period. By a sample, one key in 64, and by when they were last heard of:
/// right enough to choose between two ways.
const MOST: &str = "
    SELECT countIf(last >= {from:Int64}) * 4 >= count() FROM TABLE
    WHERE tenant = {tenant:String} AND key < bitShiftLeft(toUInt128(1), 122)";

/// All rows of a tenant.
const ALL_ROWS: &str = "tenant = {tenant:String}";

/// The rows of those with one that lies in the period.
const PICKED_ROWS: &str = "
    tenant = {tenant:String} AND key GLOBAL IN (
        SELECT key FROM TABLE
        WHERE tenant = {tenant:String} AND opened >= bitShiftLeft(toUInt256({from:Int64}), 136)
          AND opened < bitShiftLeft(toUInt256({until:Int64}), 136))";

/// What ends all of them: up to a million keys, threads share the work better when none divides what it has.
const SETTINGS: &str = "
    SETTINGS group_by_two_level_threshold = 1000000, group_by_two_level_threshold_bytes = 0";

/// What is counted of sessions.
const COUNTS: &str = "
           count() AS total,
           countIf(bitAnd(happened, {lead:UInt32}) != 0) AS with_lead,
           countIf(bitAnd(happened, {booked:UInt32}) != 0) AS booked,
           countIf(bitAnd(happened, {attended:UInt32}) != 0) AS visited,
           countIf(bitAnd(happened, {refused:UInt32}) != 0) AS refused,
           countIf(bitAnd(happened, {fallback:UInt32}) != 0) AS with_fallback,
           countIf(bitAnd(happened, {handed_off:UInt32}) != 0) AS handed_off";

/// By the set of channels a session was seen in, above its marks in one number. Nearly always that is one channel, and
/// then it need not be known which event was the first: to take the least of numbers of 256 bits costs more than all
/// the rest.
const SESSIONS: &str = "
    SELECT toUInt32(bitShiftRight(happened, 32)) AS channels, COUNTS
    FROM (
        SELECT min(toInt64(bitShiftRight(opened, 136))) AS begun,
               groupBitOr(bitOr(toUInt64(marks), bitShiftLeft(toUInt64(1), 32 + toUInt8(opened)))) AS happened
        FROM TABLE WHERE ROWS
        GROUP BY key
        HAVING begun >= {from:Int64} AND begun < {until:Int64})
    GROUP BY channels";

/// Those that were seen in several channels, by the one they began in.
const WANDERERS: &str = "
    SELECT bitShiftLeft(toUInt32(1), toUInt8(begun)) AS channels, COUNTS
    FROM (
        SELECT min(opened) AS begun, groupBitOr(marks) AS happened
        FROM TABLE WHERE ROWS
        GROUP BY key
        HAVING begun >= bitShiftLeft(toUInt256({from:Int64}), 136)
           AND begun < bitShiftLeft(toUInt256({until:Int64}), 136)
           AND min(toUInt8(opened)) != max(toUInt8(opened)))
    GROUP BY channels";

const APPOINTMENTS: &str = "
    SELECT toUInt8(begun) AS channel, toUInt8(stands) AS step, count() AS total
    FROM (
        SELECT min(opened) AS begun, max(step) AS stands
        FROM TABLE WHERE ROWS
        GROUP BY key
        HAVING begun >= bitShiftLeft(toUInt256({from:Int64}), 136)
           AND begun < bitShiftLeft(toUInt256({until:Int64}), 136))
    GROUP BY channel, step";

#[derive(Row, Deserialize)]
struct SessionCounts {
    /// A bit for each channel.
    channels: u32,
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

/// What is asked of one table: about a tenant and a period, going the one way or the other.
struct Asking<'a> {
    client: &'a Client,
    table: &'static str,
    tenant: &'a TenantId,
    period: Period,
    rows: &'static str,
}

impl<'a> Asking<'a> {
    async fn of(
        client: &'a Client,
        table: &'static str,
        tenant: &'a TenantId,
        period: Period,
    ) -> Result<Self, Failure> {
        let mut asking = Self { client, table, tenant, period, rows: ALL_ROWS };
        if asking.query(MOST).fetch_one::<u8>().await? == 0 {
            asking.rows = PICKED_ROWS;
        }
        Ok(asking)
    }

    fn query(&self, question: &str) -> Query {
        let question = question.replace("COUNTS", COUNTS).replace("ROWS", self.rows);
        self.client
            .query_raw(&[&question, SETTINGS].concat().replace("TABLE", self.table))
            .param("tenant", self.tenant.as_str())
            .param("from", self.period.from.unix_micros())
            .param("until", self.period.until.unix_micros())
    }

    async fn count_sessions(&self, question: &str) -> Result<Vec<SessionCounts>, Failure> {
        let counts = self
            .query(question)
            .param("lead", Mark::Lead.bit())
            .param("booked", Mark::Booked.bit())
            .param("attended", Mark::Attended.bit())
            .param("refused", Mark::Refused.bit())
            .param("fallback", Mark::Fallback.bit())
            .param("handed_off", Mark::HandedOff.bit());
        Ok(counts.fetch_all().await?)
    }
}

async fn sessions(
    client: &Client,
    tenant: &TenantId,
    period: Period,
) -> Result<BTreeMap<Channel, SessionFigures>, Failure> {
    let asking = Asking::of(client, "sessions", tenant, period).await?;
    let counted = asking.count_sessions(SESSIONS).await?;
    let (mut counts, wanderers): (Vec<_>, Vec<_>) =
        counted.into_iter().partition(|counts| counts.channels.is_power_of_two());
    if !wanderers.is_empty() {
        counts.extend(asking.count_sessions(WANDERERS).await?);
    }
    let mut figures: BTreeMap<Channel, SessionFigures> = BTreeMap::new();
    for counts in counts {
        let channel = u8::try_from(counts.channels.trailing_zeros()).ok().and_then(channel_of);
        counts.add_to(figures.entry(channel.ok_or(Failure::Corrupt("a session's channel"))?).or_default());
    }
    Ok(figures)
}

impl SessionCounts {
    fn add_to(&self, figures: &mut SessionFigures) {
        figures.total += self.total;
        figures.with_lead += self.with_lead;
        figures.booked += self.booked;
        figures.visited += self.visited;
        figures.refused += self.refused;
        figures.with_fallback += self.with_fallback;
        figures.handed_off += self.handed_off;
    }
}

async fn appointments(
    client: &Client,
    tenant: &TenantId,
    period: Period,
) -> Result<BTreeMap<Channel, AppointmentFigures>, Failure> {
    let asking = Asking::of(client, "appointments", tenant, period).await?;
    let counts: Vec<AppointmentCount> = asking.query(APPOINTMENTS).fetch_all().await?;
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
