//! The quarantine: putting in, looking at, sending through again.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::id::{ReceiptId, SourceId, TenantId};
use domain::quarantine::{
    Cause, CauseCount, Dismissal, ListedEntry, QuarantineEntry, QuarantineState, Reason, ReasonClass, Stage,
};
use domain::timestamp::Timestamp;
use ports::ledger::LedgerError;
use ports::quarantine::{QuarantineQuery, QuarantineStore};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::columns::{counted, instant, parsed, receipt, small, text};
use crate::database::Work;
use crate::failure::Failure;
use crate::ledger::books::Changes;
use crate::ledger::receipts::{self, Ending};
use crate::ledger::{PostgresLedger, rounds};

/// The columns but the message, in the order [`listed`] takes them.
macro_rules! columns {
    () => {
        "tenant, receipt, stage, source, class, pointer, detail, received_at, quarantined_at, state, replays"
    };
}

#[async_trait]
impl QuarantineStore for PostgresLedger {
    async fn list(&self, query: &QuarantineQuery) -> Result<Vec<ListedEntry>, LedgerError> {
        // Later than any entry: the place before the first one.
        let (at, receipt) = query
            .after
            .as_ref()
            .map_or((i64::MAX, [0; 16]), |(at, receipt)| (at.unix_micros(), *receipt.as_bytes()));
        let sql = concat!(
            "SELECT ",
            columns!(),
            ", octet_length(message)::bigint FROM quarantine
             WHERE tenant = $1 AND (quarantined_at, receipt) < ($2, $3)
               AND ($4::text IS NULL OR class = $4) AND ($5::text IS NULL OR state = $5)
               AND ($7::text IS NULL OR (source = $7 AND stage = $8 AND class = $9
                    AND pointer IS NOT DISTINCT FROM $10 AND detail = $11))
               AND ($12::text IS NULL OR source = $12) AND ($13::text IS NULL OR stage = $13)
               AND (NOT $14 OR octet_length(message) > 0)
             ORDER BY quarantined_at DESC, receipt DESC, stage LIMIT $6"
        );
        let ask = || {
            sqlx::query(sql)
                .bind(query.tenant.as_str())
                .bind(at)
                .bind(receipt)
                .bind(query.class.map(ReasonClass::as_str))
                .bind(query.state.map(QuarantineState::as_str))
                .bind(i64::from(query.limit))
                .bind(query.cause.as_ref().map(|cause| cause.source.as_str()))
                .bind(query.cause.as_ref().map(|cause| cause.stage.as_str()))
                .bind(query.cause.as_ref().map(|cause| cause.class.as_str()))
                .bind(query.cause.as_ref().and_then(|cause| cause.pointer.as_deref()))
                .bind(query.cause.as_ref().map(|cause| cause.detail.as_str()))
                .bind(query.source.as_ref().map(SourceId::as_str))
                .bind(query.stage.map(Stage::as_str))
                .bind(query.kept)
        };
        let rows = self.database.rows(ask).await?;
        Ok(rows.iter().map(listed).collect::<Result<_, Failure>>()?)
    }

    async fn load(
        &self,
        tenant: &TenantId,
        entries: &[(ReceiptId, Stage)],
    ) -> Result<Vec<QuarantineEntry>, LedgerError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            ", octet_length(message)::bigint, message FROM quarantine
             WHERE tenant = $1 AND (receipt, stage) IN (SELECT * FROM unnest($2::bytea[], $3::text[]))"
        );
        let ask = || {
            sqlx::query(sql)
                .bind(tenant.as_str())
                .bind(entries.iter().map(|(receipt, _)| *receipt.as_bytes()).collect::<Vec<_>>())
                .bind(entries.iter().map(|(_, stage)| stage.as_str()).collect::<Vec<_>>())
        };
        Ok(whole(&self.database.rows(ask).await?)?)
    }

    async fn causes(&self, tenant: &TenantId, limit: u32) -> Result<Vec<CauseCount>, LedgerError> {
        let sql = "SELECT source, stage, class, pointer, detail, count(*) FILTER (WHERE state = 'open'),
                 count(*) FILTER (WHERE state = 'replaying'), min(received_at), max(received_at),
                 decode(max(encode(receipt, 'hex')), 'hex'), count(*) FILTER (WHERE state = 'dismissed'),
                 count(*) FILTER (WHERE octet_length(message) = 0)
             FROM quarantine WHERE tenant = $1 AND state <> 'resolved'
             GROUP BY source, stage, class, pointer, detail, state = 'dismissed'
             ORDER BY count(*) DESC, source, stage, class, pointer, detail LIMIT $2";
        let ask = || sqlx::query(sql).bind(tenant.as_str()).bind(i64::from(limit));
        let rows = self.database.rows(ask).await?;
        Ok(rows.iter().map(cause_count).collect::<Result<_, Failure>>()?)
    }

    async fn show(&self, tenant: &TenantId, receipt: ReceiptId) -> Result<Vec<QuarantineEntry>, LedgerError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            ", octet_length(message)::bigint, message
             FROM quarantine WHERE tenant = $1 AND receipt = $2 ORDER BY quarantined_at, stage"
        );
        let ask = || sqlx::query(sql).bind(tenant.as_str()).bind(*receipt.as_bytes());
        Ok(whole(&self.database.rows(ask).await?)?)
    }

    async fn mark_replaying(&self, seen: &QuarantineEntry) -> Result<(), LedgerError> {
        let statement = "UPDATE quarantine
             SET replays = replays + 1,
                 state = CASE WHEN state = 'resolved' OR quarantined_at > $4 THEN state ELSE 'replaying' END
             WHERE tenant = $1 AND receipt = $2 AND stage = $3";
        Ok(self.update(statement, seen).await?)
    }

    async fn dismiss(
        &self,
        dismissal: Dismissal,
        (tenant, cause): (&TenantId, &Cause),
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, LedgerError> {
        // The state is asked for once more, of the row as it is when its turn comes.
        let sql = "UPDATE quarantine SET state = $9 WHERE state = ANY($8) AND (receipt, stage) IN
                 (SELECT receipt, stage FROM quarantine
                  WHERE tenant = $1 AND quarantined_at < $2 AND source = $3 AND stage = $4 AND class = $5
                    AND pointer IS NOT DISTINCT FROM $6 AND detail = $7 AND state = ANY($8) LIMIT $10)";
        let change = || {
            sqlx::query(sql)
                .bind(tenant.as_str())
                .bind(before.unix_micros())
                .bind(cause.source.as_str())
                .bind(cause.stage.as_str())
                .bind(cause.class.as_str())
                .bind(cause.pointer.as_deref())
                .bind(cause.detail.as_str())
                .bind(dismissal.from().iter().map(|state| state.as_str()).collect::<Vec<_>>())
                .bind(dismissal.to().as_str())
                .bind(i64::from(limit))
        };
        Ok(self.database.execute(change).await?)
    }

    async fn resolve(&self, seen: &QuarantineEntry) -> Result<(), LedgerError> {
        let statement = "UPDATE quarantine SET state = 'resolved'
             WHERE tenant = $1 AND receipt = $2 AND stage = $3 AND quarantined_at <= $4";
        Ok(self.update(statement, seen).await?)
    }
}

impl PostgresLedger {
    async fn update(&self, sql: &'static str, seen: &QuarantineEntry) -> Result<(), Failure> {
        let change = || {
            sqlx::query(sql)
                .bind(seen.tenant.as_str())
                .bind(*seen.receipt.as_bytes())
                .bind(seen.stage.as_str())
                .bind(seen.quarantined_at.unix_micros())
        };
        self.database.execute(change).await?;
        Ok(())
    }
}

/// Putting entries in, with the books.
pub(super) struct PutAll<'a> {
    pub(super) entries: &'a [QuarantineEntry],
}

impl Work for PutAll<'_> {
    type Output = ();

    async fn run(&self, connection: &mut PgConnection) -> Result<(), Failure> {
        let mut of_the_books = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.stage != Stage::Analyse) {
            of_the_books.entry(entry.receipt).or_insert(entry);
        }
        let marks: Vec<_> =
            of_the_books.iter().map(|(receipt, entry)| (*receipt, entry.received_at)).collect();
        let before = receipts::mark(connection, &marks, Ending::Quarantined).await?;
        let mut books = Changes::default();
        for (receipt, entry) in &of_the_books {
            if !before.contains_key(receipt) {
                books.add(&entry.tenant, Ending::Quarantined, 1);
            }
        }
        // What came home already is not put in: it is the echo of an earlier failure.
        let waits = |entry: &&QuarantineEntry| {
            entry.stage == Stage::Analyse
                || matches!(before.get(&entry.receipt), None | Some(Ending::Quarantined))
        };
        for round in rounds(self.entries.iter().filter(waits), |entry| (entry.receipt, entry.stage)) {
            put(connection, &round).await?;
        }
        books.write(connection).await
    }
}

/// Puts entries in, none of them twice, or renews them if they failed again. One that was put in at the same instant
/// before is the same failure, delivered twice, and changes nothing.
pub(super) async fn put(connection: &mut PgConnection, entries: &[&QuarantineEntry]) -> Result<(), Failure> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut entries = entries.to_vec();
    entries.sort_unstable_by_key(|entry| (entry.receipt, entry.stage.as_str()));
    let reasons = || entries.iter().map(|entry| &entry.reason);
    sqlx::query(concat!(
        "INSERT INTO quarantine AS q (",
        columns!(),
        ", message) SELECT * FROM unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                                $8::bigint[], $9::bigint[], $10::text[], $11::bigint[], $12::bytea[])
         ON CONFLICT (receipt, stage) DO UPDATE SET
             class = excluded.class, pointer = excluded.pointer, detail = excluded.detail,
             quarantined_at = excluded.quarantined_at, state = excluded.state, message = excluded.message
         WHERE q.tenant = excluded.tenant AND q.quarantined_at < excluded.quarantined_at"
    ))
    .bind(entries.iter().map(|entry| entry.tenant.as_str()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| *entry.receipt.as_bytes()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.stage.as_str()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.source.as_str()).collect::<Vec<_>>())
    .bind(reasons().map(|reason| reason.class.as_str()).collect::<Vec<_>>())
    .bind(reasons().map(|reason| reason.pointer.as_deref().map(text)).collect::<Vec<_>>())
    .bind(reasons().map(|reason| text(&reason.detail)).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.received_at.unix_micros()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.quarantined_at.unix_micros()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.state.as_str()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| i64::from(entry.replays)).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| &entry.message[..]).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Resolves what receipts left behind on their way to the ledger. What analytics could not handle stays, and so does
/// at the ledger what contradicts it still.
pub(super) async fn bring_home(
    connection: &mut PgConnection,
    receipts: &[ReceiptId],
    contradicting: &[ReceiptId],
) -> Result<(), Failure> {
    if receipts.is_empty() {
        return Ok(());
    }
    let bytes = |ids: &[ReceiptId]| ids.iter().map(|id| *id.as_bytes()).collect::<Vec<_>>();
    sqlx::query(
        "UPDATE quarantine SET state = 'resolved'
         WHERE receipt = ANY($1) AND stage <> 'analyse' AND NOT (stage = 'record' AND receipt = ANY($2))",
    )
    .bind(bytes(receipts))
    .bind(bytes(contradicting))
    .execute(connection)
    .await?;
    Ok(())
}

fn cause_count(row: &PgRow) -> Result<CauseCount, Failure> {
    Ok(CauseCount {
        cause: Cause {
            source: parsed(row, 0, "a quarantined source", |text| SourceId::parse(text).ok())?,
            stage: parsed(row, 1, "a quarantine's stage", Stage::parse)?,
            class: parsed(row, 2, "a quarantine's class", ReasonClass::parse)?,
            pointer: row.try_get(3)?,
            detail: row.try_get(4)?,
        },
        open: counted(row, 5)?,
        replaying: counted(row, 6)?,
        dismissed: counted(row, 10)?,
        expired: counted(row, 11)?,
        first_at: instant(row, 7)?,
        last_at: instant(row, 8)?,
        example: receipt(row, 9)?,
    })
}

fn whole(rows: &[PgRow]) -> Result<Vec<QuarantineEntry>, Failure> {
    rows.iter().map(|row| Ok(listed(row)?.with(row.try_get(12)?))).collect()
}

fn listed(row: &PgRow) -> Result<ListedEntry, Failure> {
    let received_at: Timestamp = instant(row, 7)?;
    Ok(ListedEntry {
        tenant: parsed(row, 0, "a quarantined tenant", |text| TenantId::parse(text).ok())?,
        receipt: receipt(row, 1)?,
        stage: parsed(row, 2, "a quarantine's stage", Stage::parse)?,
        source: parsed(row, 3, "a quarantined source", |text| SourceId::parse(text).ok())?,
        reason: Reason {
            class: parsed(row, 4, "a quarantine's class", ReasonClass::parse)?,
            pointer: row.try_get(5)?,
            detail: row.try_get(6)?,
        },
        received_at,
        quarantined_at: instant(row, 8)?,
        state: parsed(row, 9, "a quarantine's state", QuarantineState::parse)?,
        replays: small(row, 10, "how often it was replayed")?,
        message_bytes: counted(row, 11)?,
    })
}
