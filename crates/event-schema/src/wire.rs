//! Generated from `proto-schemas/` by `cargo xtask schemas`; convert with [`crate::codec`].

#![allow(missing_docs, unreachable_pub, clippy::allow_attributes_without_reason, reason = "generated code")]

include!("wire/letopis.event.v1.rs");
