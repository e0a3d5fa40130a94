//! Identities, the conversations that name them, and consents.

mod read;

use domain::consent::ConsentRecord;
use domain::id::TenantId;
use domain::rollup::Moment;
use domain::subject::{Learned, Link, Ruling, Touch};
use rusqlite::{Connection, params};

use crate::failure::Failure;

/// How a ruling is written.
const fn word(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Together => "together",
        Ruling::Apart => "apart",
    }
}

/// Merges what new events teach into what is known.
pub(super) fn learn(connection: &Connection, learned: Learned) -> Result<(), Failure> {
    let Learned { links, touches, consents } = learned.merged();
    write_touches(connection, &touches)?;
    write_links(connection, &links)?;
    write_consents(connection, &consents)
}

fn micros(moment: Option<Moment>) -> Option<i64> {
    moment.map(|moment| moment.at.unix_micros())
}

/// A row that would not change is not written: mostly all of this is known.
fn write_touches(connection: &Connection, touches: &[(TenantId, Touch)]) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO touches (tenant, kind, identity, session, door, door_at, door_event)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (tenant, identity, kind, session) DO UPDATE SET
             door = excluded.door, door_at = excluded.door_at, door_event = excluded.door_event
         WHERE excluded.door_at IS NOT NULL AND (touches.door_at IS NULL
             OR (excluded.door_at, excluded.door_event) < (touches.door_at, touches.door_event))",
    )?;
    for (tenant, touch) in touches {
        let moment = touch.door.as_ref().map(|door| door.moment);
        let event = moment.map(|moment| *moment.event.as_bytes());
        statement.execute(params![
            tenant.as_str(),
            touch.identity.kind.as_str(),
            touch.identity.as_str(),
            touch.session.as_str(),
            touch.door.as_ref().map(|door| door.value.as_str()),
            micros(moment),
            event.as_ref().map(<[u8; 16]>::as_slice),
        ])?;
    }
    Ok(())
}

fn write_links(connection: &Connection, links: &[(TenantId, Link)]) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO links AS l (tenant, kind, identity, other_kind, other, named_at, named_event, ruling, ruled_at,
                                 ruled_event)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (tenant, identity, kind, other, other_kind) DO UPDATE SET
             (named_at, named_event) = (SELECT at, event FROM (
                 SELECT l.named_at AS at, l.named_event AS event
                 UNION ALL SELECT excluded.named_at, excluded.named_event)
                 WHERE at IS NOT NULL ORDER BY at, event LIMIT 1),
             (ruling, ruled_at, ruled_event) = (SELECT ruling, at, event FROM (
                 SELECT l.ruling AS ruling, l.ruled_at AS at, l.ruled_event AS event
                 UNION ALL SELECT excluded.ruling, excluded.ruled_at, excluded.ruled_event)
                 WHERE at IS NOT NULL ORDER BY at DESC, event DESC LIMIT 1)
         WHERE excluded.named_at IS NOT NULL AND (l.named_at IS NULL
                 OR (excluded.named_at, excluded.named_event) < (l.named_at, l.named_event))
             OR excluded.ruled_at IS NOT NULL AND (l.ruled_at IS NULL
                 OR (excluded.ruled_at, excluded.ruled_event) > (l.ruled_at, l.ruled_event))",
    )?;
    for (tenant, link) in links {
        let (one, other) = (link.pair.first(), link.pair.second());
        let named = link.named.map(|moment| *moment.event.as_bytes());
        let ruled = link.ruled.as_ref().map(|ruled| *ruled.moment.event.as_bytes());
        statement.execute(params![
            tenant.as_str(),
            one.kind.as_str(),
            one.as_str(),
            other.kind.as_str(),
            other.as_str(),
            micros(link.named),
            named.as_ref().map(<[u8; 16]>::as_slice),
            link.ruled.as_ref().map(|ruled| word(ruled.value)),
            micros(link.ruled.as_ref().map(|ruled| ruled.moment)),
            ruled.as_ref().map(<[u8; 16]>::as_slice),
        ])?;
    }
    Ok(())
}

fn write_consents(connection: &Connection, consents: &[(TenantId, ConsentRecord)]) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO consents (tenant, session, event_id, purpose, occurred_at, channel, source, granted,
                               text_version, text_hash, named)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (tenant, session, event_id, purpose) DO UPDATE SET occurred_at = excluded.occurred_at
         WHERE excluded.occurred_at < consents.occurred_at",
    )?;
    for (tenant, record) in consents {
        let named: Vec<_> = record.named.iter().map(ToString::to_string).collect();
        statement.execute(params![
            tenant.as_str(),
            record.session.as_str(),
            record.event.as_bytes().as_slice(),
            record.purpose.as_str(),
            record.at.unix_micros(),
            record.channel.as_str(),
            record.source.as_str(),
            record.granted,
            record.text_version.as_ref().map(domain::action::Word::as_str),
            record.text_hash,
            named.join("\n"),
        ])?;
    }
    Ok(())
}

/// Deletes conversations without events whose last event was before an instant, and of what was learned there all that
/// nothing else tells; at most about `limit` conversations.
pub(super) fn sweep(connection: &Connection, before: i64, limit: i64) -> Result<usize, Failure> {
    let gone: Vec<(String, String)> = connection
        .prepare_cached(
            "DELETE FROM sessions WHERE (tenant, session) IN
                 (SELECT s.tenant, s.session FROM sessions s WHERE s.last_at < ?1
                    AND NOT EXISTS (SELECT 1 FROM events e WHERE e.tenant = s.tenant AND e.session = s.session)
                  LIMIT ?2)
             RETURNING tenant, session",
        )?
        .query_map(params![before, limit], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut rows = gone.len();
    for (tenant, session) in gone {
        // A conversation in which somebody agreed to something is found by whoever that was.
        let forgotten: Vec<(String, String)> = connection
            .prepare_cached(
                "DELETE FROM touches WHERE tenant = ?1 AND session = ?2
                     AND NOT EXISTS (SELECT 1 FROM consents WHERE tenant = ?1 AND session = ?2)
                 RETURNING kind, identity",
            )?
            .query_map([&tenant, &session], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        rows += forgotten.len();
        for (kind, identity) in forgotten {
            rows += forget_links(connection, [&tenant, &identity, &kind])?;
        }
    }
    Ok(rows)
}

/// Deletes the links of an identity, a tenant's, whom no conversation names any more.
fn forget_links(connection: &Connection, of: [&String; 3]) -> Result<usize, Failure> {
    const ONE: &str = "DELETE FROM links WHERE tenant = ?1 AND identity = ?2 AND kind = ?3
         AND NOT EXISTS (SELECT 1 FROM touches WHERE tenant = ?1 AND identity = ?2 AND kind = ?3)";
    const OTHER: &str =
        "DELETE FROM links INDEXED BY links_of_other WHERE tenant = ?1 AND other = ?2 AND other_kind = ?3
         AND NOT EXISTS (SELECT 1 FROM touches WHERE tenant = ?1 AND identity = ?2 AND kind = ?3)";
    Ok(connection.prepare_cached(ONE)?.execute(of)? + connection.prepare_cached(OTHER)?.execute(of)?)
}
