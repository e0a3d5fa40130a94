//! Everything under seal, row by row.

use async_trait::async_trait;
use bytes::Bytes;
use domain::id::{SessionId, SourceId, TenantId};
use domain::quarantine::Stage;
use ports::ledger::LedgerError;
use ports::seals::{Place, Replacement, SealedAt, SealedRow, SealedStore};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::columns::{counted, event_id, instant, parsed, receipt};
use crate::database::{Statement, Work};
use crate::failure::Failure;
use crate::ledger::PostgresLedger;

/// In the order of the index that events are found by; each day's partition has it.
const EVENTS: &str = "SELECT tenant, session, occurred_at, event_id, received_at, wire FROM events
     WHERE (session, tenant, occurred_at, event_id) > ($2, $3, $4, $5)
     ORDER BY session, tenant, occurred_at, event_id LIMIT $1";

/// One at a time: with the instant of receipt given, it is looked for in one partition, by its index.
const EVENT: &str = "UPDATE events SET wire = $1
     WHERE received_at = $3 AND session = $4 AND tenant = $5 AND occurred_at = $6 AND event_id = $7 AND wire = $2";

#[async_trait]
impl SealedStore for PostgresLedger {
    async fn count_sealed(&self, place: Place) -> Result<u64, LedgerError> {
        let sql = match place {
            Place::Events => "SELECT count(*) FROM events",
            Place::Quarantine => "SELECT count(*) FROM quarantine WHERE octet_length(message) > 0",
            Place::Secrets => "SELECT count(*) FROM source_secrets",
            Place::Forwards => "SELECT count(*) FROM sources WHERE forward_to IS NOT NULL",
            Place::Reasons => "SELECT count(*) FROM audit WHERE reason IS NOT NULL",
        };
        let rows = self.database.rows(|| sqlx::query(sql)).await?;
        Ok(rows.first().map_or(Ok(0), |row| counted(row, 0))?)
    }

    async fn sealed(
        &self,
        place: Place,
        after: Option<&SealedAt>,
        limit: u32,
    ) -> Result<Vec<SealedRow>, LedgerError> {
        let rows = self.database.rows(|| page(place, after, i64::from(limit))).await?;
        Ok(rows.iter().map(|row| row_of(place, row)).collect::<Result<_, Failure>>()?)
    }

    async fn replace_sealed(&self, rows: &[Replacement]) -> Result<u64, LedgerError> {
        Ok(self.database.transaction(&Replace(rows)).await?)
    }
}

/// Each place in the order of an index it has.
fn page(place: Place, after: Option<&SealedAt>, limit: i64) -> Statement<'_> {
    let number = match after {
        Some(SealedAt::Secret { number, .. } | SealedAt::Reason { number, .. }) => *number,
        _ => i64::MIN,
    };
    match (place, after) {
        (Place::Events, Some(SealedAt::Event { tenant, session, occurred_at, id, .. })) => {
            sqlx::query(EVENTS)
                .bind(limit)
                .bind(session.as_str())
                .bind(tenant.as_str())
                .bind(occurred_at.unix_micros())
                .bind(*id.as_bytes())
        }
        // Before every session.
        (Place::Events, _) => sqlx::query(EVENTS).bind(limit).bind("").bind("").bind(0_i64).bind([0_u8; 16]),
        (Place::Quarantine, after) => {
            let (receipt, stage) = match after {
                Some(SealedAt::Quarantined { receipt, stage }) => (*receipt.as_bytes(), stage.as_str()),
                _ => ([0; 16], ""),
            };
            let sql = "SELECT receipt, stage, message FROM quarantine
                 WHERE (receipt, stage) > ($2, $3) AND octet_length(message) > 0
                 ORDER BY receipt, stage LIMIT $1";
            sqlx::query(sql).bind(limit).bind(receipt).bind(stage)
        }
        (Place::Secrets, _) => {
            let sql = "SELECT source, id, sealed FROM source_secrets WHERE id > $2 ORDER BY id LIMIT $1";
            sqlx::query(sql).bind(limit).bind(number)
        }
        (Place::Forwards, after) => {
            let source = match after {
                Some(SealedAt::Forward { source }) => source.as_str(),
                _ => "",
            };
            let sql = "SELECT id, forward_to FROM sources
                 WHERE forward_to IS NOT NULL AND id > $2 ORDER BY id LIMIT $1";
            sqlx::query(sql).bind(limit).bind(source)
        }
        (Place::Reasons, _) => {
            let sql = "SELECT tenant, receipt, id, reason FROM audit
                 WHERE reason IS NOT NULL AND id > $2 ORDER BY id LIMIT $1";
            sqlx::query(sql).bind(limit).bind(number)
        }
    }
}

fn row_of(place: Place, row: &PgRow) -> Result<SealedRow, Failure> {
    let source = || parsed(row, 0, "a source under seal", |text| SourceId::parse(text).ok());
    let tenant = || parsed(row, 0, "a tenant under seal", |text| TenantId::parse(text).ok());
    let (at, content): (_, Vec<u8>) = match place {
        Place::Events => {
            let session = parsed(row, 1, "a session under seal", |text| SessionId::parse(text).ok())?;
            let (occurred_at, id, received_at) = (instant(row, 2)?, event_id(row, 3)?, instant(row, 4)?);
            (SealedAt::Event { tenant: tenant()?, session, occurred_at, id, received_at }, row.try_get(5)?)
        }
        Place::Quarantine => {
            let stage = parsed(row, 1, "a stage", Stage::parse)?;
            (SealedAt::Quarantined { receipt: receipt(row, 0)?, stage }, row.try_get(2)?)
        }
        Place::Secrets => (SealedAt::Secret { source: source()?, number: row.try_get(1)? }, row.try_get(2)?),
        Place::Forwards => (SealedAt::Forward { source: source()? }, row.try_get(1)?),
        Place::Reasons => {
            let (receipt, number) = (receipt(row, 1)?, row.try_get(2)?);
            (SealedAt::Reason { tenant: tenant()?, receipt, number }, row.try_get(3)?)
        }
    };
    Ok(SealedRow { at, content: Bytes::from(content) })
}

struct Replace<'a>(&'a [Replacement]);

impl Work for Replace<'_> {
    type Output = u64;

    async fn run(&self, connection: &mut PgConnection) -> Result<u64, Failure> {
        let is_registered = |row: &Replacement| matches!(row.at.place(), Place::Secrets | Place::Forwards);
        if self.0.iter().any(is_registered) {
            // As every change of the registry does. Whoever holds a copy of it reads it anew, and keeps nothing of a
            // former key.
            sqlx::query("UPDATE registry SET version = version + 1 WHERE id = 1")
                .execute(&mut *connection)
                .await?;
        }
        let mut replaced = 0;
        for row in self.0 {
            replaced += replacement(row).execute(&mut *connection).await?.rows_affected();
        }
        Ok(replaced)
    }
}

fn replacement(row: &Replacement) -> Statement<'_> {
    let Replacement { at, before, after } = row;
    let sql = match at {
        SealedAt::Event { .. } => EVENT,
        SealedAt::Quarantined { .. } => {
            "UPDATE quarantine SET message = $1 WHERE receipt = $3 AND stage = $4 AND message = $2"
        }
        SealedAt::Secret { .. } => "UPDATE source_secrets SET sealed = $1 WHERE id = $3 AND sealed = $2",
        SealedAt::Forward { .. } => "UPDATE sources SET forward_to = $1 WHERE id = $3 AND forward_to = $2",
        SealedAt::Reason { .. } => "UPDATE audit SET reason = $1 WHERE id = $3 AND reason = $2",
    };
    let statement = sqlx::query(sql).bind(after.as_ref()).bind(before.as_ref());
    match at {
        SealedAt::Event { tenant, session, occurred_at, id, received_at } => statement
            .bind(received_at.unix_micros())
            .bind(session.as_str())
            .bind(tenant.as_str())
            .bind(occurred_at.unix_micros())
            .bind(*id.as_bytes()),
        SealedAt::Quarantined { receipt, stage } => statement.bind(*receipt.as_bytes()).bind(stage.as_str()),
        SealedAt::Secret { number, .. } | SealedAt::Reason { number, .. } => statement.bind(*number),
        SealedAt::Forward { source } => statement.bind(source.as_str()),
    }
}
