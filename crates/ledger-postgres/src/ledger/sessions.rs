//! Writing what new events say of their sessions.

use std::collections::{BTreeMap, BTreeSet};

use domain::id::{SessionId, TenantId};
use sqlx::PgConnection;

use crate::columns::parsed;
use crate::failure::Failure;
use crate::session_rollup::{Kept, bind_all, columns, merge_by_session, read};

/// Merges news into the sessions that are there and adds those that are not.
///
/// Adding is tried first, for all of them: after it every one of them is either this transaction's own or was
/// committed by another, so locks are then taken on rows that are there, in order, and on nothing else.
pub(super) async fn write(connection: &mut PgConnection, news: Vec<Kept>) -> Result<(), Failure> {
    let mut news = merge_by_session(news);
    if news.is_empty() {
        return Ok(());
    }
    let added = add(connection, &news).await?;
    news.retain(|kept| !added.contains(&(kept.rollup.tenant.clone(), kept.rollup.session.clone())));
    if news.is_empty() {
        return Ok(());
    }
    let mut there = lock(connection, &news).await?;
    let mut merged = Vec::with_capacity(news.len());
    for one in news {
        let key = (one.rollup.tenant.clone(), one.rollup.session.clone());
        merged.push(there.remove(&key).ok_or(Failure::Swept)?.merge(one));
    }
    update(connection, &merged).await
}

type Key = (TenantId, SessionId);

/// Adds sessions that are not there; returns which.
async fn add(connection: &mut PgConnection, news: &[Kept]) -> Result<BTreeSet<Key>, Failure> {
    let statement = sqlx::query(concat!(
        "INSERT INTO sessions (",
        columns!(),
        ") SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::bigint[],
                                $7::bytea[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bytea[], $12::text[],
                                $13::bigint[], $14::bytea[], $15::text[], $16::bigint[], $17::bigint[], $18::bigint[])
         ON CONFLICT (tenant, session) DO NOTHING RETURNING tenant, session"
    ));
    let rows = bind_all(statement, news).fetch_all(connection).await?;
    let key = |row| {
        let tenant = parsed(row, 0, "a session's tenant", |text| TenantId::parse(text).ok())?;
        Ok((tenant, parsed(row, 1, "a session's id", |text| SessionId::parse(text).ok())?))
    };
    rows.iter().map(key).collect()
}

/// Locks sessions and reads what they are then.
async fn lock(connection: &mut PgConnection, news: &[Kept]) -> Result<BTreeMap<Key, Kept>, Failure> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM sessions WHERE (tenant, session) IN (SELECT * FROM unnest($1::text[], $2::text[]))
         ORDER BY tenant, session FOR UPDATE"
    ))
    .bind(news.iter().map(|kept| kept.rollup.tenant.as_str()).collect::<Vec<_>>())
    .bind(news.iter().map(|kept| kept.rollup.session.as_str()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let kept = read(row)?;
            Ok(((kept.rollup.tenant.clone(), kept.rollup.session.clone()), kept))
        })
        .collect()
}

async fn update(connection: &mut PgConnection, sessions: &[Kept]) -> Result<(), Failure> {
    let statement = sqlx::query(concat!(
        "UPDATE sessions AS s SET
             channel = n.channel, opened_at = n.opened_at, opened_event = n.opened_event, last_at = n.last_at,
             last_event = n.last_event, marks = n.marks, lead = n.lead, lead_at = n.lead_at,
             lead_event = n.lead_event, step = n.step, step_at = n.step_at, step_event = n.step_event,
             outcome = n.outcome, events = n.events, first_received = n.first_received,
             last_received = n.last_received
         FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::bigint[], $7::bytea[],
                     $8::bigint[], $9::bigint[], $10::bigint[], $11::bytea[], $12::text[], $13::bigint[],
                     $14::bytea[], $15::text[], $16::bigint[], $17::bigint[], $18::bigint[]) AS n (",
        columns!(),
        ") WHERE s.tenant = n.tenant AND s.session = n.session"
    ));
    bind_all(statement, sessions).execute(connection).await?;
    Ok(())
}
