//! Generated from `proto/otlp.proto` by `cargo xtask schemas`.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::allow_attributes_without_reason,
    clippy::enum_variant_names,
    reason = "generated code"
)]

include!("wire/otlp.rs");
