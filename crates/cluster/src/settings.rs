//! The settings of every process; each has its line in `deploy/config/cluster.toml`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use analytics_clickhouse::ClickHouseOptions;
use anyhow::Context as _;
use assembly::queues::Queues;
use assembly::settings::{Admin, Consumer, Http, Retention};
use bus_redis::RedisOptions;
use ledger_postgres::PostgresOptions;
use serde::Deserialize;
use service_runtime::telemetry::LogConfig;

/// Every setting with its default, as compiled in.
pub const DEFAULTS: &str = include_str!("../../../deploy/config/cluster.toml");

/// All settings. One type for all processes, so that one file fits all of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the section of its name, documented there")]
pub struct Settings {
    pub http: Http,
    pub admin: Admin,
    pub log: LogConfig,
    pub keys: Keys,
    pub ingest: ingest_gateway::Config,
    pub queues: Queues,
    pub bus: Bus,
    pub consumer: Consumer,
    pub retention: Retention,
    pub redis: RedisOptions,
    pub postgres: PostgresOptions,
    pub clickhouse: ClickHouseOptions,
}

/// `[keys]`: where secrets lie.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The file with the master key.
    pub master_key_file: PathBuf,
}

/// `[bus]`: what holds for the bus whatever it runs on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bus {
    /// How long a claim holds without being extended.
    #[serde(with = "humantime_serde")]
    pub claim_ttl: Duration,
}

impl Settings {
    /// Reads the settings: defaults, then `file`, then the environment.
    pub fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let settings: Self = service_runtime::settings::load(DEFAULTS, file)?;
        settings.validate().context("the settings contradict each other")?;
        Ok(settings)
    }

    fn validate(&self) -> anyhow::Result<()> {
        assembly::settings::validate(&self.ingest, self.bus.claim_ttl, &self.consumer, &self.retention)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_in_file_is_complete_and_says_what_the_adapters_do_by_themselves() {
        let settings = Settings::load(None).unwrap();
        assert_eq!(settings.ingest, ingest_gateway::Config::default(), "the file says what the gateway does");
        assert_eq!(format!("{:?}", settings.redis), format!("{:?}", RedisOptions::default()));
        assert_eq!(format!("{:?}", settings.postgres), format!("{:?}", PostgresOptions::default()));
        assert_eq!(format!("{:?}", settings.clickhouse), format!("{:?}", ClickHouseOptions::default()));
    }
}
