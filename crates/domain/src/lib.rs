//! The vocabulary of Letopis: what an event is, what a session is, and the rules over them as pure functions.
//!
//! Depends on nothing else of the workspace and does no I/O. Types here are not serialised: wire forms live in
//! `event-schema`, table rows in the adapters, and each converts from and to these types at its edge.
//!
//! Two words matter most. An [`observation::Observation`] is what a channel saw, with everything personal still in
//! the clear; it lives only in the memory of the gateway and the normalizer. An [`event::Event`] is what is left
//! after pseudonymisation and sealing; it is what travels and what is stored.

pub mod action;
pub mod appointment;
pub mod audit;
pub mod channel;
pub mod consent;
pub mod event;
pub mod id;
pub mod observation;
pub mod overview;
pub mod quarantine;
pub mod registry;
pub mod retention;
pub mod rollup;
pub mod session;
pub mod source_state;
pub mod subject;
pub mod timestamp;
