//! Counting, over all partitions.

use std::collections::BTreeMap;

use domain::id::TenantId;
use futures_util::future::try_join_all;
use ports::bus::{Backlog, Group, Topic};
use redis::Cmd;

use crate::bus::Shared;
use crate::failure::Failure;
use crate::reply::{add_per_tenant, parts, published_at, text};

/// What a group has yet to settle.
pub(crate) async fn backlog(shared: &Shared, topic: Topic, group: Group) -> Result<Backlog, Failure> {
    const WHAT: &str = "a backlog";
    let of_partitions = try_join_all(shared.keys.partitions.iter().map(async |partition| {
        let keys = [partition.stream(topic), partition.accepted(topic), partition.settled(topic, group)];
        let fill = |command: &mut Cmd| {
            command.arg(group.as_str());
        };
        shared.server.run(&shared.scripts.backlog, &keys, fill).await
    }));
    let mut backlog = Backlog::default();
    for answer in of_partitions.await? {
        let [counts, oldest] = parts(answer, WHAT)?;
        add_per_tenant(&mut backlog.receipts, counts)?;
        let oldest = text(oldest, WHAT)?;
        if !oldest.is_empty() {
            let oldest = published_at(&oldest)?;
            backlog.oldest = Some(backlog.oldest.map_or(oldest, |older| older.min(oldest)));
        }
    }
    Ok(backlog)
}

/// Receipts ever published, per tenant.
pub(crate) async fn accepted(shared: &Shared, topic: Topic) -> Result<BTreeMap<TenantId, u64>, Failure> {
    let of_partitions = try_join_all(shared.keys.partitions.iter().map(async |partition| {
        shared.server.ask(redis::cmd("HGETALL").arg(partition.accepted(topic))).await
    }));
    let mut accepted = BTreeMap::new();
    for answer in of_partitions.await? {
        add_per_tenant(&mut accepted, answer)?;
    }
    Ok(accepted)
}
