//! Who opened or read what was sealed.

use async_trait::async_trait;
use domain::audit::{About, AuditEntry, Deed, Who};
use domain::event::Sealed;
use domain::id::TenantId;
use domain::timestamp::Timestamp;
use ports::audit::{AboutFilter, AuditLog, AuditQuery, AuditRow};
use ports::ledger::LedgerError;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::columns::{instant, parsed, text};
use crate::failure::Failure;
use crate::ledger::PostgresLedger;

/// The listing with this first condition. Each has a statement of its own: with one for all of them the table would be
/// walked from its end for a tenant of whom there is little. Rows of the release before have a receipt and a stage, and no id.
macro_rules! listing {
    ($condition:literal) => {
        concat!(
            "SELECT tenant, at, who, name, deed, about,
                 coalesce(what, encode(receipt, 'hex')::uuid::text || ' ' || stage), reason, id FROM audit WHERE ",
            $condition,
            " AND ($2::text IS NULL OR deed = $2) AND ($3::text IS NULL OR about = $3)
              AND ($4::text[] IS NULL
                   OR coalesce(what, encode(receipt, 'hex')::uuid::text || ' ' || stage) = ANY($4))
              AND at >= $5 AND at < $6 AND id < $7 ORDER BY id DESC LIMIT $8"
        )
    };
}

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

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, LedgerError> {
        let AuditQuery { tenant, deed, about, from, until, before, limit } = query;
        let ids = about.as_ref().and_then(AboutFilter::ids);
        let sql = match (tenant, deed, about, &ids) {
            (None, ..) => listing!("$1::text IS NULL"),
            (Some(_), _, Some(_), Some(_)) => listing!(
                "tenant = $1 AND about = $3
                 AND (what = ANY($4) OR what IS NULL AND encode(receipt, 'hex')::uuid::text || ' ' || stage = ANY($4))"
            ),
            (Some(_), _, Some(_), None) => listing!("tenant = $1 AND about = $3"),
            (Some(_), Some(_), None, _) => listing!("tenant = $1 AND deed = $2"),
            (Some(_), None, None, _) => listing!("tenant = $1"),
        };
        let ask = || {
            sqlx::query(sql)
                .bind(tenant.as_ref().map(TenantId::as_str))
                .bind(deed.map(Deed::as_str))
                .bind(about.as_ref().map(|about| about.word().to_owned()))
                .bind(ids.clone())
                .bind(from.map_or(i64::MIN, Timestamp::unix_micros))
                .bind(until.map_or(i64::MAX, Timestamp::unix_micros))
                .bind(before.unwrap_or(i64::MAX))
                .bind(i64::from(*limit))
        };
        let rows = self.database.rows(ask).await?;
        let row = |row: &PgRow| Ok(AuditRow { number: row.try_get(8)?, entry: entry(row)? });
        Ok(rows.iter().map(row).collect::<Result<_, Failure>>()?)
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
