//! Reading identities, conversations and consents.
//!
//! Where there is an index besides the key, it is named: without statistics SQLite holds a walk through all rows of a tenant
//! in the key, which has every column, for as good as a step into an index, which has not.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::action::Word;
use domain::channel::Channel;
use domain::consent::ConsentRecord;
use domain::id::{EventId, SessionId, SourceId, TenantId};
use domain::observation::ConsentPurpose;
use domain::rollup::Dated;
use domain::subject::{Identity, IdentityKind, LINKS_OF_ONE, Link, Pair, Ruling, Touch};
use ports::ledger::{LedgerError, SessionRow};
use ports::subjects::{MAX_ROWS, SubjectReader};
use rusqlite::{Connection, Row, params};
use serde_json::Value;

use crate::columns::{dated, instant, instant_if_any, moment, parsed, parsed_if_any};
use crate::failure::Failure;
use crate::ledger::{SqliteLedger, read};

#[async_trait]
impl SubjectReader for SqliteLedger {
    async fn links(&self, tenant: &TenantId, of: &[Identity]) -> Result<Vec<Link>, LedgerError> {
        let (tenant, of) = (tenant.clone(), each_once(of));
        Ok(self.database.read(move |connection| links(connection, &tenant, &of)).await?)
    }

    async fn touches(&self, tenant: &TenantId, of: &[Identity]) -> Result<Vec<Touch>, LedgerError> {
        let (tenant, of) = (tenant.clone(), each_once(of));
        Ok(self.database.read(move |connection| touches(connection, &tenant, &of)).await?)
    }

    async fn named_in(&self, tenant: &TenantId, sessions: &[SessionId]) -> Result<Vec<Touch>, LedgerError> {
        let (tenant, sessions) = (tenant.clone(), each_once(sessions));
        Ok(self.database.read(move |connection| named_in(connection, &tenant, &sessions)).await?)
    }

    async fn sessions_known(
        &self,
        tenant: &TenantId,
        sessions: &[SessionId],
    ) -> Result<Vec<SessionRow>, LedgerError> {
        let (tenant, sessions) = (tenant.clone(), each_once(sessions));
        let known = move |connection: &Connection| {
            let one = |session| read::session(connection, &tenant, std::slice::from_ref(session)).transpose();
            sessions.iter().filter_map(one).collect::<Result<Vec<_>, Failure>>()
        };
        Ok(self.database.read(known).await?)
    }

    async fn consents(
        &self,
        tenant: &TenantId,
        sessions: &[SessionId],
    ) -> Result<Vec<ConsentRecord>, LedgerError> {
        let (tenant, sessions) = (tenant.clone(), each_once(sessions));
        Ok(self.database.read(move |connection| consents(connection, &tenant, &sessions)).await?)
    }
}

fn each_once<T: Ord + Clone>(of: &[T]) -> Vec<T> {
    of.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

fn links(connection: &Connection, tenant: &TenantId, of: &[Identity]) -> Result<Vec<Link>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, identity, other_kind, other, named_at, named_event, ruling, ruled_at, ruled_event FROM (
             SELECT * FROM links WHERE tenant = ?1 AND identity = ?2 AND kind = ?3
             UNION ALL
             SELECT * FROM links INDEXED BY links_of_other WHERE tenant = ?1 AND other = ?2 AND other_kind = ?3)
         LIMIT ?4",
    )?;
    let mut found = Vec::new();
    for identity in of {
        let key = params![tenant.as_str(), identity.as_str(), identity.kind.as_str(), LINKS_OF_ONE];
        for link in statement.query_and_then(key, link)? {
            found.push(link?);
        }
    }
    Ok(found)
}

fn touches(connection: &Connection, tenant: &TenantId, of: &[Identity]) -> Result<Vec<Touch>, Failure> {
    let of = of.iter().map(|identity| vec![identity.as_str(), identity.kind.as_str()]);
    connection
        .prepare_cached(
            "SELECT t.kind, t.identity, t.session, t.door, t.door_at, t.door_event
             FROM json_each(?2) AS i CROSS JOIN touches AS t
                 ON t.tenant = ?1 AND t.identity = i.value ->> 0 AND t.kind = i.value ->> 1
             ORDER BY t.door_at DESC NULLS LAST, t.session, t.identity, t.kind LIMIT ?3",
        )?
        .query_and_then(params![tenant.as_str(), list(of), MAX_ROWS], touch)?
        .collect()
}

fn named_in(
    connection: &Connection,
    tenant: &TenantId,
    sessions: &[SessionId],
) -> Result<Vec<Touch>, Failure> {
    connection
        .prepare_cached(
            "SELECT t.kind, t.identity, t.session, t.door, t.door_at, t.door_event
             FROM json_each(?2) AS s CROSS JOIN touches AS t INDEXED BY touches_by_session
                 ON t.tenant = ?1 AND t.session = s.value
             ORDER BY t.door_at DESC NULLS LAST, t.session, t.identity, t.kind LIMIT ?3",
        )?
        .query_and_then(params![tenant.as_str(), list(ids(sessions)), MAX_ROWS], touch)?
        .collect()
}

fn consents(
    connection: &Connection,
    tenant: &TenantId,
    sessions: &[SessionId],
) -> Result<Vec<ConsentRecord>, Failure> {
    let mut found = connection
        .prepare_cached(
            // What is cut off is what was said first: of two at once, the grant.
            "SELECT c.session, c.event_id, c.purpose, c.occurred_at, c.channel, c.source, c.granted, c.text_version,
                 c.text_hash, c.named
             FROM json_each(?2) AS s CROSS JOIN consents AS c ON c.tenant = ?1 AND c.session = s.value
             ORDER BY c.occurred_at DESC, c.granted, c.event_id, c.purpose LIMIT ?3",
        )?
        .query_and_then(params![tenant.as_str(), list(ids(sessions)), MAX_ROWS], consent)?
        .collect::<Result<Vec<_>, Failure>>()?;
    found.sort_by_key(ConsentRecord::place);
    Ok(found)
}

fn ids(sessions: &[SessionId]) -> impl Iterator<Item = &str> {
    sessions.iter().map(SessionId::as_str)
}

/// A list as one parameter.
fn list<T: Into<Value>>(of: impl IntoIterator<Item = T>) -> String {
    Value::from_iter(of).to_string()
}

fn identity(row: &Row<'_>, kind: usize) -> Result<Identity, Failure> {
    let kind_of = parsed(row, kind, "a kind of identity", IdentityKind::parse)?;
    parsed(row, kind + 1, "an identity", |text| Identity::parse(kind_of, text).ok())
}

fn link(row: &Row<'_>) -> Result<Link, Failure> {
    let pair = Pair::of(identity(row, 0)?, identity(row, 2)?).ok_or(Failure::Corrupt("a link"))?;
    let named = instant_if_any(row, 4)?.map(|_at| moment(row, 4)).transpose()?;
    let ruling = parsed_if_any(row, 6, "a ruling", |text| {
        [Ruling::Apart, Ruling::Together].into_iter().find(|ruling| super::word(*ruling) == text)
    })?;
    let ruled = ruling.map(|value| Ok::<_, Failure>(Dated { moment: moment(row, 7)?, value })).transpose()?;
    Ok(Link { pair, named, ruled })
}

fn touch(row: &Row<'_>) -> Result<Touch, Failure> {
    let door = parsed_if_any(row, 3, "a door", |text| text.parse::<Channel>().ok())?;
    Ok(Touch {
        identity: identity(row, 0)?,
        session: parsed(row, 2, "a conversation", |text| SessionId::parse(text).ok())?,
        door: dated(row, door, 4)?,
    })
}

fn consent(row: &Row<'_>) -> Result<ConsentRecord, Failure> {
    let event = EventId::from_slice(row.get_ref(1)?.as_blob()?).ok_or(Failure::Corrupt("an event's id"))?;
    let named = row.get_ref(9)?.as_str()?.lines().map(|line| line.parse::<Identity>());
    Ok(ConsentRecord {
        event,
        session: parsed(row, 0, "a conversation", |text| SessionId::parse(text).ok())?,
        purpose: parsed(row, 2, "a purpose", ConsentPurpose::parse)?,
        at: instant(row, 3)?,
        channel: parsed(row, 4, "a channel", |text| text.parse().ok())?,
        source: parsed(row, 5, "a source", |text| SourceId::parse(text).ok())?,
        granted: row.get(6)?,
        text_version: parsed_if_any(row, 7, "an edition of a text", |text| Word::parse(text).ok())?,
        text_hash: row.get(8)?,
        named: named.collect::<Result<_, _>>().map_err(|_unreadable| Failure::Corrupt("who consented"))?,
    })
}
