//! Everything under seal, row by row.

use async_trait::async_trait;
use bytes::Bytes;
use domain::id::{SessionId, SourceId, TenantId};
use domain::quarantine::Stage;
use ports::ledger::LedgerError;
use ports::seals::{Place, Replacement, SealedAt, SealedRow, SealedStore};
use rusqlite::{Connection, Row, ToSql, params};

use crate::columns::{counted, event_id, instant, parsed, receipt};
use crate::failure::Failure;
use crate::ledger::SqliteLedger;

#[async_trait]
impl SealedStore for SqliteLedger {
    async fn count_sealed(&self, place: Place) -> Result<u64, LedgerError> {
        Ok(self.database.read(move |connection| count(connection, place)).await?)
    }

    async fn sealed(
        &self,
        place: Place,
        after: Option<&SealedAt>,
        limit: u32,
    ) -> Result<Vec<SealedRow>, LedgerError> {
        let after = after.cloned();
        Ok(self.database.read(move |connection| page(connection, place, after.as_ref(), limit)).await?)
    }

    async fn replace_sealed(&self, rows: &[Replacement]) -> Result<u64, LedgerError> {
        let rows = rows.to_vec();
        Ok(self.database.write(move |connection| replace(connection, &rows)).await?)
    }
}

fn count(connection: &Connection, place: Place) -> Result<u64, Failure> {
    let statement = match place {
        Place::Events => "SELECT count(*) FROM events",
        Place::Quarantine => "SELECT count(*) FROM quarantine WHERE length(message) > 0",
        Place::Secrets => "SELECT count(*) FROM source_secrets",
        Place::Forwards => "SELECT count(*) FROM sources WHERE forward_to IS NOT NULL",
        Place::Reasons => "SELECT count(*) FROM audit WHERE reason IS NOT NULL",
    };
    connection.prepare_cached(statement)?.query_row([], |row| Ok(counted(row, 0)))?
}

/// Each place in the order of an index it has.
fn page(
    connection: &Connection,
    place: Place,
    after: Option<&SealedAt>,
    limit: u32,
) -> Result<Vec<SealedRow>, Failure> {
    let statement = match place {
        Place::Events => {
            "SELECT tenant, session, occurred_at, event_id, received_at, wire FROM events
             WHERE (tenant, session, occurred_at, event_id) > (?2, ?3, ?4, ?5)
             ORDER BY tenant, session, occurred_at, event_id LIMIT ?1"
        }
        Place::Quarantine => {
            "SELECT receipt, stage, message FROM quarantine
             WHERE (receipt, stage) > (?2, ?3) AND length(message) > 0 ORDER BY receipt, stage LIMIT ?1"
        }
        Place::Secrets => "SELECT source, id, sealed FROM source_secrets WHERE id > ?2 ORDER BY id LIMIT ?1",
        Place::Forwards => {
            "SELECT id, forward_to FROM sources WHERE forward_to IS NOT NULL AND id > ?2 ORDER BY id LIMIT ?1"
        }
        Place::Reasons => {
            "SELECT tenant, receipt, id, reason FROM audit WHERE reason IS NOT NULL AND id > ?2 ORDER BY id LIMIT ?1"
        }
    };
    let key = after.map_or_else(|| before_all(place), key_of);
    let mut values: Vec<&dyn ToSql> = vec![&limit];
    values.extend(key.iter().map(|value| &**value));
    let read = |row: &Row<'_>| row_of(place, row);
    connection.prepare_cached(statement)?.query_and_then(values.as_slice(), read)?.collect()
}

/// What orders a row in its place.
fn key_of(at: &SealedAt) -> Vec<Box<dyn ToSql>> {
    match at {
        SealedAt::Event { tenant, session, occurred_at, id, .. } => vec![
            Box::new(tenant.as_str().to_owned()),
            Box::new(session.as_str().to_owned()),
            Box::new(occurred_at.unix_micros()),
            Box::new(id.as_bytes().to_vec()),
        ],
        SealedAt::Quarantined { receipt, stage } => {
            vec![Box::new(receipt.as_bytes().to_vec()), Box::new(stage.as_str())]
        }
        SealedAt::Secret { number, .. } | SealedAt::Reason { number, .. } => vec![Box::new(*number)],
        SealedAt::Forward { source } => vec![Box::new(source.as_str().to_owned())],
    }
}

/// A key that every row of a place comes after.
fn before_all(place: Place) -> Vec<Box<dyn ToSql>> {
    match place {
        Place::Events => vec![Box::new(""), Box::new(""), Box::new(i64::MIN), Box::new(Vec::<u8>::new())],
        Place::Quarantine => vec![Box::new(Vec::<u8>::new()), Box::new("")],
        Place::Secrets | Place::Reasons => vec![Box::new(i64::MIN)],
        Place::Forwards => vec![Box::new("")],
    }
}

fn row_of(place: Place, row: &Row<'_>) -> Result<SealedRow, Failure> {
    let source = || parsed(row, 0, "a source under seal", |text| SourceId::parse(text).ok());
    let tenant = || parsed(row, 0, "a tenant under seal", |text| TenantId::parse(text).ok());
    let (at, content) = match place {
        Place::Events => {
            let session = parsed(row, 1, "a session under seal", |text| SessionId::parse(text).ok())?;
            let (occurred_at, id, received_at) = (instant(row, 2)?, event_id(row, 3)?, instant(row, 4)?);
            (SealedAt::Event { tenant: tenant()?, session, occurred_at, id, received_at }, row.get(5)?)
        }
        Place::Quarantine => {
            let stage = parsed(row, 1, "a stage", Stage::parse)?;
            (SealedAt::Quarantined { receipt: receipt(row, 0)?, stage }, row.get(2)?)
        }
        Place::Secrets => (SealedAt::Secret { source: source()?, number: row.get(1)? }, row.get(2)?),
        Place::Forwards => (SealedAt::Forward { source: source()? }, row.get::<_, Vec<u8>>(1)?),
        Place::Reasons => {
            let (receipt, number) = (receipt(row, 1)?, row.get(2)?);
            (SealedAt::Reason { tenant: tenant()?, receipt, number }, row.get(3)?)
        }
    };
    Ok(SealedRow { at, content: Bytes::from(content) })
}

fn replace(connection: &Connection, rows: &[Replacement]) -> Result<u64, Failure> {
    let (mut replaced, mut registered) = (0, false);
    for Replacement { at, before, after } in rows {
        let (before, after) = (before.as_ref(), after.as_ref());
        let changed = match at {
            SealedAt::Event { tenant, id, .. } => connection
                .prepare_cached(
                    "UPDATE events SET wire = ?1 WHERE tenant = ?3 AND event_id = ?4 AND wire = ?2",
                )?
                .execute(params![after, before, tenant.as_str(), id.as_bytes().as_slice()])?,
            SealedAt::Quarantined { receipt, stage } => connection
                .prepare_cached(
                    "UPDATE quarantine SET message = ?1 WHERE receipt = ?3 AND stage = ?4 AND message = ?2",
                )?
                .execute(params![after, before, receipt.as_bytes().as_slice(), stage.as_str()])?,
            SealedAt::Secret { number, .. } => connection
                .prepare_cached("UPDATE source_secrets SET sealed = ?1 WHERE id = ?3 AND sealed = ?2")?
                .execute(params![after, before, number])?,
            SealedAt::Forward { source } => connection
                .prepare_cached("UPDATE sources SET forward_to = ?1 WHERE id = ?3 AND forward_to = ?2")?
                .execute(params![after, before, source.as_str()])?,
            SealedAt::Reason { number, .. } => connection
                .prepare_cached("UPDATE audit SET reason = ?1 WHERE id = ?3 AND reason = ?2")?
                .execute(params![after, before, number])?,
        };
        registered |= changed > 0 && matches!(at.place(), Place::Secrets | Place::Forwards);
        replaced += u64::try_from(changed).unwrap_or(u64::MAX);
    }
    if registered {
        // Whoever holds a copy of the registry reads it anew, and keeps nothing of a former key.
        connection.prepare_cached("UPDATE registry SET version = version + 1 WHERE id = 1")?.execute([])?;
    }
    Ok(replaced)
}
