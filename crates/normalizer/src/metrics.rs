//! What the normalizer counts.

use domain::event::Event;
use domain::quarantine::ReasonClass;
use prometheus::{IntCounterVec, Registry, opts};

/// What the normalizer counts.
#[derive(Clone)]
pub struct NormalizerMetrics {
    events: IntCounterVec,
    quarantined: IntCounterVec,
}

impl NormalizerMetrics {
    /// Registers the families with a process's registry.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let events = IntCounterVec::new(
            opts!(
                "letopis_normalizer_events_total",
                "Canonical events made, by channel and whether the kind of message is known."
            ),
            &["channel", "kind"],
        )?;
        let quarantined = IntCounterVec::new(
            opts!(
                "letopis_normalizer_quarantined_total",
                "Deliveries that could not be understood, by reason."
            ),
            &["reason"],
        )?;
        registry.register(Box::new(events.clone()))?;
        registry.register(Box::new(quarantined.clone()))?;
        Ok(Self { events, quarantined })
    }

    pub(crate) fn count_events(&self, events: &[Event]) {
        for event in events {
            let kind = if event.flags.unknown_kind { "unknown" } else { "known" };
            self.events.with_label_values(&[event.channel.as_str(), kind]).inc();
        }
    }

    pub(crate) fn count_quarantined(&self, class: ReasonClass) {
        self.quarantined.with_label_values(&[class.as_str()]).inc();
    }
}
