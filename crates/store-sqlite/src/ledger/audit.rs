//! Who opened or read what was sealed.

use async_trait::async_trait;
use domain::audit::{About, AuditEntry, Deed, Who};
use domain::event::Sealed;
use domain::id::TenantId;
use ports::audit::{AuditLog, AuditQuery};
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

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, LedgerError> {
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

fn list(connection: &Connection, query: &AuditQuery) -> Result<Vec<AuditEntry>, Failure> {
    let AuditQuery { tenant, deed, limit } = query;
    connection
        .prepare_cached(
            "SELECT tenant, at, who, name, deed, about, what, reason FROM audit
             WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR deed = ?2) ORDER BY id DESC LIMIT ?3",
        )?
        .query_and_then(params![tenant.as_ref().map(TenantId::as_str), deed.map(Deed::as_str), limit], entry)?
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
