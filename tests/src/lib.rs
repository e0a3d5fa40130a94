//! Scenarios run against the real processes, and the fault and load tools that share their harness.
//!
//! Nothing here knows the product's code: a process is started, its command line is called, its port is spoken to.
//! [`Stand`] is what most scenarios begin with: a data folder, a tenant with its keys, and a running server.

pub mod api;
pub mod cli;
pub mod events;
pub mod faults;
pub mod process;
pub mod stand;

pub use api::{Answer, Api};
pub use cli::Cli;
pub use process::{Letopis, Options};
pub use stand::{Keys, Stand};
