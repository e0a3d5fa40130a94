//! Analytics: a row a session and a row an appointment, merged by [`domain::rollup`] inside the writer.

mod appointments;
mod overview;

use std::path::Path;

use async_trait::async_trait;
use domain::event::Event;
use domain::id::TenantId;
use domain::overview::ChannelFigures;
use domain::rollup::{AppointmentRollup, SessionRollup};
use domain::timestamp::Timestamp;
use ports::analytics::{AnalyticsError, AnalyticsStore, Period};
use rusqlite::Connection;

use crate::connection::{OpenError, Schema};
use crate::database::Database;
use crate::failure::Failure;
use crate::session_rollup::{columns, merge_by_session, merge_with_kept, write};

const SCHEMA: Schema = Schema {
    file: "analytics",
    migrations: &[
        include_str!("../migrations/analytics/0001-rollups.sql"),
        include_str!("../migrations/analytics/0002-overview-by-counting.sql"),
    ],
};

/// Analytics in a SQLite file. Dropping it finishes what was begun and closes the file.
pub struct SqliteAnalytics {
    database: Database,
}

impl SqliteAnalytics {
    /// Opens the file, creating it if need be. Blocks for some milliseconds.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self { database: Database::open(path, &SCHEMA)? })
    }
}

#[async_trait]
impl AnalyticsStore for SqliteAnalytics {
    async fn absorb(&self, events: &[Event]) -> Result<(), AnalyticsError> {
        // Merged before the writer sees them: it has a row to write a session, not an event.
        let counted = events.iter().filter(|event| !event.is_notice());
        let sessions = merge_by_session(counted.map(SessionRollup::of).collect());
        let appointments = appointments::merge(events.iter().filter_map(AppointmentRollup::of).collect());
        let absorb = move |connection: &Connection| {
            write_sessions(connection, sessions)?;
            appointments.into_iter().try_for_each(|rollup| appointments::write(connection, rollup))
        };
        Ok(self.database.write(absorb).await?)
    }

    async fn overview(
        &self,
        tenant: &TenantId,
        period: Period,
    ) -> Result<Vec<ChannelFigures>, AnalyticsError> {
        let tenant = tenant.clone();
        Ok(self.database.read(move |connection| overview::overview(connection, &tenant, period)).await?)
    }

    async fn sweep(&self, before: Timestamp) -> Result<u64, AnalyticsError> {
        let sweep = move |connection: &Connection| {
            let mut deleted = 0;
            for statement in [
                "DELETE FROM session_rollups WHERE last_at < ?1",
                "DELETE FROM appointment_rollups
                 WHERE MAX(opened_at, COALESCE(step_at, 0), COALESCE(starts_said_at, 0)) < ?1",
            ] {
                deleted += connection.prepare_cached(statement)?.execute([before.unix_micros()])?;
            }
            Ok(u64::try_from(deleted).unwrap_or(u64::MAX))
        };
        Ok(self.database.write(sweep).await?)
    }

    async fn probe(&self) -> Result<(), AnalyticsError> {
        Ok(self.database.probe().await?)
    }
}

fn write_sessions(connection: &Connection, sessions: Vec<(SessionRollup, i64)>) -> Result<(), Failure> {
    let mut query = connection.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM session_rollups WHERE tenant = ?1 AND session = ?2"
    ))?;
    let mut statement = connection.prepare_cached(concat!(
        "INSERT INTO session_rollups (",
        columns!(),
        ")
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (tenant, session) DO UPDATE SET
             channel = excluded.channel, opened_at = excluded.opened_at, opened_event = excluded.opened_event,
             last_at = excluded.last_at, last_event = excluded.last_event, marks = excluded.marks,
             lead = excluded.lead, lead_at = excluded.lead_at, lead_event = excluded.lead_event,
             step = excluded.step, step_at = excluded.step_at, step_event = excluded.step_event"
    ))?;
    for (news, _events) in sessions {
        let rollup = merge_with_kept(&mut query, news)?;
        write(&mut statement, &rollup, &[])?;
    }
    Ok(())
}
