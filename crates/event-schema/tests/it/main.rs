//! The wire forms of the event, as the rest of the workspace and the world see them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod codec;
mod examples;
mod golden;
mod public;
mod sealed;
mod strategies;
mod text;
