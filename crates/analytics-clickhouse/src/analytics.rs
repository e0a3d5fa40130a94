//! The port.

use std::time::Duration;

use async_trait::async_trait;
use clickhouse::{Client, Row};
use domain::event::Event;
use domain::id::TenantId;
use domain::overview::ChannelFigures;
use domain::timestamp::Timestamp;
use ports::analytics::{AnalyticsError, AnalyticsStore, Period};
use serde::Serialize;

use crate::batch::Batch;
use crate::failure::{Failure, within};
use crate::options::{ClickHouseOptions, OpenError};
use crate::schema::{self, SchemaError};
use crate::sweep::Sweep;
use crate::writer::Writer;
use crate::{connection, overview};

/// Analytics in a ClickHouse database. Dropping it finishes the insert that is under way.
pub struct ClickHouseAnalytics {
    reader: Client,
    writer: Writer,
    sweep: Sweep,
    query_timeout: Duration,
}

impl ClickHouseAnalytics {
    /// Prepares the clients and the thread that writes. Asks nothing of the server: it may be down, or come later.
    ///
    /// # Errors
    /// The options cannot be used.
    pub fn new(options: &ClickHouseOptions) -> Result<Self, OpenError> {
        let reader = connection::reader(options)?;
        Ok(Self {
            sweep: Sweep::new(&reader, options),
            reader,
            writer: Writer::start(options)?,
            query_timeout: options.query_timeout,
        })
    }

    /// Says whether the schema is the one this release works with.
    ///
    /// # Errors
    /// It is not, or the server does not say.
    pub async fn check_schema(&self) -> Result<(), SchemaError> {
        schema::check(&self.reader, self.query_timeout).await
    }
}

#[async_trait]
impl AnalyticsStore for ClickHouseAnalytics {
    async fn absorb(&self, events: &[Event]) -> Result<(), AnalyticsError> {
        if events.is_empty() {
            return Ok(());
        }
        Ok(self.writer.write(Batch::of(events)).await?)
    }

    async fn overview(
        &self,
        tenant: &TenantId,
        period: Period,
    ) -> Result<Vec<ChannelFigures>, AnalyticsError> {
        Ok(within(self.query_timeout, overview::overview(&self.reader, tenant, period)).await?)
    }

    async fn sweep(&self, before: Timestamp) -> Result<u64, AnalyticsError> {
        Ok(self.sweep.sweep(before).await?)
    }

    async fn probe(&self) -> Result<(), AnalyticsError> {
        if !self.writer.works() {
            return Err(Failure::Stopped.into());
        }
        Ok(within(self.query_timeout, probe(&self.reader)).await?)
    }
}

#[derive(Row, Serialize)]
struct ProbeRow {
    id: u8,
}

/// Writes the one row there is, and reads from the tables that the figures come from.
async fn probe(client: &Client) -> Result<(), Failure> {
    let client =
        client.clone().with_setting("async_insert", "0").with_setting("distributed_foreground_insert", "1");
    let mut insert = client.insert::<ProbeRow>("probe").await?;
    insert.write(&ProbeRow { id: 1 }).await?;
    insert.end().await?;
    for table in ["sessions", "appointments"] {
        client.query_raw(&format!("SELECT 1 FROM {table} LIMIT 1")).execute().await?;
    }
    Ok(())
}
