//! Answers already given, beside the bus: one durable domain for the gateway, one flush for a key and its messages.

use async_trait::async_trait;
use domain::event::Digest;
use domain::timestamp::Timestamp;
use ports::bus::BusError;
use ports::idempotency::{Begun, IdempotencyKey, IdempotencyStore, StoredAnswer};
use rusqlite::{Connection, Row, params};

use crate::bus::SqliteBus;
use crate::columns::digest;
use crate::failure::Failure;

#[async_trait]
impl IdempotencyStore for SqliteBus {
    async fn begin(&self, key: &IdempotencyKey, body: Digest, now: Timestamp) -> Result<Begun, BusError> {
        let key = key.clone();
        Ok(self.database.write(move |connection| begin(connection, &key, body, now)).await?)
    }

    async fn finish(&self, key: &IdempotencyKey, answer: StoredAnswer) -> Result<StoredAnswer, BusError> {
        let key = key.clone();
        Ok(self.database.write(move |connection| finish(connection, &key, answer)).await?)
    }

    async fn forget_before(&self, instant: Timestamp) -> Result<u64, BusError> {
        let forget = move |connection: &Connection| {
            let forgotten = connection
                .prepare_cached("DELETE FROM idempotency WHERE begun_at < ?1")?
                .execute([instant.unix_micros()])?;
            Ok(u64::try_from(forgotten).unwrap_or(u64::MAX))
        };
        Ok(self.database.write(forget).await?)
    }
}

fn begin(
    connection: &Connection,
    key: &IdempotencyKey,
    body: Digest,
    now: Timestamp,
) -> Result<Begun, Failure> {
    let added = connection
        .prepare_cached(
            "INSERT INTO idempotency (source, key, body, begun_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (source, key) DO NOTHING",
        )?
        .execute(params![
            key.source.as_str(),
            key.key.as_bytes().as_slice(),
            body.as_bytes().as_slice(),
            now.unix_micros()
        ])?;
    if added > 0 {
        return Ok(Begun::New);
    }
    let (first_body, kept) = kept(connection, key)?.ok_or(Failure::Corrupt("an idempotency key"))?;
    Ok(match kept {
        _ if first_body != body => Begun::Conflict,
        None => Begun::InProgress,
        Some(answer) => Begun::Done(answer),
    })
}

fn finish(
    connection: &Connection,
    key: &IdempotencyKey,
    answer: StoredAnswer,
) -> Result<StoredAnswer, Failure> {
    connection
        .prepare_cached(
            "UPDATE idempotency SET status = ?3, answer = ?4 WHERE source = ?1 AND key = ?2 AND answer IS NULL",
        )?
        .execute(params![
            key.source.as_str(),
            key.key.as_bytes().as_slice(),
            answer.status,
            answer.body
        ])?;
    // Forgotten meanwhile: the answer was given all the same.
    Ok(kept(connection, key)?.and_then(|(_, kept)| kept).unwrap_or(answer))
}

fn kept(
    connection: &Connection,
    key: &IdempotencyKey,
) -> Result<Option<(Digest, Option<StoredAnswer>)>, Failure> {
    let mut statement = connection
        .prepare_cached("SELECT body, status, answer FROM idempotency WHERE source = ?1 AND key = ?2")?;
    let mut rows = statement.query_and_then(
        params![key.source.as_str(), key.key.as_bytes().as_slice()],
        |row: &Row<'_>| -> Result<_, Failure> {
            let answer = match (row.get(1)?, row.get(2)?) {
                (Some(status), Some(body)) => Some(StoredAnswer { status, body }),
                _ => None,
            };
            Ok((digest(row, 0)?, answer))
        },
    )?;
    rows.next().transpose()
}
