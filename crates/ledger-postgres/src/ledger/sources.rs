//! How sources are doing: written with their events, told by the door, read together.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use domain::id::{SessionId, SourceId, TenantId};
use domain::source_state::{Heard, NewsOfSource, Period, Refusal, Refused, SourceNews, SourceState};
use domain::timestamp::Timestamp;
use ports::ledger::LedgerError;
use ports::sources::{RefusalCount, SourceWatch};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::columns::{counted, instant, instant_if_any, moment, parsed};
use crate::database::Work;
use crate::failure::Failure;
use crate::ledger::PostgresLedger;

#[async_trait]
impl SourceWatch for PostgresLedger {
    async fn states(
        &self,
        tenant: Option<&TenantId>,
        now: Timestamp,
    ) -> Result<Vec<SourceState>, LedgerError> {
        Ok(self.database.transaction(&ReadStates { tenant, now }).await?)
    }

    async fn add_refusals(&self, refusals: &[RefusalCount]) -> Result<(), LedgerError> {
        if refusals.is_empty() {
            return Ok(());
        }
        let mut refusals: Vec<_> = refusals.iter().map(Telling::of).collect();
        // In one order, so that two gateways that tell at once do not wait for each other.
        refusals.sort_unstable();
        self.database.execute(|| add_refusals(&refusals)).await?;
        Ok(())
    }

    async fn forget_periods(&self, before: Period) -> Result<u64, LedgerError> {
        let before = before.begins().unix_micros();
        let mut forgotten = 0;
        for statement in
            ["DELETE FROM source_periods WHERE period < $1", "DELETE FROM source_refusals WHERE period < $1"]
        {
            forgotten += self.database.execute(|| sqlx::query(statement).bind(before)).await?;
        }
        Ok(forgotten)
    }
}

/// Writes what new events say of their sources, in one statement. Whoever records for the same source waits from here
/// to the commit, which is why it comes last but for the books.
pub(super) async fn write(connection: &mut PgConnection, news: &SourceNews) -> Result<(), Failure> {
    if news.is_empty() {
        return Ok(());
    }
    let all: Vec<_> = news.iter().collect();
    let heard = || all.iter().map(|(_, _, news)| &news.heard);
    let periods = || all.iter().flat_map(|item| periods_of(*item));
    sqlx::query(
        "WITH heard AS (
             INSERT INTO source_states AS s
                 (tenant, source, first_at, last_at, last_session, last_occurred, last_event)
             SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::bigint[]), unnest($4::bigint[]),
                    unnest($5::text[]), unnest($6::bigint[]), unnest($7::bytea[])
             ON CONFLICT (tenant, source) DO UPDATE SET
                 first_at = least(s.first_at, excluded.first_at),
                 (last_at, last_session, last_occurred, last_event) = (
                     SELECT last.* FROM (VALUES
                         (s.last_at, s.last_session, s.last_occurred, s.last_event),
                         (excluded.last_at, excluded.last_session, excluded.last_occurred, excluded.last_event)
                     ) AS last (received, session, occurred, event)
                     ORDER BY received DESC, occurred DESC, event DESC LIMIT 1)
             RETURNING 1)
         INSERT INTO source_periods AS p (tenant, source, period, events, ahead)
         SELECT unnest($8::text[]), unnest($9::text[]), unnest($10::bigint[]), unnest($11::bigint[]),
                unnest($12::bigint[])
         ON CONFLICT (tenant, source, period) DO UPDATE SET
             events = p.events + excluded.events, ahead = greatest(p.ahead, excluded.ahead)",
    )
    .bind(all.iter().map(|(tenant, _, _)| tenant.as_str()).collect::<Vec<_>>())
    .bind(all.iter().map(|(_, source, _)| source.as_str()).collect::<Vec<_>>())
    .bind(heard().map(|heard| heard.first_at.unix_micros()).collect::<Vec<_>>())
    .bind(heard().map(|heard| heard.last_at.unix_micros()).collect::<Vec<_>>())
    .bind(heard().map(|heard| heard.last_session.as_str()).collect::<Vec<_>>())
    .bind(heard().map(|heard| heard.last_event.at.unix_micros()).collect::<Vec<_>>())
    .bind(heard().map(|heard| *heard.last_event.event.as_bytes()).collect::<Vec<_>>())
    .bind(periods().map(|period| period.tenant).collect::<Vec<_>>())
    .bind(periods().map(|period| period.source).collect::<Vec<_>>())
    .bind(periods().map(|period| period.begins).collect::<Vec<_>>())
    .bind(periods().map(|period| period.events).collect::<Vec<_>>())
    .bind(periods().map(|period| period.ahead).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// A row of `source_periods`.
struct PeriodRow<'a> {
    tenant: &'a str,
    source: &'a str,
    begins: i64,
    events: i64,
    ahead: i64,
}

fn periods_of<'a>(
    (tenant, source, news): (&'a TenantId, &'a SourceId, &'a NewsOfSource),
) -> impl Iterator<Item = PeriodRow<'a>> {
    news.periods.iter().map(|(period, sum)| PeriodRow {
        tenant: tenant.as_str(),
        source: source.as_str(),
        begins: period.begins().unix_micros(),
        events: sum.events.cast_signed(),
        ahead: sum.ahead_micros,
    })
}

/// A row of `source_refusals`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Telling<'a> {
    tenant: &'a str,
    source: &'a str,
    reason: &'static str,
    period: i64,
    times: i64,
    last_at: i64,
}

impl<'a> Telling<'a> {
    fn of(refused: &'a RefusalCount) -> Self {
        Self {
            tenant: refused.tenant.as_str(),
            source: refused.source.as_str(),
            reason: refused.reason.as_str(),
            period: Period::of(refused.last_at).begins().unix_micros(),
            times: refused.times.cast_signed(),
            last_at: refused.last_at.unix_micros(),
        }
    }
}

fn add_refusals<'q>(refusals: &[Telling<'q>]) -> crate::database::Statement<'q> {
    sqlx::query(
        "INSERT INTO source_refusals AS r (tenant, source, reason, period, times, last_at)
         SELECT tenant, source, reason, period, sum(times), max(last_at)
         FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
             AS told (tenant, source, reason, period, times, last_at)
         GROUP BY tenant, source, reason, period
         ORDER BY tenant, source, reason, period
         ON CONFLICT (tenant, source, reason, period) DO UPDATE SET
             times = r.times + excluded.times, last_at = greatest(r.last_at, excluded.last_at)",
    )
    .bind(refusals.iter().map(|refused| refused.tenant).collect::<Vec<_>>())
    .bind(refusals.iter().map(|refused| refused.source).collect::<Vec<_>>())
    .bind(refusals.iter().map(|refused| refused.reason).collect::<Vec<_>>())
    .bind(refusals.iter().map(|refused| refused.period).collect::<Vec<_>>())
    .bind(refusals.iter().map(|refused| refused.times).collect::<Vec<_>>())
    .bind(refusals.iter().map(|refused| refused.last_at).collect::<Vec<_>>())
}

type States = BTreeMap<(TenantId, SourceId), SourceState>;

/// Everything known of sources, as of one moment.
struct ReadStates<'a> {
    tenant: Option<&'a TenantId>,
    now: Timestamp,
}

impl Work for ReadStates<'_> {
    type Output = Vec<SourceState>;

    /// Every statement sees the same rows.
    const BEGIN: &'static str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

    async fn run(&self, connection: &mut PgConnection) -> Result<Vec<SourceState>, Failure> {
        let tenant = self.tenant.map(TenantId::as_str);
        let hour = Period::hour_before(self.now).begins().unix_micros();
        let day = Period::day_before(self.now).begins().unix_micros();
        let mut states = States::new();

        let sql = "SELECT tenant, source, first_at, last_at, last_session, last_occurred, last_event
             FROM source_states WHERE $1::text IS NULL OR tenant = $1";
        for row in sqlx::query(sql).bind(tenant).fetch_all(&mut *connection).await? {
            state_of(&mut states, &row)?.heard = Some(heard(&row)?);
        }

        let sql = "SELECT tenant, source, coalesce(sum(events) FILTER (WHERE period >= $2), 0)::bigint,
                 sum(events)::bigint, max(ahead)
             FROM source_periods WHERE ($1::text IS NULL OR tenant = $1) AND period >= $3 GROUP BY tenant, source";
        for row in sqlx::query(sql).bind(tenant).bind(hour).bind(day).fetch_all(&mut *connection).await? {
            let state = state_of(&mut states, &row)?;
            (state.events_last_hour, state.events_last_day) = (counted(&row, 2)?, counted(&row, 3)?);
            let ahead = u64::try_from(row.try_get::<i64, _>(4)?).ok().filter(|micros| *micros > 0);
            state.greatest_ahead = ahead.map(Duration::from_micros);
        }

        let sql = "SELECT tenant, source, count(*), max(quarantined_at) FROM quarantine
             WHERE state <> 'resolved' AND state <> 'dismissed' AND ($1::text IS NULL OR tenant = $1)
             GROUP BY tenant, source";
        for row in sqlx::query(sql).bind(tenant).fetch_all(&mut *connection).await? {
            let state = state_of(&mut states, &row)?;
            (state.quarantined, state.quarantined_at) = (counted(&row, 2)?, instant_if_any(&row, 3)?);
        }

        let sql = "SELECT tenant, source, reason, sum(times)::bigint, max(last_at)
             FROM source_refusals WHERE ($1::text IS NULL OR tenant = $1) AND period >= $2
             GROUP BY tenant, source, reason ORDER BY reason";
        for row in sqlx::query(sql).bind(tenant).bind(day).fetch_all(connection).await? {
            let reason = parsed(&row, 2, "why a source was refused", Refusal::parse)?;
            let refused = Refused { reason, times: counted(&row, 3)?, last_at: instant(&row, 4)? };
            state_of(&mut states, &row)?.refused.push(refused);
        }
        Ok(states.into_values().collect())
    }
}

/// The state of the source a row is about.
fn state_of<'a>(states: &'a mut States, row: &PgRow) -> Result<&'a mut SourceState, Failure> {
    let tenant = parsed(row, 0, "a source's tenant", |text| TenantId::parse(text).ok())?;
    let source = parsed(row, 1, "a source's id", |text| SourceId::parse(text).ok())?;
    Ok(states
        .entry((tenant, source))
        .or_insert_with_key(|(tenant, source)| SourceState::unheard(tenant.clone(), source.clone())))
}

fn heard(row: &PgRow) -> Result<Heard, Failure> {
    Ok(Heard {
        first_at: instant(row, 2)?,
        last_at: instant(row, 3)?,
        last_session: parsed(row, 4, "a source's last session", |text| SessionId::parse(text).ok())?,
        last_event: moment(row, 5)?,
    })
}
