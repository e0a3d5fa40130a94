//! The shapes the system comes in, and the programs each is made of.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

/// How the system is put together. A behaviour that only one shape has is a bug.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// One process over SQLite files.
    OneBox,
    /// A process for each service, over Redis, PostgreSQL and ClickHouse.
    Cluster,
}

/// A program that runs and serves.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Service {
    /// `letopis serve`: all of them in one process.
    Letopis,
    /// Takes events and webhooks.
    IngestGateway,
    /// Makes events of what was taken.
    Normalizer,
    /// Writes the ledger and analytics.
    StorageWriter,
    /// Answers questions.
    Console,
}

impl Shape {
    /// What runs, in the order data flows.
    #[must_use]
    pub const fn services(self) -> &'static [Service] {
        match self {
            Self::OneBox => &[Service::Letopis],
            Self::Cluster => {
                &[Service::IngestGateway, Service::Normalizer, Service::StorageWriter, Service::Console]
            }
        }
    }

    /// The program of the command line.
    #[must_use]
    pub const fn command_line(self) -> &'static str {
        match self {
            Self::OneBox => "letopis",
            Self::Cluster => "letopis-admin",
        }
    }

    const fn package(self) -> &'static str {
        match self {
            Self::OneBox => "standalone",
            Self::Cluster => "cluster",
        }
    }

    /// The file of one of its programs: in `folder`, or beside the running program.
    ///
    /// # Errors
    /// It has not been built; the message says how.
    pub fn program(self, name: &str, folder: Option<&Path>) -> anyhow::Result<PathBuf> {
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => beside_us()?,
        };
        let program = folder.join(name);
        let package = self.package();
        ensure!(
            program.is_file(),
            "{} is not there: build it first, with the same profile: cargo build -p {package} --bins",
            program.display()
        );
        Ok(program)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneBox => "one box",
            Self::Cluster => "cluster",
        })
    }
}

impl Service {
    /// The name of its program.
    #[must_use]
    pub const fn program(self) -> &'static str {
        match self {
            Self::Letopis => "letopis",
            Self::IngestGateway => "ingest-gateway",
            Self::Normalizer => "normalizer",
            Self::StorageWriter => "storage-writer",
            Self::Console => "console",
        }
    }

    /// Whether it opens a port for others than operators.
    #[must_use]
    pub const fn speaks_http(self) -> bool {
        matches!(self, Self::Letopis | Self::IngestGateway | Self::Console)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program())
    }
}

/// `target/<profile>`, whether we are a test (in `deps`) or a tool.
fn beside_us() -> anyhow::Result<PathBuf> {
    let us = std::env::current_exe().context("cannot tell where this program lies")?;
    let folder = us.parent().context("this program lies nowhere")?;
    Ok(if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder }.to_owned())
}
