//! The console over stores in memory: who gets what, and in which form.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod ask;
mod audit;
mod groups;
mod mappings;
mod openapi;
mod overview;
mod page;
mod quarantine;
mod reconcile;
mod sessions;
mod sources;
mod subjects;
mod tenant;
mod timeline;
mod world;
