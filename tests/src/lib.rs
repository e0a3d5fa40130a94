//! Scenarios run against the real processes, and the tools that try and measure them with the same harness.
//!
//! Nothing here knows the product's code: processes are started, the command line is called, ports are spoken to.
//! [`Stand`] is what most scenarios begin with: an empty place to keep things, a tenant with its keys, and a running
//! system of one [`Shape`].
//!
//! ```text
//! Options      which shape, how many of each service, which settings, which engines
//! House        a place with a tenant, before anything runs: a data folder, or a Site in the engines
//! Stand        a House with a running system
//!  ├ letopis   its processes: all of them, or member(Service::Normalizer, 1): kill, stop, freeze, thaw, restart
//!  ├ api       its ports, and the questions scenarios ask there
//!  ├ cli       its command line
//!  └ site      what a cluster keeps in the engines
//! Bot          a bot behind a source, that answers as it is told to
//! Engines      the addresses of Redis, PostgreSQL and ClickHouse: those all tests share,
//! OwnEngines   or private ones: kill, freeze, thaw, start again
//! ```
//!
//! The kill test of a cluster, in short:
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use system_tests::{Engine, Options, OwnEngines, Service, Shape, Stand};
//!
//! let mut engines = OwnEngines::start().await?;
//! let options = Options::of(Shape::Cluster).replicated(2).on(engines.addresses());
//! let mut stand = Stand::with(options).await?;
//! stand.letopis.member(Service::StorageWriter, 1)?.kill().await?;
//! engines.kill(Engine::Postgres).await?;
//! engines.start_again(Engine::Postgres).await?;
//! stand.letopis.restart().await?;
//! stand.settled().await?;
//! # Ok(())
//! # }
//! ```

pub mod api;
pub mod bench;
pub mod bot;
pub mod brokers;
pub mod cli;
pub mod engines;
pub mod events;
pub mod faults;
pub mod letopis;
pub mod options;
pub mod own_engines;
pub mod process;
pub mod shape;
pub mod signal;
pub mod site;
pub mod stand;
pub mod trials;

pub use api::{Answer, Api};
pub use cli::Cli;
pub use engines::Engines;
pub use letopis::Letopis;
pub use options::Options;
pub use own_engines::{Engine, OwnEngines};
pub use process::Process;
pub use shape::{Service, Shape};
pub use site::Site;
pub use stand::{House, Keys, Stand};
