//! Which events there are, over all partitions.

use domain::event::Digest;
use domain::id::{EventId, TenantId};
use domain::timestamp::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::columns::{digest, event_id};
use crate::failure::Failure;

/// What stands for an event that is being recorded.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) event: EventId,
    pub(super) digest: Digest,
    pub(super) received_at: Timestamp,
}

impl<'a> Candidate<'a> {
    /// What it is known by, in the order of the index: that in which ids are claimed.
    pub(super) const fn key(&self) -> (EventId, &'a TenantId) {
        (self.event, self.tenant)
    }
}

/// What became of a candidate.
#[derive(Clone, Copy)]
pub(super) enum Found {
    New,
    /// There already, with this digest.
    Known(Digest),
}

/// Claims ids for the candidates, which are sorted by key and none of them twice; says of each, in their order, what
/// was found. Who comes second waits for the first one's commit.
pub(super) async fn claim(
    connection: &mut PgConnection,
    candidates: &[Candidate<'_>],
) -> Result<Vec<Found>, Failure> {
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let claimed = sqlx::query(
        "INSERT INTO event_ids (event_id, tenant, digest, received_at)
         SELECT unnest($1::bytea[]), unnest($2::text[]), unnest($3::bytea[]), unnest($4::bigint[])
         ON CONFLICT (event_id, tenant) DO NOTHING RETURNING event_id, tenant",
    )
    .bind(candidates.iter().map(|candidate| *candidate.event.as_bytes()).collect::<Vec<_>>())
    .bind(candidates.iter().map(|candidate| candidate.tenant.as_str()).collect::<Vec<_>>())
    .bind(candidates.iter().map(|candidate| *candidate.digest.as_bytes()).collect::<Vec<_>>())
    .bind(candidates.iter().map(|candidate| candidate.received_at.unix_micros()).collect::<Vec<_>>())
    .fetch_all(&mut *connection)
    .await?;
    let mut found = vec![Found::New; candidates.len()];
    if claimed.len() < candidates.len() {
        let others = places_without(candidates, &claimed)?;
        look_up(connection, candidates, &others, &mut found).await?;
    }
    Ok(found)
}

/// Adds ids for the candidates, which are sorted by key and none of them twice. One that is there is
/// [`Failure::AlreadyThere`], after waiting for who adds it at this moment.
pub(super) async fn add(
    connection: &mut PgConnection,
    candidates: &[Candidate<'_>],
) -> Result<Vec<Found>, Failure> {
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query(
        "INSERT INTO event_ids (event_id, tenant, digest, received_at)
         SELECT unnest($1::bytea[]), unnest($2::text[]), unnest($3::bytea[]), unnest($4::bigint[])",
    )
    .bind(candidates.iter().map(|candidate| *candidate.event.as_bytes()).collect::<Vec<_>>())
    .bind(candidates.iter().map(|candidate| candidate.tenant.as_str()).collect::<Vec<_>>())
    .bind(candidates.iter().map(|candidate| *candidate.digest.as_bytes()).collect::<Vec<_>>())
    .bind(candidates.iter().map(|candidate| candidate.received_at.unix_micros()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(vec![Found::New; candidates.len()])
}

/// The places of the candidates that these rows, which are in the same order, leave out.
fn places_without(candidates: &[Candidate<'_>], rows: &[PgRow]) -> Result<Vec<usize>, Failure> {
    let mut rows = rows.iter().peekable();
    let mut places = Vec::new();
    for (place, candidate) in candidates.iter().enumerate() {
        match rows.peek() {
            Some(row) if is_of(row, candidate)? => drop(rows.next()),
            _ => places.push(place),
        }
    }
    if rows.next().is_some() { Err(Failure::Corrupt("an id that nobody claimed")) } else { Ok(places) }
}

fn is_of(row: &PgRow, candidate: &Candidate<'_>) -> Result<bool, Failure> {
    Ok(event_id(row, 0)? == candidate.event && row.try_get::<&str, _>(1)? == candidate.tenant.as_str())
}

/// Finds the digests of the candidates at these places.
async fn look_up(
    connection: &mut PgConnection,
    candidates: &[Candidate<'_>],
    places: &[usize],
    found: &mut [Found],
) -> Result<(), Failure> {
    let others = || places.iter().map(|place| &candidates[*place]);
    let rows = sqlx::query(
        "SELECT k.place, i.digest
         FROM unnest($1::bytea[], $2::text[]) WITH ORDINALITY AS k (event_id, tenant, place)
             JOIN event_ids i ON i.event_id = k.event_id AND i.tenant = k.tenant",
    )
    .bind(others().map(|candidate| *candidate.event.as_bytes()).collect::<Vec<_>>())
    .bind(others().map(|candidate| candidate.tenant.as_str()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    for row in &rows {
        let nth: i64 = row.try_get(0)?;
        let place = usize::try_from(nth - 1).ok().and_then(|nth| places.get(nth));
        found[*place.ok_or(Failure::Corrupt("the place of an id"))?] = Found::Known(digest(row, 1)?);
    }
    if rows.len() == places.len() { Ok(()) } else { Err(Failure::Swept) }
}
