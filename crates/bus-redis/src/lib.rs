//! The event bus and the idempotency keys on Redis Streams.
//!
//! A topic is one stream a partition. Everything a partition consists of (its six streams, their books, its share of
//! the idempotency keys) lies in one slot of Redis Cluster, by a hash tag in its keys ([`keys`]), so that whatever has
//! to happen at once can: every step that changes something is one script (`src/lua`), which Redis runs and writes to
//! its log as a whole.
//!
//! - `{prefix}:{p0}:raw`: the stream. An entry has a tenant, a payload and, if it is a dead letter, an origin.
//! - `{prefix}:{p0}:raw:accepted`: tenant → messages ever published.
//! - `{prefix}:{p0}:raw:normalizer:settled`: tenant → messages the group has settled or never had to.
//! - `{prefix}:{p0}:keys` and `…:keys:begun`: idempotency keys, and when each was begun.
//! - `{prefix}:wake:1`: the channel of a topic, by its number, on which partitions are called out that were just
//!   published to.
//!
//! A user of Redis' access control needs `~{prefix}:* &{prefix}:* +@read +@write +@scripting +@pubsub +@connection`
//! and, for [`RedisBus::check`], `+info +config|get`; in a cluster also `+cluster|slots`.
//!
//! What Redis cannot promise: it copies to replicas after it has answered. When Sentinel or Cluster makes a replica
//! the new master, what the old one accepted last may be gone with it, and it accepts more until it hears that it has
//! been replaced. `min-replicas-to-write 1` makes that window short and does not close it.

mod books;
mod bus;
mod claim;
mod entry;
mod failure;
mod idempotency;
mod keys;
mod options;
mod reply;
mod rounds;
mod safety;
mod script;
mod server;
mod tag;
mod target;
mod wake;

pub use bus::RedisBus;
pub use options::{Mode, OpenError, RedisOptions, Safety};
pub use safety::Unsafe;
