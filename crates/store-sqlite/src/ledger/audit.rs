//! Who opened what was sealed.

use async_trait::async_trait;
use domain::audit::{AuditEntry, Who};
use domain::event::Sealed;
use domain::id::TenantId;
use domain::quarantine::Stage;
use ports::audit::AuditLog;
use ports::ledger::LedgerError;
use rusqlite::{Connection, Row, params};

use crate::columns::{instant, parsed, receipt};
use crate::failure::Failure;
use crate::ledger::SqliteLedger;

#[async_trait]
impl AuditLog for SqliteLedger {
    async fn add_audit(&self, entry: &AuditEntry) -> Result<(), LedgerError> {
        let entry = entry.clone();
        Ok(self.database.write(move |connection| add(connection, &entry)).await?)
    }

    async fn audit(&self, tenant: Option<&TenantId>, limit: u32) -> Result<Vec<AuditEntry>, LedgerError> {
        let tenant = tenant.cloned();
        Ok(self.database.read(move |connection| list(connection, tenant.as_ref(), limit)).await?)
    }
}

fn add(connection: &Connection, entry: &AuditEntry) -> Result<(), Failure> {
    let (who, name) = entry.who.parts();
    connection
        .prepare_cached(
            "INSERT INTO audit (tenant, at, who, name, receipt, stage, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            entry.tenant.as_str(),
            entry.at.unix_micros(),
            who,
            name,
            entry.receipt.as_bytes().as_slice(),
            entry.stage.as_str(),
            entry.reason.as_bytes(),
        ])?;
    Ok(())
}

fn list(connection: &Connection, tenant: Option<&TenantId>, limit: u32) -> Result<Vec<AuditEntry>, Failure> {
    connection
        .prepare_cached(
            "SELECT tenant, at, who, name, receipt, stage, reason FROM audit
             WHERE ?1 IS NULL OR tenant = ?1 ORDER BY id DESC LIMIT ?2",
        )?
        .query_and_then(params![tenant.map(TenantId::as_str), limit], entry)?
        .collect()
}

fn entry(row: &Row<'_>) -> Result<AuditEntry, Failure> {
    let name: String = row.get(3)?;
    Ok(AuditEntry {
        tenant: parsed(row, 0, "an audited tenant", |text| TenantId::parse(text).ok())?,
        at: instant(row, 1)?,
        who: parsed(row, 2, "who opened something", |word| Who::of(word, name))?,
        receipt: receipt(row, 4)?,
        stage: parsed(row, 5, "the stage of what was opened", Stage::parse)?,
        reason: Sealed::from_bytes(row.get(6)?),
    })
}
