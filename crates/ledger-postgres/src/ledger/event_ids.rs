//! Which events there are, over all partitions.

use std::collections::{BTreeMap, BTreeSet};

use domain::event::Digest;
use domain::id::{EventId, TenantId};
use domain::timestamp::Timestamp;
use sqlx::PgConnection;

use crate::columns::{digest, event_id, parsed};
use crate::failure::Failure;

/// What an event is known by.
pub(super) type Key = (TenantId, EventId);

/// What stands for an event that is being recorded.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    pub(super) digest: Digest,
    pub(super) received_at: Timestamp,
}

/// Which of the candidates are new, and the digests of those that are not.
#[derive(Default)]
pub(super) struct Found {
    pub(super) new: BTreeSet<Key>,
    pub(super) known: BTreeMap<Key, Digest>,
}

/// Claims ids for the candidates. Who comes second waits for the first one's commit.
pub(super) async fn claim(
    connection: &mut PgConnection,
    candidates: &BTreeMap<Key, Candidate>,
) -> Result<Found, Failure> {
    if candidates.is_empty() {
        return Ok(Found::default());
    }
    let rows = sqlx::query(
        "INSERT INTO event_ids (tenant, event_id, digest, received_at)
         SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::bigint[])
         ON CONFLICT (tenant, event_id) DO NOTHING RETURNING tenant, event_id",
    )
    .bind(candidates.keys().map(|(tenant, _)| tenant.as_str()).collect::<Vec<_>>())
    .bind(candidates.keys().map(|(_, event)| *event.as_bytes()).collect::<Vec<_>>())
    .bind(candidates.values().map(|candidate| *candidate.digest.as_bytes()).collect::<Vec<_>>())
    .bind(candidates.values().map(|candidate| candidate.received_at.unix_micros()).collect::<Vec<_>>())
    .fetch_all(&mut *connection)
    .await?;
    let key = |row| {
        Ok((parsed(row, 0, "an event's tenant", |text| TenantId::parse(text).ok())?, event_id(row, 1)?))
    };
    let new: BTreeSet<Key> = rows.iter().map(key).collect::<Result<_, Failure>>()?;
    let others: Vec<&Key> = candidates.keys().filter(|candidate| !new.contains(candidate)).collect();
    if others.is_empty() {
        return Ok(Found { new, ..Found::default() });
    }
    let rows = sqlx::query(
        "SELECT i.tenant, i.event_id, i.digest
         FROM unnest($1::text[], $2::bytea[]) AS k (tenant, event_id)
             JOIN event_ids i ON i.tenant = k.tenant AND i.event_id = k.event_id",
    )
    .bind(others.iter().map(|(tenant, _)| tenant.as_str()).collect::<Vec<_>>())
    .bind(others.iter().map(|(_, event)| *event.as_bytes()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let known: BTreeMap<Key, Digest> =
        rows.iter().map(|row| Ok((key(row)?, digest(row, 2)?))).collect::<Result<_, Failure>>()?;
    if known.len() == others.len() { Ok(Found { new, known }) } else { Err(Failure::Swept) }
}
