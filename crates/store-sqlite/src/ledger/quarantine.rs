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
use rusqlite::{Connection, Row, params};

use crate::columns::{counted, instant, parsed, receipt};
use crate::failure::Failure;
use crate::ledger::SqliteLedger;
use crate::ledger::record::{Change, Ending, MARK, mark, write_books};

#[async_trait]
impl QuarantineStore for SqliteLedger {
    async fn list(&self, query: &QuarantineQuery) -> Result<Vec<ListedEntry>, LedgerError> {
        let query = query.clone();
        Ok(self.database.read(move |connection| list(connection, &query)).await?)
    }

    async fn load(
        &self,
        tenant: &TenantId,
        entries: &[(ReceiptId, Stage)],
    ) -> Result<Vec<QuarantineEntry>, LedgerError> {
        let (tenant, entries) = (tenant.clone(), entries.to_vec());
        Ok(self.database.read(move |connection| load(connection, &tenant, &entries)).await?)
    }

    async fn causes(&self, tenant: &TenantId, limit: u32) -> Result<Vec<CauseCount>, LedgerError> {
        let tenant = tenant.clone();
        Ok(self.database.read(move |connection| causes(connection, &tenant, limit)).await?)
    }

    async fn show(&self, tenant: &TenantId, receipt: ReceiptId) -> Result<Vec<QuarantineEntry>, LedgerError> {
        let tenant = tenant.clone();
        Ok(self.database.read(move |connection| show(connection, &tenant, receipt)).await?)
    }

    async fn mark_replaying(&self, seen: &QuarantineEntry) -> Result<(), LedgerError> {
        let statement = "UPDATE quarantine
             SET replays = replays + 1,
                 state = CASE WHEN state = 'resolved' OR quarantined_at > ?4 THEN state ELSE 'replaying' END
             WHERE tenant = ?1 AND receipt = ?2 AND stage = ?3";
        Ok(self.update(statement, seen).await?)
    }

    async fn dismiss(
        &self,
        dismissal: Dismissal,
        (tenant, cause): (&TenantId, &Cause),
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, LedgerError> {
        let (tenant, cause) = (tenant.clone(), cause.clone());
        let dismiss =
            move |connection: &Connection| dismiss(connection, dismissal, (&tenant, &cause), before, limit);
        Ok(self.database.write(dismiss).await?)
    }

    async fn resolve(&self, seen: &QuarantineEntry) -> Result<(), LedgerError> {
        let statement = "UPDATE quarantine SET state = 'resolved'
             WHERE tenant = ?1 AND receipt = ?2 AND stage = ?3 AND quarantined_at <= ?4";
        Ok(self.update(statement, seen).await?)
    }
}

impl SqliteLedger {
    async fn update(&self, sql: &'static str, seen: &QuarantineEntry) -> Result<(), Failure> {
        let QuarantineEntry { tenant, receipt, stage, quarantined_at, .. } = seen;
        let (tenant, receipt, stage) = (tenant.clone(), *receipt, *stage);
        let quarantined_at = quarantined_at.unix_micros();
        let update = move |connection: &Connection| {
            connection.prepare_cached(sql)?.execute(params![
                tenant.as_str(),
                receipt.as_bytes().as_slice(),
                stage.as_str(),
                quarantined_at,
            ])?;
            Ok(())
        };
        self.database.write(update).await
    }
}

/// Puts entries in, with the books.
pub(crate) fn put_all(connection: &Connection, entries: &[QuarantineEntry]) -> Result<(), Failure> {
    let mut books: BTreeMap<TenantId, Change> = BTreeMap::new();
    let mut marking = connection.prepare_cached(MARK)?;
    for entry in entries {
        if entry.stage != Stage::Analyse {
            match mark(connection, &mut marking, entry.receipt, Ending::Quarantined, entry.received_at)? {
                None => books.entry(entry.tenant.clone()).or_default().add(Ending::Quarantined, 1),
                Some(Ending::Quarantined) => {}
                // It came home already; this is the echo of an earlier failure.
                Some(Ending::Stored | Ending::Duplicate) => continue,
            }
        }
        put(connection, entry)?;
    }
    write_books(connection, &books)
}

/// Puts an entry in, or renews it if it failed again. One that was put in at the same instant before is the same
/// failure, delivered twice, and changes nothing.
pub(crate) fn put(connection: &Connection, entry: &QuarantineEntry) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "INSERT INTO quarantine (tenant, receipt, stage, source, class, pointer, detail, received_at,
                                     quarantined_at, state, replays, message)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (receipt, stage) DO UPDATE SET
                 class = excluded.class, pointer = excluded.pointer, detail = excluded.detail,
                 quarantined_at = excluded.quarantined_at, state = excluded.state, message = excluded.message
             WHERE tenant = excluded.tenant AND quarantined_at < excluded.quarantined_at",
        )?
        .execute(params![
            entry.tenant.as_str(),
            entry.receipt.as_bytes().as_slice(),
            entry.stage.as_str(),
            entry.source.as_str(),
            entry.reason.class.as_str(),
            entry.reason.pointer,
            entry.reason.detail,
            entry.received_at.unix_micros(),
            entry.quarantined_at.unix_micros(),
            entry.state.as_str(),
            entry.replays,
            entry.message
        ])?;
    Ok(())
}

/// Resolves what a receipt left behind on its way to the ledger. What analytics could not handle stays.
pub(crate) fn bring_home(connection: &Connection, receipt: ReceiptId) -> Result<(), Failure> {
    connection
        .prepare_cached("UPDATE quarantine SET state = 'resolved' WHERE receipt = ?1 AND stage <> ?2")?
        .execute(params![receipt.as_bytes().as_slice(), Stage::Analyse.as_str()])?;
    Ok(())
}

/// Resolves what a receipt left behind at one stage.
pub(crate) fn leave(connection: &Connection, receipt: ReceiptId, stage: Stage) -> Result<(), Failure> {
    connection
        .prepare_cached("UPDATE quarantine SET state = 'resolved' WHERE receipt = ?1 AND stage = ?2")?
        .execute(params![receipt.as_bytes().as_slice(), stage.as_str()])?;
    Ok(())
}

fn load(
    connection: &Connection,
    tenant: &TenantId,
    entries: &[(ReceiptId, Stage)],
) -> Result<Vec<QuarantineEntry>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT tenant, receipt, stage, source, class, pointer, detail, received_at, quarantined_at, state, replays,
                length(message), message
         FROM quarantine WHERE tenant = ?1 AND receipt = ?2 AND stage = ?3",
    )?;
    let mut loaded = Vec::with_capacity(entries.len());
    for (receipt, stage) in entries {
        let key = params![tenant.as_str(), receipt.as_bytes().as_slice(), stage.as_str()];
        for found in statement.query_and_then(key, entry)? {
            loaded.push(found?);
        }
    }
    Ok(loaded)
}

fn list(connection: &Connection, query: &QuarantineQuery) -> Result<Vec<ListedEntry>, Failure> {
    // Later than any entry: the place before the first one.
    let (at, receipt) = query
        .after
        .as_ref()
        .map_or((i64::MAX, [0; 16]), |(at, receipt)| (at.unix_micros(), *receipt.as_bytes()));
    connection
        .prepare_cached(
            "SELECT tenant, receipt, stage, source, class, pointer, detail, received_at, quarantined_at, state,
                    replays, length(message)
             FROM quarantine
             WHERE tenant = ?1 AND (quarantined_at, receipt) < (?2, ?3)
               AND (?4 IS NULL OR class = ?4) AND (?5 IS NULL OR state = ?5)
               AND (?7 IS NULL OR (source = ?7 AND stage = ?8 AND class = ?9 AND pointer IS ?10 AND detail = ?11))
               AND (?12 IS NULL OR source = ?12) AND (?13 IS NULL OR stage = ?13)
               AND (NOT ?14 OR length(message) > 0)
             ORDER BY quarantined_at DESC, receipt DESC, stage LIMIT ?6",
        )?
        .query_and_then(
            params![
                query.tenant.as_str(),
                at,
                receipt.as_slice(),
                query.class.map(ReasonClass::as_str),
                query.state.map(QuarantineState::as_str),
                query.limit,
                query.cause.as_ref().map(|cause| cause.source.as_str()),
                query.cause.as_ref().map(|cause| cause.stage.as_str()),
                query.cause.as_ref().map(|cause| cause.class.as_str()),
                query.cause.as_ref().and_then(|cause| cause.pointer.as_deref()),
                query.cause.as_ref().map(|cause| cause.detail.as_str()),
                query.source.as_ref().map(SourceId::as_str),
                query.stage.map(Stage::as_str),
                query.kept,
            ],
            listed,
        )?
        .collect()
}

fn dismiss(
    connection: &Connection,
    dismissal: Dismissal,
    (tenant, cause): (&TenantId, &Cause),
    before: Timestamp,
    limit: u32,
) -> Result<u64, Failure> {
    let from = dismissal.from();
    let moved = connection
        .prepare_cached(
            "UPDATE quarantine SET state = ?9 WHERE (receipt, stage) IN
                 (SELECT receipt, stage FROM quarantine
                  WHERE tenant = ?1 AND quarantined_at < ?2 AND source = ?3 AND stage = ?4 AND class = ?5
                    AND pointer IS ?6 AND detail = ?7 AND state IN (?8, ?11) LIMIT ?10)",
        )?
        .execute(params![
            tenant.as_str(),
            before.unix_micros(),
            cause.source.as_str(),
            cause.stage.as_str(),
            cause.class.as_str(),
            cause.pointer,
            cause.detail,
            from.first().map(|state| state.as_str()),
            dismissal.to().as_str(),
            limit,
            from.last().map(|state| state.as_str()),
        ])?;
    Ok(u64::try_from(moved).unwrap_or(u64::MAX))
}

fn causes(connection: &Connection, tenant: &TenantId, limit: u32) -> Result<Vec<CauseCount>, Failure> {
    connection
        .prepare_cached(
            "SELECT source, stage, class, pointer, detail, sum(state = 'open'), sum(state = 'replaying'),
                    min(received_at), max(received_at), max(receipt), sum(state = 'dismissed'),
                    sum(length(message) = 0)
             FROM quarantine WHERE tenant = ?1 AND state <> 'resolved'
             GROUP BY source, stage, class, pointer, detail, state = 'dismissed'
             ORDER BY count(*) DESC, source, stage, class, pointer, detail LIMIT ?2",
        )?
        .query_and_then(params![tenant.as_str(), limit], cause_count)?
        .collect()
}

fn cause_count(row: &Row<'_>) -> Result<CauseCount, Failure> {
    Ok(CauseCount {
        cause: Cause {
            source: parsed(row, 0, "a quarantined source", |text| SourceId::parse(text).ok())?,
            stage: parsed(row, 1, "a quarantine's stage", Stage::parse)?,
            class: parsed(row, 2, "a quarantine's class", ReasonClass::parse)?,
            pointer: row.get(3)?,
            detail: row.get(4)?,
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

fn show(
    connection: &Connection,
    tenant: &TenantId,
    receipt: ReceiptId,
) -> Result<Vec<QuarantineEntry>, Failure> {
    connection
        .prepare_cached(
            "SELECT tenant, receipt, stage, source, class, pointer, detail, received_at, quarantined_at, state,
                    replays, length(message), message
             FROM quarantine WHERE tenant = ?1 AND receipt = ?2 ORDER BY quarantined_at",
        )?
        .query_and_then(params![tenant.as_str(), receipt.as_bytes().as_slice()], entry)?
        .collect()
}

fn entry(row: &Row<'_>) -> Result<QuarantineEntry, Failure> {
    Ok(listed(row)?.with(row.get(12)?))
}

fn listed(row: &Row<'_>) -> Result<ListedEntry, Failure> {
    let received_at: Timestamp = instant(row, 7)?;
    Ok(ListedEntry {
        tenant: parsed(row, 0, "a quarantined tenant", |text| TenantId::parse(text).ok())?,
        receipt: receipt(row, 1)?,
        stage: parsed(row, 2, "a quarantine's stage", Stage::parse)?,
        source: parsed(row, 3, "a quarantined source", |text| SourceId::parse(text).ok())?,
        reason: Reason {
            class: parsed(row, 4, "a quarantine's class", ReasonClass::parse)?,
            pointer: row.get(5)?,
            detail: row.get(6)?,
        },
        received_at,
        quarantined_at: instant(row, 8)?,
        state: parsed(row, 9, "a quarantine's state", QuarantineState::parse)?,
        replays: row.get(10)?,
        message_bytes: counted(row, 11)?,
    })
}
