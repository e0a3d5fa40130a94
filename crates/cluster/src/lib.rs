//! The services as processes of their own, on Redis, PostgreSQL and ClickHouse.
//!
//! A composition root: the only crate beside `standalone` that knows adapters. Each program in `src/bin` says which
//! services its process runs and what it depends on; how a process starts, is probed and stops is in [`process`].
//! A process starts whether its stores answer or not: it waits for them, and `/readyz` says for which.

pub mod migrate;
pub mod office;
pub mod process;
pub mod settings;
pub mod stores;

/// Gives memory back to the system after a burst, which the C library's allocator does not.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
