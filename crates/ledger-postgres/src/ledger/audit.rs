//! Who opened what was sealed.

use async_trait::async_trait;
use domain::audit::{AuditEntry, Who};
use domain::event::Sealed;
use domain::id::TenantId;
use domain::quarantine::Stage;
use ports::audit::AuditLog;
use ports::ledger::LedgerError;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::columns::{instant, parsed, receipt, text};
use crate::failure::Failure;
use crate::ledger::PostgresLedger;

#[async_trait]
impl AuditLog for PostgresLedger {
    async fn add_audit(&self, entry: &AuditEntry) -> Result<(), LedgerError> {
        let sql = "INSERT INTO audit (tenant, at, who, name, receipt, stage, reason)
             VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let (who, name) = entry.who.parts();
        let add = || {
            sqlx::query(sql)
                .bind(entry.tenant.as_str())
                .bind(entry.at.unix_micros())
                .bind(who)
                .bind(text(name))
                .bind(*entry.receipt.as_bytes())
                .bind(entry.stage.as_str())
                .bind(entry.reason.as_bytes())
        };
        self.database.execute(add).await?;
        Ok(())
    }

    async fn audit(&self, tenant: Option<&TenantId>, limit: u32) -> Result<Vec<AuditEntry>, LedgerError> {
        let sql = "SELECT tenant, at, who, name, receipt, stage, reason FROM audit
             WHERE $1::text IS NULL OR tenant = $1 ORDER BY id DESC LIMIT $2";
        let ask = || sqlx::query(sql).bind(tenant.map(TenantId::as_str)).bind(i64::from(limit));
        let rows = self.database.rows(ask).await?;
        Ok(rows.iter().map(entry).collect::<Result<_, Failure>>()?)
    }
}

fn entry(row: &PgRow) -> Result<AuditEntry, Failure> {
    let name: String = row.try_get(3)?;
    Ok(AuditEntry {
        tenant: parsed(row, 0, "an audited tenant", |text| TenantId::parse(text).ok())?,
        at: instant(row, 1)?,
        who: parsed(row, 2, "who opened something", |word| Who::of(word, name))?,
        receipt: receipt(row, 4)?,
        stage: parsed(row, 5, "the stage of what was opened", Stage::parse)?,
        reason: Sealed::from_bytes(row.try_get(6)?),
    })
}
