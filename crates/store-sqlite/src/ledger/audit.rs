//! Who opened or read what was sealed.

use async_trait::async_trait;
use domain::audit::{About, AuditEntry, Deed, Who};
use domain::event::Sealed;
use domain::id::TenantId;
use domain::timestamp::Timestamp;
use ports::audit::{AboutFilter, AuditLog, AuditQuery, AuditRow};
use ports::ledger::LedgerError;
use rusqlite::{Connection, Row, params};

use crate::columns::{instant, parsed};
use crate::failure::Failure;
use crate::ledger::SqliteLedger;

#[async_trait]
impl AuditLog for SqliteLedger {
    async fn add_audit(&self, entries: &[AuditEntry]) -> Result<(), LedgerError> {
        let entries = entries.to_vec();
        Ok(self.database.write(move |connection| add(connection, &entries)).await?)
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, LedgerError> {
        let query = query.clone();
        Ok(self.database.read(move |connection| list(connection, &query)).await?)
    }
}

fn add(connection: &Connection, entries: &[AuditEntry]) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO audit (tenant, at, who, name, deed, about, what, reason, receipt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for entry in entries {
        let (who, name) = entry.who.parts();
        statement.execute(params![
            entry.tenant.as_str(),
            entry.at.unix_micros(),
            who,
            name,
            entry.deed.as_str(),
            entry.about.as_str(),
            entry.about.id(),
            entry.reason.as_ref().map(Sealed::as_bytes),
            entry.about.receipt().map(|receipt| *receipt.as_bytes()),
        ])?;
    }
    Ok(())
}

/// The listing with this first condition. Each has a statement of its own: with one for all of them the table would be
/// walked from its end for a tenant of whom there is little.
macro_rules! listing {
    ($condition:literal) => {
        concat!(
            "SELECT tenant, at, who, name, deed, about, what, reason, id FROM audit WHERE ",
            $condition,
            " AND (?2 IS NULL OR deed = ?2) AND (?3 IS NULL OR about = ?3)
              AND (?4 IS NULL OR what IN (SELECT value FROM json_each(?4)))
              AND at >= ?5 AND at < ?6 AND id < ?7 ORDER BY id DESC LIMIT ?8"
        )
    };
}

fn list(connection: &Connection, query: &AuditQuery) -> Result<Vec<AuditRow>, Failure> {
    let AuditQuery { tenant, deed, about, from, until, before, limit } = query;
    let ids = about.as_ref().and_then(AboutFilter::ids);
    let statement = match (tenant, deed, about, &ids) {
        (None, ..) => listing!("?1 IS NULL"),
        (Some(_), _, Some(_), Some(_)) => {
            listing!("tenant = ?1 AND about = ?3 AND what IN (SELECT value FROM json_each(?4))")
        }
        (Some(_), _, Some(_), None) => listing!("tenant = ?1 AND about = ?3"),
        (Some(_), Some(_), None, _) => listing!("tenant = ?1 AND deed = ?2"),
        (Some(_), None, None, _) => listing!("tenant = ?1"),
    };
    let ids = ids.map(|ids| serde_json::Value::from(ids).to_string());
    connection
        .prepare_cached(statement)?
        .query_and_then(
            params![
                tenant.as_ref().map(TenantId::as_str),
                deed.map(Deed::as_str),
                about.as_ref().map(AboutFilter::word),
                ids,
                from.map_or(i64::MIN, Timestamp::unix_micros),
                until.map_or(i64::MAX, Timestamp::unix_micros),
                before.unwrap_or(i64::MAX),
                limit,
            ],
            |row| Ok(AuditRow { number: row.get(8)?, entry: entry(row)? }),
        )?
        .collect()
}

fn entry(row: &Row<'_>) -> Result<AuditEntry, Failure> {
    let (name, about): (String, String) = (row.get(3)?, row.get(5)?);
    Ok(AuditEntry {
        tenant: parsed(row, 0, "an audited tenant", |text| TenantId::parse(text).ok())?,
        at: instant(row, 1)?,
        who: parsed(row, 2, "who did something", |word| Who::of(word, name))?,
        deed: parsed(row, 4, "what was done", Deed::parse)?,
        about: parsed(row, 6, "what something was done with", |id| About::of(&about, id))?,
        reason: row.get::<_, Option<Vec<u8>>>(7)?.map(Sealed::from_bytes),
    })
}
