//! What about this Redis is unsafe: where it may lose what it accepted.

use redis::{Cmd, Value};

use crate::bus::Shared;
use crate::failure::Failure;
use crate::options::Safety;
use crate::reply::{array, count, text};

/// The oldest Redis whose scripts can say what they may do at the memory limit.
const OLDEST: (u32, u32) = (7, 0);

/// A way in which Redis may lose what it accepted, or cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Unsafe {
    /// Too old for the scripts of this bus. Never accepted.
    #[error("redis {0} is too old: 7.0 is the oldest that will do")]
    TooOld(String),
    /// It was used with more partitions than are configured; what the others hold would lie there. Never accepted.
    #[error("{configured} partitions are configured, and redis holds {used}: partitions can only be added")]
    FewerPartitions {
        /// As configured.
        configured: u16,
        /// As found.
        used: u64,
    },
    /// It keeps no log.
    #[error("redis keeps no log: set appendonly to yes")]
    NoLog,
    /// It answers before what it did is on the disk.
    #[error("redis answers before the disk has it: set appendfsync to always instead of {0}")]
    LazyLog(String),
    /// At its memory limit it deletes what it pleases.
    #[error("redis evicts keys at its memory limit: set maxmemory-policy to noeviction instead of {0}")]
    Evicts(String),
    /// It does not say.
    #[error("redis does not permit to read its configuration, so it cannot be checked")]
    CannotBeChecked,
}

impl Unsafe {
    /// Whether to start nevertheless.
    #[must_use]
    pub fn is_accepted(&self, safety: Safety) -> bool {
        !matches!(self, Self::TooOld(_) | Self::FewerPartitions { .. }) && safety == Safety::Warn
    }
}

pub(crate) async fn check(shared: &Shared) -> Result<Vec<Unsafe>, Failure> {
    let mut found = Vec::new();
    for info in shared.server.ask_all(redis::cmd("INFO").arg("server")).await? {
        let version = version(&text(info, "what redis says of itself")?);
        if !version.as_deref().is_some_and(is_new_enough) {
            found.push(Unsafe::TooOld(version.unwrap_or_else(|| "of unknown version".to_owned())));
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    found.extend(check_partitions(shared).await?);
    let settings = ["appendonly", "appendfsync", "maxmemory-policy"];
    match shared.server.ask_all(redis::cmd("CONFIG").arg("GET").arg(&settings)).await {
        Ok(answers) => {
            for answer in answers {
                found.extend(check_settings(answer)?);
            }
        }
        // No permission, or a service that has taken the command away.
        Err(Failure::Redis(error)) if !error.is_io_error() => found.push(Unsafe::CannotBeChecked),
        Err(failure) => return Err(failure),
    }
    // Nodes of a cluster commonly have the same faults.
    found.sort();
    found.dedup();
    Ok(found)
}

fn version(info: &str) -> Option<String> {
    let line = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
    line.map(|version| version.trim().to_owned())
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST,
        _ => false,
    }
}

/// Remembers the most partitions there ever were.
async fn check_partitions(shared: &Shared) -> Result<Option<Unsafe>, Failure> {
    let configured = u16::try_from(shared.keys.partitions.len()).unwrap_or(u16::MAX);
    let key = &shared.keys.count;
    let set = |command: &mut Cmd| command.arg(key).arg(configured).clone();
    let answer = shared.server.ask(set(&mut redis::cmd("SET")).arg("NX").arg("GET")).await?;
    if answer == Value::Nil {
        return Ok(None);
    }
    let used = count(answer, "the number of partitions")?;
    if used > u64::from(configured) {
        return Ok(Some(Unsafe::FewerPartitions { configured, used }));
    }
    if used < u64::from(configured) {
        shared.server.ask(&set(&mut redis::cmd("SET"))).await?;
    }
    Ok(None)
}

fn check_settings(answer: Value) -> Result<Vec<Unsafe>, Failure> {
    const WHAT: &str = "a setting of redis";
    let mut found = Vec::new();
    let mut values = match answer {
        Value::Map(pairs) => pairs.into_iter().flat_map(|(name, value)| [name, value]).collect(),
        flat => array(flat, WHAT)?,
    }
    .into_iter();
    while let (Some(name), Some(value)) = (values.next(), values.next()) {
        let value = text(value, WHAT)?;
        match (text(name, WHAT)?.as_str(), value.as_str()) {
            ("appendonly", "no") => found.push(Unsafe::NoLog),
            ("appendfsync", other) if other != "always" => found.push(Unsafe::LazyLog(value)),
            ("maxmemory-policy", other) if other != "noeviction" => found.push(Unsafe::Evicts(value)),
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let said = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n";
        assert_eq!(version(said).as_deref(), Some("7.0.15"));
        for new_enough in ["7.0.0", "7.2.4", "8.0.1", "10.0.0"] {
            assert!(is_new_enough(new_enough), "{new_enough}");
        }
        for old in ["6.2.14", "5.0", "unstable", ""] {
            assert!(!is_new_enough(old), "{old}");
        }
    }

    #[test]
    fn a_lazy_log_is_accepted_where_configured_and_an_old_redis_never() {
        let lazy = Unsafe::LazyLog("everysec".to_owned());
        assert!(lazy.is_accepted(Safety::Warn) && !lazy.is_accepted(Safety::Refuse));
        assert!(!Unsafe::TooOld("6.2".to_owned()).is_accepted(Safety::Warn));
    }

    #[test]
    fn settings_that_lose_data_are_named() {
        let settings = ["appendonly", "no", "appendfsync", "everysec", "maxmemory-policy", "allkeys-lru"];
        let answer = settings.map(|word| Value::BulkString(word.into())).into();
        let found = check_settings(Value::Array(answer)).unwrap();
        let expected =
            [Unsafe::NoLog, Unsafe::LazyLog("everysec".into()), Unsafe::Evicts("allkeys-lru".into())];
        assert_eq!(found, expected);
    }
}
