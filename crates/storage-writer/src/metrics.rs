//! What the storage-writer counts.

use ports::ledger::Recorded;
use prometheus::{IntCounterVec, Registry, opts};

/// What the storage-writer counts.
#[derive(Clone)]
pub struct WriterMetrics {
    receipts: IntCounterVec,
}

impl WriterMetrics {
    /// Registers the families with a process's registry.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let receipts = IntCounterVec::new(
            opts!("letopis_ledger_receipts_total", "Receipts recorded, by what became of them."),
            &["outcome"],
        )?;
        registry.register(Box::new(receipts.clone()))?;
        Ok(Self { receipts })
    }

    pub(crate) fn count_recorded(&self, outcomes: &[Recorded]) {
        for outcome in outcomes {
            let word = match outcome {
                Recorded::Stored => "stored",
                Recorded::Duplicate => "duplicate",
                Recorded::Conflict => "conflict",
                Recorded::Already => "redelivered",
            };
            self.receipts.with_label_values(&[word]).inc();
        }
    }
}
