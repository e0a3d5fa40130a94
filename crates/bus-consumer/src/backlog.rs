//! How far behind the groups are: gauges, refreshed on a timer.

use std::sync::Arc;
use std::time::Duration;

use ports::bus::{EventBus, Group, Topic};
use ports::clock::Clock;
use prometheus::{GaugeVec, IntGaugeVec, Registry, opts};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Reads the backlog of some groups again and again.
pub struct BacklogMeter {
    bus: Arc<dyn EventBus>,
    clock: Arc<dyn Clock>,
    messages: IntGaugeVec,
    oldest: GaugeVec,
}

impl BacklogMeter {
    /// Registers the gauges with a process's registry.
    pub fn register(
        registry: &Registry,
        bus: Arc<dyn EventBus>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, prometheus::Error> {
        let labels = &["topic", "group"];
        let messages = IntGaugeVec::new(
            opts!("letopis_bus_backlog_messages", "Messages a group has yet to settle."),
            labels,
        )?;
        let oldest = GaugeVec::new(
            opts!("letopis_bus_oldest_age_seconds", "Age of the oldest message a group has yet to settle."),
            labels,
        )?;
        registry.register(Box::new(messages.clone()))?;
        registry.register(Box::new(oldest.clone()))?;
        Ok(Self { bus, clock, messages, oldest })
    }

    /// Measures every `interval` until `shutdown`.
    pub async fn run(self, groups: Vec<(Topic, Group)>, interval: Duration, shutdown: CancellationToken) {
        let mut beat = tokio::time::interval(interval);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = beat.tick() => {}
            }
            for &(topic, group) in &groups {
                self.measure(topic, group).await;
            }
        }
    }

    async fn measure(&self, topic: Topic, group: Group) {
        match self.bus.backlog(topic, group).await {
            Ok(backlog) => {
                let labels = [topic.as_str(), group.as_str()];
                let total = i64::try_from(backlog.total()).unwrap_or(i64::MAX);
                self.messages.with_label_values(&labels).set(total);
                let age = backlog.oldest.map_or(Duration::ZERO, |at| at.distance(self.clock.now()));
                self.oldest.with_label_values(&labels).set(age.as_secs_f64());
            }
            Err(cause) => warn!(error = &cause as &dyn std::error::Error, "failed to measure a backlog"),
        }
    }
}
