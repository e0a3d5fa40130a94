//! What is counted of queues.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

/// The metrics of all queues. Registered once per process.
#[derive(Clone)]
pub struct QueueMetrics {
    connected: IntGaugeVec,
    letters: IntCounterVec,
    waits: IntCounterVec,
}

/// Those of one queue.
pub(super) struct Counts {
    connected: IntGauge,
    letters: [IntCounter; Outcome::ALL.len()],
    waits: [IntCounter; Why::ALL.len()],
}

/// What became of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All of it was taken.
    Taken,
    /// Part of it was; the rest is in quarantine.
    Part,
    /// Not all of it was, which its sender was told.
    Told,
    /// All of it is in quarantine.
    Quarantined,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Taken, Self::Part, Self::Told, Self::Quarantined];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Part => "part",
            Self::Told => "told",
            Self::Quarantined => "quarantined",
        }
    }
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The broker cannot be reached, or has no such queue.
    Broker,
    /// Our bus takes nothing just now.
    Bus,
    /// The source sends too fast.
    Rate,
    /// What a letter is judged by, keys or the source's mapping, cannot be read.
    Registry,
    /// The source is unknown or revoked.
    Source,
}

impl Why {
    const ALL: [Self; 5] = [Self::Broker, Self::Bus, Self::Rate, Self::Registry, Self::Source];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::Bus => "bus",
            Self::Rate => "rate",
            Self::Registry => "registry",
            Self::Source => "source",
        }
    }
}

impl QueueMetrics {
    /// Makes the metrics known to a registry.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            connected: IntGaugeVec::new(
                Opts::new("letopis_queue_connected", "1 while letters are taken from the queue, else 0."),
                &["queue"],
            )?,
            letters: IntCounterVec::new(
                Opts::new(
                    "letopis_queue_letters_total",
                    "Letters taken off the queue, by what became of them.",
                ),
                &["queue", "outcome"],
            )?,
            waits: IntCounterVec::new(
                Opts::new("letopis_queue_waits_total", "Pauses of the queue, by what was waited for."),
                &["queue", "why"],
            )?,
        };
        registry.register(Box::new(metrics.connected.clone()))?;
        registry.register(Box::new(metrics.letters.clone()))?;
        registry.register(Box::new(metrics.waits.clone()))?;
        Ok(metrics)
    }

    /// Those of one queue, all of them at zero.
    pub(super) fn of(&self, queue: &str) -> Counts {
        let letters = |outcome: Outcome| self.letters.with_label_values(&[queue, outcome.as_str()]);
        let waits = |why: Why| self.waits.with_label_values(&[queue, why.as_str()]);
        let connected = self.connected.with_label_values(&[queue]);
        Counts { connected, letters: Outcome::ALL.map(letters), waits: Why::ALL.map(waits) }
    }
}

impl Counts {
    pub(super) fn connected(&self, is_connected: bool) {
        self.connected.set(i64::from(is_connected));
    }

    pub(super) fn letter(&self, outcome: Outcome) {
        for (known, counter) in Outcome::ALL.iter().zip(&self.letters) {
            if *known == outcome {
                counter.inc();
            }
        }
    }

    pub(super) fn waits(&self, why: Why) {
        for (known, counter) in Why::ALL.iter().zip(&self.waits) {
            if *known == why {
                counter.inc();
            }
        }
    }
}
