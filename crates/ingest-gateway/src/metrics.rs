//! What the door counts.

use std::time::Duration;

use channels::otlp::Export;
use domain::id::SourceId;
use domain::registry::SourceKind;
use http_kit::problem::ProblemKind;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, Opts, Registry};

const BYTES: [f64; 9] =
    [256.0, 1024.0, 4096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0, 4_194_304.0, 16_777_216.0];
const SECONDS: [f64; 9] = [0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0, 15.0, 50.0];
const EVENTS: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1000.0];

/// The door's metrics. Registered once per process.
#[derive(Clone)]
pub struct GatewayMetrics {
    accepted: IntCounterVec,
    rejected: IntCounterVec,
    limited: IntCounterVec,
    forwarded: IntCounterVec,
    bot_seconds: Histogram,
    replayed: IntCounter,
    spans: IntCounterVec,
    body_bytes: Histogram,
    batch_events: Histogram,
}

impl GatewayMetrics {
    /// Makes the metrics known to a registry.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            accepted: counters(
                "letopis_ingest_accepted_total",
                "Events and deliveries accepted, by kind of source.",
                &["kind"],
            )?,
            rejected: counters(
                "letopis_ingest_rejected_total",
                "Requests refused whole, and events refused within a batch, by kind of problem.",
                &["reason"],
            )?,
            limited: counters(
                "letopis_ingest_limited_total",
                "Requests refused for sending too fast, by source.",
                &["source"],
            )?,
            forwarded: counters(
                "letopis_ingest_forwarded_total",
                "Deliveries passed on to the bot behind a source, by what became of them.",
                &["source", "outcome"],
            )?,
            bot_seconds: Histogram::with_opts(
                HistogramOpts::new("letopis_ingest_bot_seconds", "How long bots took to answer.")
                    .buckets(SECONDS.to_vec()),
            )?,
            replayed: IntCounter::new(
                "letopis_ingest_replayed_total",
                "Requests answered again out of memory, for an idempotency key that was answered before.",
            )?,
            spans: counters(
                "letopis_ingest_spans_total",
                "Spans of traces, by source and what became of them: taken, refused, or other (of no assistant, let fall).",
                &["source", "outcome"],
            )?,
            body_bytes: Histogram::with_opts(
                HistogramOpts::new("letopis_ingest_body_bytes", "Size of bodies after unpacking.")
                    .buckets(BYTES.to_vec()),
            )?,
            batch_events: Histogram::with_opts(
                HistogramOpts::new("letopis_ingest_batch_events", "Events in a request.")
                    .buckets(EVENTS.to_vec()),
            )?,
        };
        registry.register(Box::new(metrics.accepted.clone()))?;
        registry.register(Box::new(metrics.rejected.clone()))?;
        registry.register(Box::new(metrics.limited.clone()))?;
        registry.register(Box::new(metrics.forwarded.clone()))?;
        registry.register(Box::new(metrics.bot_seconds.clone()))?;
        registry.register(Box::new(metrics.replayed.clone()))?;
        registry.register(Box::new(metrics.spans.clone()))?;
        registry.register(Box::new(metrics.body_bytes.clone()))?;
        registry.register(Box::new(metrics.batch_events.clone()))?;
        Ok(metrics)
    }

    pub(crate) fn accepted(&self, kind: SourceKind, events: usize) {
        let events = u64::try_from(events).unwrap_or(u64::MAX);
        self.accepted.with_label_values(&[kind.as_str()]).inc_by(events);
    }

    pub(crate) fn rejected(&self, kind: ProblemKind) {
        self.rejected.with_label_values(&[kind.slug()]).inc();
    }

    /// The label is a source of the registry, never a word out of a request: there are as many as there are sources.
    pub(crate) fn limited(&self, source: &SourceId) {
        self.limited.with_label_values(&[source.as_str()]).inc();
    }

    /// The outcome is a word of ours, the source one of the registry.
    pub(crate) fn forwarded(&self, source: &SourceId, outcome: &'static str) {
        self.forwarded.with_label_values(&[source.as_str(), outcome]).inc();
    }

    pub(crate) fn observe_bot(&self, took: Duration) {
        self.bot_seconds.observe(took.as_secs_f64());
    }

    /// The outcome is a word of ours, the source one of the registry.
    pub(crate) fn spans(&self, source: &SourceId, export: &Export) {
        let Export { spans, others, refused } = export;
        for (outcome, count) in [("taken", spans.len()), ("other", *others), ("refused", refused.len())] {
            let counter = self.spans.with_label_values(&[source.as_str(), outcome]);
            counter.inc_by(u64::try_from(count).unwrap_or(u64::MAX));
        }
    }

    pub(crate) fn replayed(&self) {
        self.replayed.inc();
    }

    pub(crate) fn observe_body(&self, bytes: usize) {
        self.body_bytes.observe(u32::try_from(bytes).map_or(f64::MAX, f64::from));
    }

    pub(crate) fn observe_batch(&self, events: usize) {
        self.batch_events.observe(u32::try_from(events).map_or(f64::MAX, f64::from));
    }
}

fn counters(name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    IntCounterVec::new(Opts::new(name, help), labels)
}
