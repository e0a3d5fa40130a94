//! Consumers of the bus, each with its handler, as components of a process.

use std::sync::Arc;
use std::time::Duration;

use bus_consumer::metrics::ConsumerMetrics;
use bus_consumer::{Consumer, Handler, Policy};
use normalizer::{Normalize, NormalizerMetrics};
use ports::analytics::AnalyticsStore;
use ports::bus::{EventBus, Group, Subscription, Topic};
use ports::clock::Clock;
use ports::ledger::Ledger;
use privacy::Vault;
use prometheus::Registry;
use service_runtime::supervisor::Supervisor;
use storage_writer::analytics::WriteAnalytics;
use storage_writer::ledger::{WriteLedger, WriteQuarantine};
use storage_writer::metrics::WriterMetrics;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{ensure_groups, settings};

/// How long to wait before asking a bus again that does not answer.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// Starts consumers.
pub struct Consumers {
    bus: Arc<dyn EventBus>,
    metrics: ConsumerMetrics,
    claim_ttl: Duration,
    policy: Policy,
    /// Tells the consumers of this process from those of every other.
    instance: String,
}

impl Consumers {
    /// Registers the metrics every consumer has.
    pub fn new(
        bus: Arc<dyn EventBus>,
        settings: &settings::Consumer,
        claim_ttl: Duration,
        metrics: &Registry,
    ) -> anyhow::Result<Self> {
        let policy = Policy {
            batch: settings.batch.get(),
            max_attempts: settings.max_attempts.get(),
            ..Policy::default()
        };
        let metrics = ConsumerMetrics::register(metrics)?;
        Ok(Self { bus, metrics, claim_ttl, policy, instance: Uuid::new_v4().simple().to_string() })
    }

    /// The normalizer's three: live deliveries, those sent through again, and those taken apart.
    pub fn normalizer(
        &self,
        vault: &Arc<Vault>,
        metrics: &Registry,
        supervisor: &mut Supervisor,
    ) -> anyhow::Result<()> {
        let metrics = NormalizerMetrics::register(metrics)?;
        for topic in [Topic::Raw, Topic::Replay, Topic::Apart] {
            let handler = Normalize::new(vault.clone(), metrics.clone());
            self.spawn("normalizer", topic, Group::Normalizer, &self.policy, handler, supervisor);
        }
        Ok(())
    }

    /// The ledger's two: events and quarantine.
    pub fn ledger(
        &self,
        ledger: &Arc<dyn Ledger>,
        clock: &Arc<dyn Clock>,
        metrics: &Registry,
        supervisor: &mut Supervisor,
    ) -> anyhow::Result<()> {
        let metrics = WriterMetrics::register(metrics)?;
        let events = WriteLedger { ledger: ledger.clone(), clock: clock.clone(), metrics };
        self.spawn("ledger writer", Topic::Events, Group::Ledger, &self.policy, events, supervisor);
        let quarantine = WriteQuarantine { ledger: ledger.clone(), clock: clock.clone() };
        self.spawn(
            "quarantine writer",
            Topic::Quarantine,
            Group::Ledger,
            &self.policy,
            quarantine,
            supervisor,
        );
        Ok(())
    }

    /// The one of analytics. Takes up to `batch` messages at once: a store of columns wants few and large writes.
    pub fn analytics(&self, analytics: Arc<dyn AnalyticsStore>, batch: usize, supervisor: &mut Supervisor) {
        let policy = Policy { batch, ..self.policy.clone() };
        let handler = WriteAnalytics { analytics };
        self.spawn("analytics writer", Topic::Events, Group::Analytics, &policy, handler, supervisor);
    }

    /// Messages the others take at once.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.policy.batch
    }

    fn spawn<H: Handler>(
        &self,
        name: &'static str,
        topic: Topic,
        group: Group,
        policy: &Policy,
        handler: H,
        supervisor: &mut Supervisor,
    ) {
        let consumer = format!("{}-{}-{}", group.as_str(), topic.as_str(), self.instance);
        let subscription = Subscription { topic, group, consumer, claim_ttl: self.claim_ttl };
        let consumer = Consumer {
            bus: self.bus.clone(),
            metrics: self.metrics.narrowed(&subscription),
            subscription,
            policy: policy.clone(),
            handler,
        };
        let (bus, leaving) = (self.bus.clone(), supervisor.leaving());
        supervisor.spawn(name, async move {
            if groups_are_known(&bus, &leaving).await {
                consumer.run(leaving).await;
            }
            Ok(())
        });
    }
}

/// Makes the groups known as soon as the bus answers; false when told to leave before that.
async fn groups_are_known(bus: &Arc<dyn EventBus>, leaving: &CancellationToken) -> bool {
    loop {
        match ensure_groups(bus).await {
            Ok(()) => return true,
            Err(cause) => {
                tracing::warn!(error = &cause as &dyn std::error::Error, "the bus does not answer yet");
            }
        }
        tokio::select! {
            () = leaving.cancelled() => return false,
            () = tokio::time::sleep(ASK_AGAIN) => {}
        }
    }
}
