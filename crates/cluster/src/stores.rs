//! The adapters, opened: nothing is asked of them yet, so that a process starts beside a store that is down.

use std::sync::Arc;
use std::time::Duration;

use analytics_clickhouse::ClickHouseAnalytics;
use anyhow::Context as _;
use assembly::queues::Brokers;
use bus_redis::{RedisBus, Safety};
use command_line::KeyFile;
use ledger_postgres::PostgresLedger;
use privacy::Vault;
use queue_amqp::AmqpQueue;
use queue_redis::RedisQueue;
use tokio_util::sync::CancellationToken;

use crate::settings::Settings;

/// How long to wait before asking a store again that does not answer.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How often consumers that are gone are taken off the bus.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// Whose queues can be doors.
#[must_use]
pub fn brokers() -> [Brokers; 2] {
    [
        Brokers { schemes: &queue_amqp::SCHEMES, open: |options| Ok(Arc::new(AmqpQueue::new(options)?)) },
        Brokers { schemes: &queue_redis::SCHEMES, open: |options| Ok(Arc::new(RedisQueue::new(options)?)) },
    ]
}

/// Opens the bus.
pub fn bus(settings: &Settings) -> anyhow::Result<Arc<RedisBus>> {
    let bus = RedisBus::new(&settings.redis, settings.ingest.partitions);
    Ok(Arc::new(bus.context("the section [redis] cannot be used")?))
}

/// Opens the ledger, with quarantine and registry.
pub fn ledger(settings: &Settings) -> anyhow::Result<Arc<PostgresLedger>> {
    let ledger = PostgresLedger::new(&settings.postgres);
    Ok(Arc::new(ledger.context("the section [postgres] cannot be used")?))
}

/// Opens analytics.
pub fn analytics(settings: &Settings) -> anyhow::Result<Arc<ClickHouseAnalytics>> {
    let analytics = ClickHouseAnalytics::new(&settings.clickhouse);
    Ok(Arc::new(analytics.context("the section [clickhouse] cannot be used")?))
}

/// Reads the master keys.
pub fn vault(settings: &Settings) -> anyhow::Result<Arc<Vault>> {
    let path = &settings.keys.master_key_file;
    let keys = KeyFile::at(path).read()?.with_context(|| {
        format!(
            "there are no master keys in {}: make them with letopis-admin master-key make, or set keys.master_key_file",
            path.display()
        )
    })?;
    Ok(Arc::new(Vault::new(keys)))
}

/// Says what is unsafe about the bus as soon as it answers, and refuses to work with it where configured; then takes
/// consumers off it that are gone.
pub async fn look_after_bus(
    bus: Arc<RedisBus>,
    safety: Safety,
    leaving: CancellationToken,
) -> anyhow::Result<()> {
    let check = || async { bus.check().await.ok() };
    let Some(findings) = answered(check, leaving.clone()).await else { return Ok(()) };
    for finding in &findings {
        tracing::warn!(%finding, "the bus may lose what was acknowledged");
    }
    if let Some(refused) = findings.iter().find(|finding| !finding.is_accepted(safety)) {
        anyhow::bail!("this redis is not to be used: {refused}");
    }
    let mut beat = tokio::time::interval(TIDY_EVERY);
    loop {
        tokio::select! {
            () = leaving.cancelled() => return Ok(()),
            _ = beat.tick() => {}
        }
        if let Err(cause) = bus.tidy().await {
            tracing::warn!(error = &cause as &dyn std::error::Error, "failed to tidy the bus");
        }
    }
}

/// Ends with an error when the ledger's schema is another release's; waits for as long as it does not answer.
pub async fn check_ledger(ledger: Arc<PostgresLedger>, leaving: CancellationToken) -> anyhow::Result<()> {
    use ledger_postgres::SchemaError::{Newer, Unavailable};
    let check = || async {
        match ledger.check_schema().await {
            Err(Unavailable(_)) => None,
            Err(newer @ Newer { .. }) => Some(Schema::Newer(newer.into())),
            checked => Some(Schema::Compared(checked.map_err(Into::into))),
        }
    };
    hold_to("the ledger", check, leaving).await
}

/// Ends with an error when the schema of analytics is another release's; waits for as long as it does not answer.
pub async fn check_analytics(
    analytics: Arc<ClickHouseAnalytics>,
    leaving: CancellationToken,
) -> anyhow::Result<()> {
    use analytics_clickhouse::SchemaError::{Newer, Unavailable};
    let check = || async {
        match analytics.check_schema().await {
            Err(Unavailable(_)) => None,
            Err(newer @ Newer { .. }) => Some(Schema::Newer(newer.into())),
            checked => Some(Schema::Compared(checked.map_err(Into::into))),
        }
    };
    hold_to("analytics", check, leaving).await
}

/// What a store answers about its schema.
enum Schema {
    /// A later release has migrated it.
    Newer(ports::Cause),
    /// It is this release's, or there is something to do first.
    Compared(Result<(), ports::Cause>),
}

async fn hold_to<F: Future<Output = Option<Schema>>>(
    store: &'static str,
    check: impl Fn() -> F,
    leaving: CancellationToken,
) -> anyhow::Result<()> {
    match answered(check, leaving.clone()).await {
        None => return Ok(()),
        // Schemas grow first and shrink a release later, so the next release's still fits this one: refused, no
        // process of this release could be restarted between the migration and its own update.
        Some(Schema::Newer(newer)) => {
            tracing::warn!(
                store,
                error = &*newer as &dyn std::error::Error,
                "a newer release has migrated the schema"
            );
        }
        Some(Schema::Compared(compared)) => compared.map_err(anyhow::Error::from_boxed)?,
    }
    leaving.cancelled().await;
    Ok(())
}

/// Asks until there is an answer; `None` when told to leave before.
async fn answered<T, F: Future<Output = Option<T>>>(
    ask: impl Fn() -> F,
    leaving: CancellationToken,
) -> Option<T> {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    };
    leaving.run_until_cancelled(asking).await
}
