//! How sources are doing: written with their events, told by the door, read together.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use domain::id::{SessionId, SourceId, TenantId};
use domain::source_state::{Heard, Period, Refusal, Refused, SourceNews, SourceState};
use domain::timestamp::Timestamp;
use ports::ledger::LedgerError;
use ports::sources::{RefusalCount, SourceWatch};
use rusqlite::{Connection, Row, params};

use crate::columns::{counted, instant, instant_if_any, moment, parsed};
use crate::failure::Failure;
use crate::ledger::SqliteLedger;

#[async_trait]
impl SourceWatch for SqliteLedger {
    async fn states(
        &self,
        tenant: Option<&TenantId>,
        now: Timestamp,
    ) -> Result<Vec<SourceState>, LedgerError> {
        let tenant = tenant.cloned();
        Ok(self.database.read(move |connection| states(connection, tenant.as_ref(), now)).await?)
    }

    async fn add_refusals(&self, refusals: &[RefusalCount]) -> Result<(), LedgerError> {
        let refusals = refusals.to_vec();
        Ok(self.database.write(move |connection| add_refusals(connection, &refusals)).await?)
    }

    async fn forget_periods(&self, before: Period) -> Result<u64, LedgerError> {
        Ok(self.database.write(move |connection| forget_periods(connection, before)).await?)
    }
}

/// Writes what new events say of their sources.
pub(crate) fn write(connection: &Connection, news: &SourceNews) -> Result<(), Failure> {
    let mut heard = connection.prepare_cached(
        "INSERT INTO source_states (tenant, source, first_at, last_at, last_session, last_occurred, last_event)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (tenant, source) DO UPDATE SET
             first_at = min(first_at, excluded.first_at),
             (last_at, last_session, last_occurred, last_event) = (
                 SELECT last_at, last_session, last_occurred, last_event
                 WHERE (last_at, last_occurred, last_event)
                     >= (excluded.last_at, excluded.last_occurred, excluded.last_event)
                 UNION ALL
                 SELECT excluded.last_at, excluded.last_session, excluded.last_occurred, excluded.last_event
                 LIMIT 1)",
    )?;
    let mut counted = connection.prepare_cached(
        "INSERT INTO source_periods (tenant, source, period, events, ahead) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (tenant, source, period) DO UPDATE SET
             events = events + excluded.events, ahead = max(ahead, excluded.ahead)",
    )?;
    for (tenant, source, news) in news.iter() {
        let last = &news.heard.last_event;
        heard.execute(params![
            tenant.as_str(),
            source.as_str(),
            news.heard.first_at.unix_micros(),
            news.heard.last_at.unix_micros(),
            news.heard.last_session.as_str(),
            last.at.unix_micros(),
            last.event.as_bytes().as_slice(),
        ])?;
        for (period, sum) in &news.periods {
            let begins = period.begins().unix_micros();
            counted.execute(params![
                tenant.as_str(),
                source.as_str(),
                begins,
                sum.events.cast_signed(),
                sum.ahead_micros
            ])?;
        }
    }
    Ok(())
}

fn add_refusals(connection: &Connection, refusals: &[RefusalCount]) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO source_refusals (tenant, source, reason, period, times, last_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (tenant, source, reason, period) DO UPDATE SET
             times = times + excluded.times, last_at = max(last_at, excluded.last_at)",
    )?;
    for refused in refusals {
        statement.execute(params![
            refused.tenant.as_str(),
            refused.source.as_str(),
            refused.reason.as_str(),
            Period::of(refused.last_at).begins().unix_micros(),
            refused.times.cast_signed(),
            refused.last_at.unix_micros(),
        ])?;
    }
    Ok(())
}

fn forget_periods(connection: &Connection, before: Period) -> Result<u64, Failure> {
    let mut forgotten = 0;
    for statement in
        ["DELETE FROM source_periods WHERE period < ?1", "DELETE FROM source_refusals WHERE period < ?1"]
    {
        let rows = connection.prepare_cached(statement)?.execute([before.begins().unix_micros()])?;
        forgotten += u64::try_from(rows).unwrap_or_default();
    }
    Ok(forgotten)
}

type States = BTreeMap<(TenantId, SourceId), SourceState>;

fn states(
    connection: &Connection,
    tenant: Option<&TenantId>,
    now: Timestamp,
) -> Result<Vec<SourceState>, Failure> {
    let tenant = tenant.map(TenantId::as_str);
    let (hour, day) = (Period::hour_before(now).begins(), Period::day_before(now).begins());
    let (hour, day) = (hour.unix_micros(), day.unix_micros());
    let mut states = States::new();

    let sql = "SELECT tenant, source, first_at, last_at, last_session, last_occurred, last_event
         FROM source_states WHERE ?1 IS NULL OR tenant = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![tenant])?;
    while let Some(row) = rows.next()? {
        state_of(&mut states, row)?.heard = Some(heard(row)?);
    }

    let sql = "SELECT tenant, source, sum(events) FILTER (WHERE period >= ?2), sum(events), max(ahead)
         FROM source_periods WHERE (?1 IS NULL OR tenant = ?1) AND period >= ?3 GROUP BY tenant, source";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![tenant, hour, day])?;
    while let Some(row) = rows.next()? {
        let state = state_of(&mut states, row)?;
        state.events_last_hour = row.get::<_, Option<i64>>(2)?.unwrap_or_default().cast_unsigned();
        state.events_last_day = counted(row, 3)?;
        let ahead = u64::try_from(row.get::<_, i64>(4)?).ok().filter(|micros| *micros > 0);
        state.greatest_ahead = ahead.map(Duration::from_micros);
    }

    let sql = "SELECT tenant, source, count(*), max(quarantined_at) FROM quarantine
         WHERE state <> 'resolved' AND state <> 'dismissed' AND (?1 IS NULL OR tenant = ?1) GROUP BY tenant, source";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![tenant])?;
    while let Some(row) = rows.next()? {
        let state = state_of(&mut states, row)?;
        (state.quarantined, state.quarantined_at) = (counted(row, 2)?, instant_if_any(row, 3)?);
    }

    let sql = "SELECT tenant, source, reason, sum(times), max(last_at)
         FROM source_refusals WHERE (?1 IS NULL OR tenant = ?1) AND period >= ?2
         GROUP BY tenant, source, reason ORDER BY reason";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![tenant, day])?;
    while let Some(row) = rows.next()? {
        let reason = parsed(row, 2, "why a source was refused", Refusal::parse)?;
        let refused = Refused { reason, times: counted(row, 3)?, last_at: instant(row, 4)? };
        state_of(&mut states, row)?.refused.push(refused);
    }
    Ok(states.into_values().collect())
}

/// The state of the source a row is about.
fn state_of<'a>(states: &'a mut States, row: &Row<'_>) -> Result<&'a mut SourceState, Failure> {
    let tenant = parsed(row, 0, "a source's tenant", |text| TenantId::parse(text).ok())?;
    let source = parsed(row, 1, "a source's id", |text| SourceId::parse(text).ok())?;
    Ok(states
        .entry((tenant, source))
        .or_insert_with_key(|(tenant, source)| SourceState::unheard(tenant.clone(), source.clone())))
}

fn heard(row: &Row<'_>) -> Result<Heard, Failure> {
    Ok(Heard {
        first_at: instant(row, 2)?,
        last_at: instant(row, 3)?,
        last_session: parsed(row, 4, "a source's last session", |text| SessionId::parse(text).ok())?,
        last_event: moment(row, 5)?,
    })
}
