//! The pieces together, as a service uses them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod auth;
mod docs;
mod keyring;
mod problem;
mod telemetry;
