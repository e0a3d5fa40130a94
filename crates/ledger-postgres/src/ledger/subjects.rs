//! Identities, the conversations that name them, and consents.

mod forget;
mod read;

use domain::consent::ConsentRecord;
use domain::id::TenantId;
use domain::rollup::Moment;
use domain::subject::{Learned, Link, Ruling, Touch};
use sqlx::PgConnection;

pub(super) use self::forget::ForgetSessions;
use crate::failure::Failure;

/// Adds touches, or the earlier door to those that are there. Nearly always all is known; an upsert would lock every row,
/// and so write it, to find that out.
const TOUCHES: &str = "INSERT INTO touches AS t (tenant, kind, identity, session, door, door_at, door_event)
     SELECT * FROM (SELECT unnest($1::text[]) AS tenant, unnest($2::text[]) AS kind, unnest($3::text[]) AS identity,
                           unnest($4::text[]) AS session, unnest($5::text[]) AS door, unnest($6::bigint[]) AS door_at,
                           unnest($7::bytea[]) AS door_event) AS n
     WHERE NOT EXISTS (SELECT 1 FROM touches k
         WHERE k.identity = n.identity AND k.session = n.session AND k.tenant = n.tenant AND k.kind = n.kind
           AND (n.door_at IS NULL OR (k.door_at, k.door_event) <= (n.door_at, n.door_event)))
     ON CONFLICT (identity, session, tenant, kind) DO UPDATE SET
         door = excluded.door, door_at = excluded.door_at, door_event = excluded.door_event
     WHERE excluded.door_at IS NOT NULL AND (t.door_at IS NULL
         OR (excluded.door_at, excluded.door_event) < (t.door_at, t.door_event))";

/// Adds links, or the earlier naming and the later ruling to those that are there. Like touches, mostly known.
const LINKS: &str = "INSERT INTO links AS l (tenant, kind, identity, other_kind, other, named_at, named_event, ruling,
                                             ruled_at, ruled_event)
     SELECT * FROM (SELECT unnest($1::text[]) AS tenant, unnest($2::text[]) AS kind, unnest($3::text[]) AS identity,
                           unnest($4::text[]) AS other_kind, unnest($5::text[]) AS other,
                           unnest($6::bigint[]) AS named_at, unnest($7::bytea[]) AS named_event,
                           unnest($8::text[]) AS ruling, unnest($9::bigint[]) AS ruled_at,
                           unnest($10::bytea[]) AS ruled_event) AS n
     WHERE NOT EXISTS (SELECT 1 FROM links k
         WHERE k.identity = n.identity AND k.other = n.other AND k.tenant = n.tenant AND k.kind = n.kind
           AND k.other_kind = n.other_kind
           AND (n.named_at IS NULL OR (k.named_at, k.named_event) <= (n.named_at, n.named_event))
           AND (n.ruled_at IS NULL OR (k.ruled_at, k.ruled_event) >= (n.ruled_at, n.ruled_event)))
     ON CONFLICT (identity, other, tenant, kind, other_kind) DO UPDATE SET
         named_at = least(l.named_at, excluded.named_at),
         named_event = CASE WHEN l.named_at IS NULL
                 OR (excluded.named_at, excluded.named_event) < (l.named_at, l.named_event)
             THEN excluded.named_event ELSE l.named_event END,
         ruling = CASE WHEN l.ruled_at IS NULL
                 OR (excluded.ruled_at, excluded.ruled_event) > (l.ruled_at, l.ruled_event)
             THEN excluded.ruling ELSE l.ruling END,
         ruled_at = greatest(l.ruled_at, excluded.ruled_at),
         ruled_event = CASE WHEN l.ruled_at IS NULL
                 OR (excluded.ruled_at, excluded.ruled_event) > (l.ruled_at, l.ruled_event)
             THEN excluded.ruled_event ELSE l.ruled_event END";

const CONSENT: &str =
    "INSERT INTO consents AS c (tenant, session, event_id, purpose, occurred_at, channel, source, granted,
                                              text_version, text_hash, named)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     ON CONFLICT (session, tenant, event_id, purpose) DO UPDATE SET occurred_at = excluded.occurred_at
     WHERE excluded.occurred_at < c.occurred_at";

/// How a ruling is written.
const fn word(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Together => "together",
        Ruling::Apart => "apart",
    }
}

fn micros(moment: Option<Moment>) -> Option<i64> {
    moment.map(|moment| moment.at.unix_micros())
}

fn event(moment: Option<Moment>) -> Option<[u8; 16]> {
    moment.map(|moment| *moment.event.as_bytes())
}

/// Merges what new events teach, which is merged and sorted, into what is known.
pub(super) async fn learn(connection: &mut PgConnection, learned: Learned) -> Result<(), Failure> {
    let Learned { links, touches, consents } = learned;
    write_touches(connection, &touches).await?;
    write_links(connection, &links).await?;
    for (tenant, record) in &consents {
        write_consent(connection, tenant, record).await?;
    }
    Ok(())
}

async fn write_touches(connection: &mut PgConnection, touches: &[(TenantId, Touch)]) -> Result<(), Failure> {
    if touches.is_empty() {
        return Ok(());
    }
    let doors = || touches.iter().map(|(_, touch)| touch.door.as_ref());
    let moments = || doors().map(|door| door.map(|door| door.moment));
    sqlx::query(TOUCHES)
        .bind(touches.iter().map(|(tenant, _)| tenant.as_str()).collect::<Vec<_>>())
        .bind(touches.iter().map(|(_, touch)| touch.identity.kind.as_str()).collect::<Vec<_>>())
        .bind(touches.iter().map(|(_, touch)| touch.identity.as_str()).collect::<Vec<_>>())
        .bind(touches.iter().map(|(_, touch)| touch.session.as_str()).collect::<Vec<_>>())
        .bind(doors().map(|door| door.map(|door| door.value.as_str())).collect::<Vec<_>>())
        .bind(moments().map(micros).collect::<Vec<_>>())
        .bind(moments().map(event).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

async fn write_links(connection: &mut PgConnection, links: &[(TenantId, Link)]) -> Result<(), Failure> {
    if links.is_empty() {
        return Ok(());
    }
    let firsts = || links.iter().map(|(_, link)| link.pair.first());
    let seconds = || links.iter().map(|(_, link)| link.pair.second());
    let named = || links.iter().map(|(_, link)| link.named);
    let ruled = || links.iter().map(|(_, link)| link.ruled.as_ref().map(|ruled| ruled.moment));
    let rulings = links.iter().map(|(_, link)| link.ruled.as_ref().map(|ruled| word(ruled.value)));
    sqlx::query(LINKS)
        .bind(links.iter().map(|(tenant, _)| tenant.as_str()).collect::<Vec<_>>())
        .bind(firsts().map(|identity| identity.kind.as_str()).collect::<Vec<_>>())
        .bind(firsts().map(|identity| identity.as_str()).collect::<Vec<_>>())
        .bind(seconds().map(|identity| identity.kind.as_str()).collect::<Vec<_>>())
        .bind(seconds().map(|identity| identity.as_str()).collect::<Vec<_>>())
        .bind(named().map(micros).collect::<Vec<_>>())
        .bind(named().map(event).collect::<Vec<_>>())
        .bind(rulings.collect::<Vec<_>>())
        .bind(ruled().map(micros).collect::<Vec<_>>())
        .bind(ruled().map(event).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// One at a time: they are few.
async fn write_consent(
    connection: &mut PgConnection,
    tenant: &TenantId,
    record: &ConsentRecord,
) -> Result<(), Failure> {
    sqlx::query(CONSENT)
        .bind(tenant.as_str())
        .bind(record.session.as_str())
        .bind(record.event.as_bytes().as_slice())
        .bind(record.purpose.as_str())
        .bind(record.at.unix_micros())
        .bind(record.channel.as_str())
        .bind(record.source.as_str())
        .bind(record.granted)
        .bind(record.text_version.as_ref().map(domain::action::Word::as_str))
        .bind(record.text_hash.as_deref())
        .bind(record.named.iter().map(ToString::to_string).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
