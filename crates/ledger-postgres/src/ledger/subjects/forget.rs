//! Deleting conversations, and of what was learned there all that nothing else tells.

use domain::timestamp::Timestamp;
use sqlx::{PgConnection, Row as _};

use crate::database::Work;
use crate::failure::Failure;

/// Sessions without events whose last event was before an instant.
pub(in crate::ledger) struct ForgetSessions {
    pub(in crate::ledger) before: Timestamp,
    pub(in crate::ledger) limit: i64,
}

const SESSIONS: &str = "DELETE FROM sessions WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM sessions
         WHERE last_period <= $1 / 600000000 AND last_at < $1
             AND last_received < (SELECT events_before FROM retention)
         LIMIT $2 FOR UPDATE SKIP LOCKED))
     RETURNING session, tenant";

/// A conversation in which somebody agreed to something is found by whoever that was.
const TOUCHES: &str = "DELETE FROM touches t USING unnest($1::text[], $2::text[]) AS g (session, tenant)
     WHERE t.session = g.session AND t.tenant = g.tenant
         AND NOT EXISTS (SELECT 1 FROM consents c WHERE c.session = g.session AND c.tenant = g.tenant)
     RETURNING t.identity, t.tenant, t.kind";

const LINKS: &str = "DELETE FROM links l USING (
         SELECT DISTINCT identity, tenant, kind FROM unnest($1::text[], $2::text[], $3::text[]) AS f (identity, tenant, kind)
         WHERE NOT EXISTS (SELECT 1 FROM touches t
             WHERE t.identity = f.identity AND t.tenant = f.tenant AND t.kind = f.kind)) AS g
     WHERE l.tenant = g.tenant
         AND (l.identity = g.identity AND l.kind = g.kind OR l.other = g.identity AND l.other_kind = g.kind)";

impl Work for ForgetSessions {
    type Output = u64;

    async fn run(&self, connection: &mut PgConnection) -> Result<u64, Failure> {
        if self.limit == 0 {
            return Ok(0);
        }
        let gone = sqlx::query(SESSIONS)
            .bind(self.before.unix_micros())
            .bind(self.limit)
            .fetch_all(&mut *connection)
            .await?;
        if gone.is_empty() {
            return Ok(0);
        }
        // Whoever names an identity anew waits here, and then writes the link anew that is deleted now. It gives up
        // soon, so that nobody queues behind it for long.
        sqlx::query("SET LOCAL lock_timeout = '500ms'").execute(&mut *connection).await?;
        sqlx::query("LOCK TABLE touches, links IN SHARE ROW EXCLUSIVE MODE")
            .execute(&mut *connection)
            .await?;
        let forgotten = sqlx::query(TOUCHES)
            .bind(texts(&gone, 0)?)
            .bind(texts(&gone, 1)?)
            .fetch_all(&mut *connection)
            .await?;
        let links = sqlx::query(LINKS)
            .bind(texts(&forgotten, 0)?)
            .bind(texts(&forgotten, 1)?)
            .bind(texts(&forgotten, 2)?)
            .execute(connection)
            .await?;
        let rows = gone.len() + forgotten.len();
        Ok(u64::try_from(rows).unwrap_or(u64::MAX).saturating_add(links.rows_affected()))
    }
}

fn texts(rows: &[sqlx::postgres::PgRow], column: usize) -> Result<Vec<String>, Failure> {
    rows.iter().map(|row| Ok(row.try_get(column)?)).collect()
}
