//! The settings of the one box; each has its line in `deploy/config/standalone.toml`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use assembly::queues::Queues;
use serde::Deserialize;
use service_runtime::telemetry::LogConfig;

pub(crate) const DEFAULTS: &str = include_str!("../../../deploy/config/standalone.toml");

/// All settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) data_dir: PathBuf,
    pub(crate) http: assembly::settings::Http,
    pub(crate) admin: assembly::settings::Admin,
    pub(crate) log: LogConfig,
    pub(crate) ingest: ingest_gateway::Config,
    pub(crate) queues: Queues,
    pub(crate) bus: Bus,
    pub(crate) consumer: assembly::settings::Consumer,
    pub(crate) retention: assembly::settings::Retention,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bus {
    pub(crate) max_messages: u64,
    #[serde(with = "humantime_serde")]
    pub(crate) claim_ttl: Duration,
}

impl Settings {
    /// Reads the settings: defaults, then `file`, then the environment; then what the command line says.
    pub(crate) fn load(
        file: Option<&Path>,
        data_dir: Option<PathBuf>,
        listen: Option<SocketAddr>,
    ) -> anyhow::Result<Self> {
        let mut settings: Self = service_runtime::settings::load(DEFAULTS, file)?;
        settings.data_dir = data_dir.unwrap_or(settings.data_dir);
        settings.http.listen = listen.unwrap_or(settings.http.listen);
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
    fn the_compiled_in_file_is_complete_and_consistent() {
        let settings = Settings::load(None, None, None).unwrap();
        assert_eq!(settings.http.listen.port(), 8686);
        assert_eq!(settings.admin.listen, None);
        assert_eq!(settings.ingest, ingest_gateway::Config::default(), "the file says what the gateway does");
        assert_eq!(settings.retention.events, Duration::from_secs(90 * 24 * 60 * 60));
    }
}
