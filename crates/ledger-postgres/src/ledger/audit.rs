//! Who opened or read what was sealed.

use async_trait::async_trait;
use domain::audit::{About, AuditEntry, Deed, Who};
use domain::event::Sealed;
use domain::id::TenantId;
use ports::audit::{AuditLog, AuditQuery};
use ports::ledger::LedgerError;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::columns::{instant, parsed, text};
use crate::failure::Failure;
use crate::ledger::PostgresLedger;

#[async_trait]
impl AuditLog for PostgresLedger {
    async fn add_audit(&self, entries: &[AuditEntry]) -> Result<(), LedgerError> {
        let sql = "INSERT INTO audit (tenant, at, who, name, deed, about, what, reason, receipt)
             SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                                  $8::bytea[], $9::bytea[])";
        let add = || {
            sqlx::query(sql)
                .bind(entries.iter().map(|entry| entry.tenant.as_str()).collect::<Vec<_>>())
                .bind(entries.iter().map(|entry| entry.at.unix_micros()).collect::<Vec<_>>())
                .bind(entries.iter().map(|entry| entry.who.parts().0).collect::<Vec<_>>())
                .bind(entries.iter().map(|entry| text(entry.who.parts().1)).collect::<Vec<_>>())
                .bind(entries.iter().map(|entry| entry.deed.as_str()).collect::<Vec<_>>())
                .bind(entries.iter().map(|entry| entry.about.as_str()).collect::<Vec<_>>())
                .bind(entries.iter().map(|entry| text(&entry.about.id())).collect::<Vec<_>>())
                .bind(
                    entries
                        .iter()
                        .map(|entry| entry.reason.as_ref().map(Sealed::as_bytes))
                        .collect::<Vec<_>>(),
                )
                .bind(
                    entries
                        .iter()
                        .map(|entry| entry.about.receipt().map(|receipt| *receipt.as_bytes()))
                        .collect::<Vec<_>>(),
                )
        };
        self.database.execute(add).await?;
        Ok(())
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, LedgerError> {
        // Rows of the release before have a receipt and a stage, and no id.
        let sql = "SELECT tenant, at, who, name, deed, about,
                 coalesce(what, encode(receipt, 'hex')::uuid::text || ' ' || stage), reason FROM audit
             WHERE ($1::text IS NULL OR tenant = $1) AND ($2::text IS NULL OR deed = $2) ORDER BY id DESC LIMIT $3";
        let AuditQuery { tenant, deed, limit } = query;
        let ask = || {
            sqlx::query(sql)
                .bind(tenant.as_ref().map(TenantId::as_str))
                .bind(deed.map(Deed::as_str))
                .bind(i64::from(*limit))
        };
        let rows = self.database.rows(ask).await?;
        Ok(rows.iter().map(entry).collect::<Result<_, Failure>>()?)
    }
}

fn entry(row: &PgRow) -> Result<AuditEntry, Failure> {
    let (name, about): (String, String) = (row.try_get(3)?, row.try_get(5)?);
    Ok(AuditEntry {
        tenant: parsed(row, 0, "an audited tenant", |text| TenantId::parse(text).ok())?,
        at: instant(row, 1)?,
        who: parsed(row, 2, "who did something", |word| Who::of(word, name))?,
        deed: parsed(row, 4, "what was done", Deed::parse)?,
        about: parsed(row, 6, "what something was done with", |id| About::of(&about, id))?,
        reason: row.try_get::<Option<Vec<u8>>, _>(7)?.map(Sealed::from_bytes),
    })
}
