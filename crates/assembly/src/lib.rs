//! Puts services together over ports: what both shapes do the same way, so that they cannot differ in it.
//!
//! A composition root opens adapters, picks the services that run in its process and hands both to the functions
//! here. Nothing in this crate knows an adapter, and nothing but composition roots knows this crate.

pub mod consumers;
pub mod health;
pub mod housekeeping;
pub mod http;
pub mod queues;
pub mod settings;

use std::sync::Arc;

use ports::bus::{BusError, EventBus, READERS};

/// Makes every group known. Each process does it for all of them before it consumes, and not only for its own: a
/// topic is trimmed by the groups that are known, so one that is made known late would miss what the others settled.
pub async fn ensure_groups(bus: &Arc<dyn EventBus>) -> Result<(), BusError> {
    for (topic, group) in READERS {
        bus.ensure_group(topic, group).await?;
    }
    Ok(())
}
