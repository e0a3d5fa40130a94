//! The door from outside: requests in, answers and messages out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod bot;
mod cloudevents;
mod events;
mod fakes;
mod forward;
mod hooks;
mod idempotency;
mod limits;
mod openapi;
mod outages;
mod queues;
mod refusals;
mod salon;
mod signature;
mod traces;
mod wire;
