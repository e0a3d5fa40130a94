//! Reading sessions, timelines and the books.

use async_trait::async_trait;
use bytes::Bytes;
use domain::channel::Channel;
use domain::id::{LeadId, SessionId, TenantId};
use domain::rollup::Moment;
use domain::session::Outcome;
use domain::timestamp::Timestamp;
use ports::ledger::{Books, LedgerError, LedgerReader, SessionQuery, SessionRow, StoredEvent};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::columns::{counted, instant, parsed};
use crate::failure::Failure;
use crate::ledger::PostgresLedger;
use crate::session_rollup::{self, columns};

/// The index knows the period only, which is as good as the instant to sort by first.
const SESSIONS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions
     WHERE tenant = $1 AND last_period BETWEEN $2 / 600000000 AND $3 / 600000000
       AND last_at >= $2 AND last_at < $3 AND (last_at, session) < ($4, $5)
       AND ($6::text IS NULL OR channel = $6) AND ($7::text IS NULL OR outcome = $7)
       AND (marks <> 0 OR substr(session, 1, 7) <> 'ruling-')
     ORDER BY last_period DESC, last_at DESC, session DESC LIMIT $8"
);

const SESSION: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions WHERE tenant = $1 AND session = ANY($2) ORDER BY array_position($2, session) LIMIT 1"
);

/// When the events of a session were received, and from when on events are there at all.
const SPAN: &str = "SELECT greatest(s.first_received, r.events_before), s.last_received
     FROM sessions s, retention r WHERE s.tenant = $1 AND s.session = $2";

/// The bounds of `received_at` let the planner leave out the partitions of all other days.
const TIMELINE: &str = "SELECT stored_at, wire FROM events
     WHERE tenant = $1 AND session = $2 AND received_at BETWEEN $3 AND $4 AND (occurred_at, event_id) > ($5, $6)
     ORDER BY occurred_at, event_id LIMIT $7";

const LEAD_EVENTS: &str = "SELECT stored_at, wire FROM events
     WHERE tenant = $1 AND lead = $2 AND received_at >= (SELECT events_before FROM retention)
       AND (occurred_at, event_id) > ($3, $4)
     ORDER BY occurred_at, event_id LIMIT $5";

#[async_trait]
impl LedgerReader for PostgresLedger {
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionRow>, LedgerError> {
        let from = query.from.map_or(0, Timestamp::unix_micros);
        let until = query.until.map_or(i64::MAX, Timestamp::unix_micros);
        // Without a place to go on from: a session later than any.
        let (after_at, after) = query
            .after
            .as_ref()
            .map_or((i64::MAX, ""), |after| (after.last_at.unix_micros(), after.session.as_str()));
        // The index is entered at the page asked for, not at the end of the period.
        let until = until.min(after_at.saturating_add(1));
        let ask = || {
            sqlx::query(SESSIONS)
                .bind(query.tenant.as_str())
                .bind(from)
                .bind(until)
                .bind(after_at)
                .bind(after)
                .bind(query.channel.map(Channel::as_str))
                .bind(query.outcome.map(Outcome::as_str))
                .bind(i64::from(query.limit))
        };
        let rows = self.database.rows(ask).await?;
        Ok(rows.iter().map(session_row).collect::<Result<_, _>>()?)
    }

    async fn session(&self, tenant: &TenantId, ids: &[SessionId]) -> Result<Option<SessionRow>, LedgerError> {
        let ids: Vec<&str> = ids.iter().map(SessionId::as_str).collect();
        let rows = self.database.rows(|| sqlx::query(SESSION).bind(tenant.as_str()).bind(&ids)).await?;
        Ok(rows.first().map(session_row).transpose()?)
    }

    async fn timeline(
        &self,
        tenant: &TenantId,
        session: &SessionId,
        after: Option<Moment>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, LedgerError> {
        let span = || sqlx::query(SPAN).bind(tenant.as_str()).bind(session.as_str());
        let Some((from, to)) = self.database.rows(span).await?.first().map(between).transpose()? else {
            return Ok(Vec::new());
        };
        let (at, event) = place(after);
        let ask = || {
            sqlx::query(TIMELINE)
                .bind(tenant.as_str())
                .bind(session.as_str())
                .bind(from)
                .bind(to)
                .bind(at)
                .bind(event)
                .bind(i64::from(limit))
        };
        Ok(stored_events(&self.database.rows(ask).await?)?)
    }

    async fn lead_events(
        &self,
        tenant: &TenantId,
        lead: LeadId,
        after: Option<Moment>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, LedgerError> {
        let (at, event) = place(after);
        let ask = || {
            sqlx::query(LEAD_EVENTS)
                .bind(tenant.as_str())
                .bind(lead.number().cast_signed())
                .bind(at)
                .bind(event)
                .bind(i64::from(limit))
        };
        Ok(stored_events(&self.database.rows(ask).await?)?)
    }

    async fn books(&self) -> Result<Vec<Books>, LedgerError> {
        let sql = "SELECT tenant, stored, duplicate, quarantined FROM books ORDER BY tenant";
        let rows = self.database.rows(|| sqlx::query(sql)).await?;
        Ok(rows.iter().map(books).collect::<Result<_, _>>()?)
    }
}

/// Without a moment to go on from: one before all.
fn place(after: Option<Moment>) -> (i64, [u8; 16]) {
    after.map_or((-1, [0; 16]), |moment| (moment.at.unix_micros(), *moment.event.as_bytes()))
}

fn between(row: &PgRow) -> Result<(i64, i64), Failure> {
    Ok((row.try_get(0)?, row.try_get(1)?))
}

pub(super) fn session_row(row: &PgRow) -> Result<SessionRow, Failure> {
    let kept = session_rollup::read(row)?;
    Ok(SessionRow { rollup: kept.rollup, events: kept.events })
}

fn stored_events(rows: &[PgRow]) -> Result<Vec<StoredEvent>, Failure> {
    let event = |row: &PgRow| {
        Ok(StoredEvent { stored_at: instant(row, 0)?, wire: Bytes::from(row.try_get::<Vec<u8>, _>(1)?) })
    };
    rows.iter().map(event).collect()
}

fn books(row: &PgRow) -> Result<Books, Failure> {
    Ok(Books {
        tenant: parsed(row, 0, "a tenant in the books", |text| TenantId::parse(text).ok())?,
        stored: counted(row, 1)?,
        duplicate: counted(row, 2)?,
        quarantined: counted(row, 3)?,
    })
}
