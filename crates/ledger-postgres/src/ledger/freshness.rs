//! Whether what comes is expected to be new.
//!
//! To add rows that are new costs two thirds of adding those that may be there: each of these is looked for, added
//! for now, and confirmed. What comes is new, except after a crash, when much of it was there before. So it is taken
//! for new first; a key that is there fails the transaction, and all of it is done again with care, as are the next
//! calls.

use std::sync::atomic::{AtomicU32, Ordering};

/// How many calls are done with care after one that was wrongly taken for new: what failed costs as much as a call
/// does, so never more than a few in a hundred are lost.
const CAREFUL_CALLS: u32 = 32;

/// Below this many events a call has nothing to gain that is worth the time of being wrong.
const WORTHWHILE: usize = 32;

/// How many calls are yet to be done with care.
#[derive(Default)]
pub(super) struct Freshness(AtomicU32);

impl Freshness {
    /// Whether a call of so many events takes them for new.
    pub(super) fn is_expected(&self, events: usize) -> bool {
        // Several calls at once may count as one: it is a guess either way.
        let left = self.0.load(Ordering::Relaxed);
        self.0.store(left.saturating_sub(1), Ordering::Relaxed);
        left == 0 && events >= WORTHWHILE
    }

    /// Something was there already.
    pub(super) fn was_wrong(&self) {
        self.0.store(CAREFUL_CALLS, Ordering::Relaxed);
    }
}
