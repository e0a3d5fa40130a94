//! Reading identities, conversations and consents.

use async_trait::async_trait;
use domain::action::Word;
use domain::channel::Channel;
use domain::consent::ConsentRecord;
use domain::id::{SessionId, SourceId, TenantId};
use domain::observation::ConsentPurpose;
use domain::rollup::Dated;
use domain::subject::{Identity, IdentityKind, LINKS_OF_ONE, Link, Pair, Ruling, Touch};
use ports::ledger::{LedgerError, SessionRow};
use ports::subjects::{MAX_ROWS, SubjectReader};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::columns::{dated, event_id, instant, instant_if_any, moment, parsed, parsed_if_any};
use crate::failure::Failure;
use crate::ledger::PostgresLedger;
use crate::ledger::read::session_row;
use crate::session_rollup::columns;

const LINKS: &str = "SELECT l.* FROM (SELECT DISTINCT * FROM unnest($2::text[], $3::text[])) AS i (kind, identity) CROSS JOIN LATERAL (
         SELECT kind, identity, other_kind, other, named_at, named_event, ruling, ruled_at, ruled_event FROM (
             SELECT * FROM links k WHERE k.tenant = $1 AND k.identity = i.identity AND k.kind = i.kind
             UNION ALL
             SELECT * FROM links k WHERE k.tenant = $1 AND k.other = i.identity AND k.other_kind = i.kind) AS b
         LIMIT $4) AS l";

const TOUCHES: &str = "SELECT t.kind, t.identity, t.session, t.door, t.door_at, t.door_event
     FROM (SELECT DISTINCT * FROM unnest($2::text[], $3::text[])) AS i (kind, identity)
         JOIN touches t ON t.identity = i.identity AND t.kind = i.kind
     WHERE t.tenant = $1
     ORDER BY t.door_at DESC NULLS LAST, t.session, t.identity, t.kind COLLATE \"C\" LIMIT $4";

const NAMED_IN: &str = "SELECT kind, identity, session, door, door_at, door_event FROM touches
     WHERE tenant = $1 AND session = ANY($2)
     ORDER BY door_at DESC NULLS LAST, session, identity, kind COLLATE \"C\" LIMIT $3";

const SESSIONS: &str =
    concat!("SELECT ", columns!(), " FROM sessions WHERE tenant = $1 AND session = ANY($2)");

/// What is cut off is what was said first: of two at once, the grant.
const CONSENTS: &str =
    "SELECT session, event_id, purpose, occurred_at, channel, source, granted, text_version,
         text_hash, named
     FROM consents WHERE tenant = $1 AND session = ANY($2)
     ORDER BY occurred_at DESC, granted, event_id, purpose COLLATE \"C\" LIMIT $3";

#[async_trait]
impl SubjectReader for PostgresLedger {
    async fn links(&self, tenant: &TenantId, of: &[Identity]) -> Result<Vec<Link>, LedgerError> {
        let (kinds, identities) = columns_of(of);
        let ask = || {
            sqlx::query(LINKS)
                .bind(tenant.as_str())
                .bind(&kinds)
                .bind(&identities)
                .bind(i64::from(LINKS_OF_ONE))
        };
        Ok(self.database.rows(ask).await?.iter().map(link).collect::<Result<_, _>>()?)
    }

    async fn touches(&self, tenant: &TenantId, of: &[Identity]) -> Result<Vec<Touch>, LedgerError> {
        let (kinds, identities) = columns_of(of);
        let ask = || {
            sqlx::query(TOUCHES)
                .bind(tenant.as_str())
                .bind(&kinds)
                .bind(&identities)
                .bind(i64::from(MAX_ROWS))
        };
        Ok(self.database.rows(ask).await?.iter().map(touch).collect::<Result<_, _>>()?)
    }

    async fn named_in(&self, tenant: &TenantId, sessions: &[SessionId]) -> Result<Vec<Touch>, LedgerError> {
        let sessions = ids(sessions);
        let ask = || sqlx::query(NAMED_IN).bind(tenant.as_str()).bind(&sessions).bind(i64::from(MAX_ROWS));
        Ok(self.database.rows(ask).await?.iter().map(touch).collect::<Result<_, _>>()?)
    }

    async fn sessions_known(
        &self,
        tenant: &TenantId,
        sessions: &[SessionId],
    ) -> Result<Vec<SessionRow>, LedgerError> {
        let sessions = ids(sessions);
        let rows = self.database.rows(|| sqlx::query(SESSIONS).bind(tenant.as_str()).bind(&sessions)).await?;
        Ok(rows.iter().map(session_row).collect::<Result<_, _>>()?)
    }

    async fn consents(
        &self,
        tenant: &TenantId,
        sessions: &[SessionId],
    ) -> Result<Vec<ConsentRecord>, LedgerError> {
        let sessions = ids(sessions);
        let ask = || sqlx::query(CONSENTS).bind(tenant.as_str()).bind(&sessions).bind(i64::from(MAX_ROWS));
        let mut found = self.database.rows(ask).await?.iter().map(consent).collect::<Result<Vec<_>, _>>()?;
        found.sort_by_key(ConsentRecord::place);
        Ok(found)
    }
}

fn columns_of(identities: &[Identity]) -> (Vec<&str>, Vec<&str>) {
    identities.iter().map(|identity| (identity.kind.as_str(), identity.as_str())).unzip()
}

fn ids(sessions: &[SessionId]) -> Vec<&str> {
    sessions.iter().map(SessionId::as_str).collect()
}

fn identity(row: &PgRow, kind: usize) -> Result<Identity, Failure> {
    let kind_of = parsed(row, kind, "a kind of identity", IdentityKind::parse)?;
    parsed(row, kind + 1, "an identity", |text| Identity::parse(kind_of, text).ok())
}

fn link(row: &PgRow) -> Result<Link, Failure> {
    let pair = Pair::of(identity(row, 0)?, identity(row, 2)?).ok_or(Failure::Corrupt("a link"))?;
    let named = instant_if_any(row, 4)?.map(|_at| moment(row, 4)).transpose()?;
    let ruling = parsed_if_any(row, 6, "a ruling", |text| {
        [Ruling::Apart, Ruling::Together].into_iter().find(|ruling| super::word(*ruling) == text)
    })?;
    let ruled = ruling.map(|value| Ok::<_, Failure>(Dated { moment: moment(row, 7)?, value })).transpose()?;
    Ok(Link { pair, named, ruled })
}

fn touch(row: &PgRow) -> Result<Touch, Failure> {
    let door = parsed_if_any(row, 3, "a door", |text| text.parse::<Channel>().ok())?;
    Ok(Touch {
        identity: identity(row, 0)?,
        session: parsed(row, 2, "a conversation", |text| SessionId::parse(text).ok())?,
        door: dated(row, door, 4)?,
    })
}

fn consent(row: &PgRow) -> Result<ConsentRecord, Failure> {
    let named: Vec<String> = row.try_get(9)?;
    let named = named.iter().map(|line| line.parse::<Identity>()).collect::<Result<_, _>>();
    Ok(ConsentRecord {
        event: event_id(row, 1)?,
        session: parsed(row, 0, "a conversation", |text| SessionId::parse(text).ok())?,
        purpose: parsed(row, 2, "a purpose", ConsentPurpose::parse)?,
        at: instant(row, 3)?,
        channel: parsed(row, 4, "a channel", |text| text.parse().ok())?,
        source: parsed(row, 5, "a source", |text| SourceId::parse(text).ok())?,
        granted: row.try_get(6)?,
        text_version: parsed_if_any(row, 7, "an edition of a text", |text| Word::parse(text).ok())?,
        text_hash: row.try_get(8)?,
        named: named.map_err(|_unreadable| Failure::Corrupt("who consented"))?,
    })
}
