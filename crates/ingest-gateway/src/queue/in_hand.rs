//! Letters between their queue and our bus.

use std::time::Duration;

use ports::queue::{Letter, LetterTag};
use tokio::time::Instant;

use super::letter::Judged;

/// Letters are taken off the queue together, once so many receipts or bytes have come together.
const PORTION_RECEIPTS: usize = 512;
const PORTION_BYTES: usize = 2 * 1024 * 1024;

/// Letters that are not acknowledged yet, and when the broker last heard that we have them.
pub(super) struct InHand {
    tags: Vec<LetterTag>,
    told_at: Instant,
}

impl Default for InHand {
    fn default() -> Self {
        Self { tags: Vec::new(), told_at: Instant::now() }
    }
}

impl InHand {
    pub(super) fn of(letters: &[Letter]) -> Self {
        Self { tags: letters.iter().map(|letter| letter.tag.clone()).collect(), told_at: Instant::now() }
    }

    /// When the broker must hear of them again; never when there are none.
    pub(super) fn next_word(&self, hold_for: Duration) -> Option<Instant> {
        (!self.tags.is_empty()).then(|| self.told_at + hold_for / 3)
    }

    /// What the broker is told now.
    pub(super) fn word(&mut self) -> &[LetterTag] {
        self.told_at = Instant::now();
        &self.tags
    }

    pub(super) fn strike(&mut self, tags: &[LetterTag]) {
        self.tags.retain(|tag| !tags.contains(tag));
    }
}

/// Letters that were judged and let in, and are taken off the queue together.
#[derive(Default)]
pub(super) struct Portion {
    pub(super) judged: Vec<Judged>,
    receipts: usize,
    bytes: usize,
}

impl Portion {
    pub(super) fn add(&mut self, judged: Judged) {
        self.receipts += judged.taken().chain(judged.refused()).count();
        self.bytes += judged.bytes();
        self.judged.push(judged);
    }

    pub(super) fn is_full(&self) -> bool {
        self.receipts >= PORTION_RECEIPTS || self.bytes >= PORTION_BYTES
    }
}
