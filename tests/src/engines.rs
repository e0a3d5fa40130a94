//! The addresses of the engines a cluster runs on.

use std::path::PathBuf;

use anyhow::Context as _;

/// The role the services work as: it may not change the schema.
const APP_ROLE: &str = "letopis:letopis";

/// Addresses of Redis, PostgreSQL and ClickHouse.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Engines {
    /// `redis://…`
    pub redis: String,
    /// `postgres://owner:…@…/database`: the role that owns the database and may make schemas.
    pub postgres: String,
    /// `http://…`, the user `default` without a password.
    pub clickhouse: String,
}

impl Engines {
    /// The ones all tests share, each in a [`crate::Site`] of its own.
    ///
    /// # Errors
    /// They are not named in the environment: a test that needs an engine fails without it.
    pub fn shared() -> anyhow::Result<Self> {
        Ok(Self {
            redis: named("LETOPIS_TEST_REDIS")?,
            postgres: named("LETOPIS_TEST_POSTGRES")?,
            clickhouse: named("LETOPIS_TEST_CLICKHOUSE")?,
        })
    }

    /// The folder they are in, for those that are started by who needs them.
    ///
    /// # Errors
    /// It is not named in the environment.
    pub fn shared_folder() -> anyhow::Result<PathBuf> {
        named("LETOPIS_TEST_ENGINES").map(PathBuf::from)
    }

    /// `postgres://…` for the role the services work as.
    pub fn postgres_app(&self) -> anyhow::Result<String> {
        let (scheme, rest) = self.postgres.split_once("://").context("not a URL")?;
        let (_owner, host) = rest.rsplit_once('@').context("the URL of PostgreSQL names no user")?;
        Ok(format!("{scheme}://{APP_ROLE}@{host}"))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "where the test command started engines is no setting of a service"
)]
fn named(variable: &str) -> anyhow::Result<String> {
    std::env::var(variable).with_context(|| {
        format!("{variable} is not set: run scripts/test, or first eval \"$(scripts/engines up)\"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_work_as_another_role_in_the_same_database() {
        let engines = Engines {
            redis: "redis://127.0.0.1:1".into(),
            postgres: "postgres://letopis_owner:owner@127.0.0.1:2/letopis".into(),
            clickhouse: "http://127.0.0.1:3".into(),
        };
        assert_eq!(engines.postgres_app().unwrap(), "postgres://letopis:letopis@127.0.0.1:2/letopis");
    }
}
