//! Pieces every HTTP service shares: problems, keys and scopes, request ids, request metrics, the OpenAPI document.
//!
//! Sits between actix-web and the services. Knows the registry port, and no service.

pub mod auth;
pub mod endpoint;
pub mod explain;
pub mod extract;
pub mod key;
pub mod keyring;
pub mod local;
pub mod openapi;
pub mod problem;
pub mod telemetry;
