//! What consumers count.

use ports::bus::Subscription;
use prometheus::{HistogramTimer, HistogramVec, IntCounterVec, Registry, histogram_opts, opts};

/// How handling a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Settled.
    Done,
    /// The world was down; handled again later.
    Retried,
    /// The handler panicked; delivered again later.
    Crashed,
    /// Given up.
    DeadLettered,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retried => "retried",
            Self::Crashed => "crashed",
            Self::DeadLettered => "dead_lettered",
        }
    }
}

/// Shared by all consumers of a process: registered once, then narrowed per consumer.
#[derive(Clone)]
pub struct ConsumerMetrics {
    labels: [&'static str; 2],
    messages: IntCounterVec,
    duration: HistogramVec,
}

impl ConsumerMetrics {
    /// Registers the families with a process's registry.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let messages = IntCounterVec::new(
            opts!("letopis_consumer_messages_total", "Messages handled, by outcome."),
            &["topic", "group", "outcome"],
        )?;
        let duration = HistogramVec::new(
            histogram_opts!(
                "letopis_consumer_batch_duration_seconds",
                "Time spent in the handler, per batch."
            ),
            &["topic", "group"],
        )?;
        registry.register(Box::new(messages.clone()))?;
        registry.register(Box::new(duration.clone()))?;
        Ok(Self { labels: ["", ""], messages, duration })
    }

    /// The same families, for one consumer.
    #[must_use]
    pub fn narrowed(&self, subscription: &Subscription) -> Self {
        Self { labels: [subscription.topic.as_str(), subscription.group.as_str()], ..self.clone() }
    }

    pub(crate) fn start_timer(&self) -> HistogramTimer {
        self.duration.with_label_values(&self.labels).start_timer()
    }

    pub(crate) fn count(&self, outcome: Outcome, messages: usize) {
        let [topic, group] = self.labels;
        let counter = self.messages.with_label_values(&[topic, group, outcome.as_str()]);
        counter.inc_by(u64::try_from(messages).unwrap_or(u64::MAX));
    }
}
