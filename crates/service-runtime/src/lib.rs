//! The skeleton of every process: settings, telemetry, signals, supervision, readiness and the admin endpoints.
//!
//! The only crate that reads the environment, installs a log subscriber or listens for signals.

pub mod admin;
pub mod readiness;
pub mod settings;
pub mod supervisor;
pub mod telemetry;
