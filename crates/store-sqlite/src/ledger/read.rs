//! Reading sessions, timelines and the books.

use async_trait::async_trait;
use bytes::Bytes;
use domain::channel::Channel;
use domain::id::{LeadId, SessionId, TenantId};
use domain::rollup::Moment;
use domain::session::Outcome;
use domain::timestamp::Timestamp;
use ports::ledger::{Books, LedgerError, LedgerReader, SessionQuery, SessionRow, StoredEvent};
use rusqlite::types::ToSql;
use rusqlite::{Connection, Row, params};

use crate::columns::{counted, instant, parsed};
use crate::failure::Failure;
use crate::ledger::SqliteLedger;
use crate::session_rollup::{self, columns};

#[async_trait]
impl LedgerReader for SqliteLedger {
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionRow>, LedgerError> {
        let query = query.clone();
        Ok(self.database.read(move |connection| sessions(connection, &query)).await?)
    }

    async fn session(&self, tenant: &TenantId, ids: &[SessionId]) -> Result<Option<SessionRow>, LedgerError> {
        let (tenant, ids) = (tenant.clone(), ids.to_vec());
        Ok(self.database.read(move |connection| session(connection, &tenant, &ids)).await?)
    }

    async fn timeline(
        &self,
        tenant: &TenantId,
        session: &SessionId,
        after: Option<Moment>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, LedgerError> {
        let (tenant, session) = (tenant.clone(), session.clone());
        let query = "SELECT stored_at, wire FROM events
             WHERE tenant = ?1 AND session = ?2 AND (occurred_at, event_id) > (?3, ?4)
             ORDER BY occurred_at, event_id LIMIT ?5";
        let timeline = move |connection: &Connection| {
            events(connection, query, &tenant, &session.as_str(), after, limit)
        };
        Ok(self.database.read(timeline).await?)
    }

    async fn lead_events(
        &self,
        tenant: &TenantId,
        lead: LeadId,
        after: Option<Moment>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, LedgerError> {
        let tenant = tenant.clone();
        let query = "SELECT stored_at, wire FROM events
             WHERE tenant = ?1 AND lead = ?2 AND (occurred_at, event_id) > (?3, ?4)
             ORDER BY occurred_at, event_id LIMIT ?5";
        let lead = lead.number().cast_signed();
        let lead_events =
            move |connection: &Connection| events(connection, query, &tenant, &lead, after, limit);
        Ok(self.database.read(lead_events).await?)
    }

    async fn books(&self) -> Result<Vec<Books>, LedgerError> {
        Ok(self.database.read(books).await?)
    }
}

fn sessions(connection: &Connection, query: &SessionQuery) -> Result<Vec<SessionRow>, Failure> {
    let from = query.from.map_or(0, Timestamp::unix_micros);
    let until = query.until.map_or(i64::MAX, Timestamp::unix_micros);
    // Without a place to go on from: a session later than any.
    let (after_at, after) = query
        .after
        .as_ref()
        .map_or((i64::MAX, ""), |after| (after.last_at.unix_micros(), after.session.as_str()));
    // The index is entered at the page asked for, not at the end of the period.
    let until = until.min(after_at.saturating_add(1));
    connection
        .prepare_cached(concat!(
            "SELECT ",
            columns!(),
            ", events FROM sessions
             WHERE tenant = ?1 AND last_at >= ?2 AND last_at < ?3 AND (last_at, session) < (?4, ?5)
               AND (?6 IS NULL OR channel = ?6) AND (?7 IS NULL OR outcome = ?7)
               AND (marks <> 0 OR substr(session, 1, 7) <> 'ruling-')
             ORDER BY last_at DESC, session DESC LIMIT ?8"
        ))?
        .query_and_then(
            params![
                query.tenant.as_str(),
                from,
                until,
                after_at,
                after,
                query.channel.map(Channel::as_str),
                query.outcome.map(Outcome::as_str),
                query.limit
            ],
            session_row,
        )?
        .collect()
}

pub(super) fn session(
    connection: &Connection,
    tenant: &TenantId,
    ids: &[SessionId],
) -> Result<Option<SessionRow>, Failure> {
    let mut statement = connection.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        ", events FROM sessions WHERE tenant = ?1 AND session = ?2"
    ))?;
    for id in ids {
        let found = statement.query_and_then([tenant.as_str(), id.as_str()], session_row)?.next();
        if found.is_some() {
            return found.transpose();
        }
    }
    Ok(None)
}

fn session_row(row: &Row<'_>) -> Result<SessionRow, Failure> {
    Ok(SessionRow { rollup: session_rollup::read(row)?, events: counted(row, 14)? })
}

fn events(
    connection: &Connection,
    query: &str,
    tenant: &TenantId,
    key: &dyn ToSql,
    after: Option<Moment>,
    limit: u32,
) -> Result<Vec<StoredEvent>, Failure> {
    // Without a moment to go on from: one before all.
    let (at, event) =
        after.map_or((-1, [0; 16]), |moment| (moment.at.unix_micros(), *moment.event.as_bytes()));
    connection
        .prepare_cached(query)?
        .query_and_then(params![tenant.as_str(), key, at, event.as_slice(), limit], |row| {
            let wire = Bytes::copy_from_slice(row.get_ref(1)?.as_blob()?);
            Ok(StoredEvent { stored_at: instant(row, 0)?, wire })
        })?
        .collect()
}

fn books(connection: &Connection) -> Result<Vec<Books>, Failure> {
    connection
        .prepare_cached("SELECT tenant, stored, duplicate, quarantined FROM books ORDER BY tenant")?
        .query_and_then([], |row| {
            Ok(Books {
                tenant: parsed(row, 0, "a tenant in the books", |text| TenantId::parse(text).ok())?,
                stored: counted(row, 1)?,
                duplicate: counted(row, 2)?,
                quarantined: counted(row, 3)?,
            })
        })?
        .collect()
}
