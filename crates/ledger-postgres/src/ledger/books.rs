//! The books: how the receipts of a tenant ended.

use std::collections::BTreeMap;

use domain::id::TenantId;
use sqlx::PgConnection;

use crate::failure::Failure;
use crate::ledger::receipts::Ending;

/// What changes in the books, by tenant.
#[derive(Default)]
pub(super) struct Changes<'a>(BTreeMap<&'a TenantId, [i64; 3]>);

impl<'a> Changes<'a> {
    pub(super) fn add(&mut self, tenant: &'a TenantId, ending: Ending, receipts: i64) {
        let column = match ending {
            Ending::Stored => 0,
            Ending::Duplicate => 1,
            Ending::Quarantined => 2,
        };
        self.0.entry(tenant).or_default()[column] += receipts;
    }

    /// The last statement of a transaction: whoever records for the same tenant waits from here to the commit.
    pub(super) async fn write(self, connection: &mut PgConnection) -> Result<(), Failure> {
        if self.0.is_empty() {
            return Ok(());
        }
        let column = |index: usize| self.0.values().map(|changes| changes[index]).collect::<Vec<_>>();
        sqlx::query(
            "INSERT INTO books AS b (tenant, stored, duplicate, quarantined)
             SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])
             ON CONFLICT (tenant) DO UPDATE SET stored = b.stored + excluded.stored,
                                                duplicate = b.duplicate + excluded.duplicate,
                                                quarantined = b.quarantined + excluded.quarantined",
        )
        .bind(self.0.keys().map(|tenant| tenant.as_str()).collect::<Vec<_>>())
        .bind(column(0))
        .bind(column(1))
        .bind(column(2))
        .execute(connection)
        .await?;
        Ok(())
    }
}
