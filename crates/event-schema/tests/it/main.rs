//! The wire forms of the event, as the rest of the workspace and the world see them.

mod codec;
mod examples;
mod golden;
mod public;
mod sealed;
mod strategies;
