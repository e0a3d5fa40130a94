//! The marks of receipts: how each ended.

use std::collections::{BTreeMap, BTreeSet};

use domain::id::ReceiptId;
use domain::timestamp::Timestamp;
use ports::ledger::Recorded;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::columns::receipt;
use crate::failure::Failure;

/// How a receipt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Stored,
    Duplicate,
    Quarantined,
}

impl Ending {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Duplicate => "duplicate",
            Self::Quarantined => "quarantined",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Stored, Self::Duplicate, Self::Quarantined].into_iter().find(|ending| ending.as_str() == word)
    }

    pub(super) const fn of(verdict: Recorded) -> Option<Self> {
        match verdict {
            Recorded::Stored => Some(Self::Stored),
            Recorded::Duplicate => Some(Self::Duplicate),
            Recorded::Conflict => Some(Self::Quarantined),
            Recorded::Already => None,
        }
    }
}

/// Marks receipts, which are sorted and none of them twice, with an ending unless they have one; returns those they
/// had. One that is in quarantine, and so may yet change, is locked until the transaction ends, as are the new ones.
pub(super) async fn mark(
    connection: &mut PgConnection,
    receipts: &[(ReceiptId, Timestamp)],
    ending: Ending,
) -> Result<BTreeMap<ReceiptId, Ending>, Failure> {
    if receipts.is_empty() {
        return Ok(BTreeMap::new());
    }
    let added = sqlx::query(
        "INSERT INTO receipts (receipt, received_at, outcome)
         SELECT unnest($1::bytea[]), unnest($2::bigint[]), $3
         ON CONFLICT (receipt) DO NOTHING RETURNING receipt",
    )
    .bind(receipts.iter().map(|(receipt, _)| *receipt.as_bytes()).collect::<Vec<_>>())
    .bind(receipts.iter().map(|(_, at)| at.unix_micros()).collect::<Vec<_>>())
    .bind(ending.as_str())
    .fetch_all(&mut *connection)
    .await?;
    if added.len() == receipts.len() {
        return Ok(BTreeMap::new());
    }
    let added: BTreeSet<ReceiptId> =
        added.iter().map(|row| receipt(row, 0)).collect::<Result<_, Failure>>()?;
    let known: Vec<ReceiptId> =
        receipts.iter().map(|(known, _)| *known).filter(|known| !added.contains(known)).collect();
    let mut endings =
        look_up(connection, "SELECT receipt, outcome FROM receipts WHERE receipt = ANY($1)", &known).await?;
    let waiting: Vec<ReceiptId> =
        endings.iter().filter(|(_, ending)| **ending == Ending::Quarantined).map(|(id, _)| *id).collect();
    if !waiting.is_empty() {
        // Looked at again under the lock: a replay may have come home just now.
        let lock =
            "SELECT receipt, outcome FROM receipts WHERE receipt = ANY($1) ORDER BY receipt FOR UPDATE";
        endings.extend(look_up(connection, lock, &waiting).await?);
    }
    if endings.len() == known.len() { Ok(endings) } else { Err(Failure::Swept) }
}

/// Marks receipts, which are sorted, with an ending. One that has one is [`Failure::AlreadyThere`].
pub(super) async fn add(
    connection: &mut PgConnection,
    receipts: &[(ReceiptId, Timestamp)],
    ending: Ending,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO receipts (receipt, received_at, outcome)
         SELECT unnest($1::bytea[]), unnest($2::bigint[]), $3",
    )
    .bind(receipts.iter().map(|(receipt, _)| *receipt.as_bytes()).collect::<Vec<_>>())
    .bind(receipts.iter().map(|(_, at)| at.unix_micros()).collect::<Vec<_>>())
    .bind(ending.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

async fn look_up(
    connection: &mut PgConnection,
    sql: &'static str,
    receipts: &[ReceiptId],
) -> Result<BTreeMap<ReceiptId, Ending>, Failure> {
    let ids: Vec<_> = receipts.iter().map(|receipt| *receipt.as_bytes()).collect();
    let rows = sqlx::query(sql).bind(ids).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

fn read(row: &PgRow) -> Result<(ReceiptId, Ending), Failure> {
    let ending = Ending::parse(row.try_get(1)?).ok_or(Failure::Corrupt("a receipt's outcome"))?;
    Ok((receipt(row, 0)?, ending))
}

/// Changes how receipts ended that this transaction has marked or locked.
pub(super) async fn change(
    connection: &mut PgConnection,
    changes: &[(ReceiptId, Ending)],
) -> Result<(), Failure> {
    if changes.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE receipts AS r SET outcome = c.outcome
         FROM unnest($1::bytea[], $2::text[]) AS c (receipt, outcome) WHERE r.receipt = c.receipt",
    )
    .bind(changes.iter().map(|(receipt, _)| *receipt.as_bytes()).collect::<Vec<_>>())
    .bind(changes.iter().map(|(_, ending)| ending.as_str()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
