//! Wire forms of the event.
//!
//! - [`wire`] and [`codec`]: protobuf, on the bus and in the ledger. The schema is `proto-schemas/letopis/event/v1`.
//! - [`public`]: JSON, at the gateway's door. The schema is `proto-schemas/json/event.schema.json`.
//! - [`sealed`]: JSON of what is sealed inside an event.
//!
//! Serialised forms are separate from the domain's types and only ever grow; golden files keep every form readable.

pub mod codec;
pub mod public;
pub mod sealed;
pub mod wire;
