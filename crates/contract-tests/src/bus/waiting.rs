//! The same bus for a caller who always waits, as consumers do.
//!
//! An adapter may well look less thoroughly while it waits to be told than when it is asked what there is. The contract
//! makes no difference, so its clauses are run both ways.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::id::TenantId;
use ports::bus::{
    Backlog, BusError, Delivery, DeliveryTag, EventBus, Group, Message, Settlement, Subscription, Topic,
};

use super::Port;
use crate::World;

/// How long a claim waits that would not. Less than an adapter may take to notice something by itself.
const WAIT: Duration = Duration::from_millis(125);

/// A bus whose every claim waits.
pub struct Waiting<P: ?Sized>(Arc<P>);

/// A place with such a bus in it.
pub struct WaitingWorld<W>(pub W);

#[async_trait]
impl<W: World<Port>> World<Port> for WaitingWorld<W> {
    async fn open(&self) -> Arc<Port> {
        Arc::new(Waiting(self.0.open().await))
    }
}

#[async_trait]
impl<P: EventBus + ?Sized> EventBus for Waiting<P> {
    async fn claim(&self, sub: &Subscription, max: usize, wait: Duration) -> Result<Vec<Delivery>, BusError> {
        self.0.claim(sub, max, wait.max(WAIT)).await
    }

    async fn ensure_group(&self, topic: Topic, group: Group) -> Result<(), BusError> {
        self.0.ensure_group(topic, group).await
    }

    async fn publish(&self, topic: Topic, messages: Vec<Message>) -> Result<(), BusError> {
        self.0.publish(topic, messages).await
    }

    async fn extend(&self, sub: &Subscription, tags: &[DeliveryTag]) -> Result<(), BusError> {
        self.0.extend(sub, tags).await
    }

    async fn release(&self, sub: &Subscription, tags: &[DeliveryTag]) -> Result<(), BusError> {
        self.0.release(sub, tags).await
    }

    async fn settle(&self, sub: &Subscription, settlements: Vec<Settlement>) -> Result<(), BusError> {
        self.0.settle(sub, settlements).await
    }

    async fn backlog(&self, topic: Topic, group: Group) -> Result<Backlog, BusError> {
        self.0.backlog(topic, group).await
    }

    async fn accepted(&self, topic: Topic) -> Result<BTreeMap<TenantId, u64>, BusError> {
        self.0.accepted(topic).await
    }

    async fn probe(&self) -> Result<(), BusError> {
        self.0.probe().await
    }
}
