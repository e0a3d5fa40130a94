//! Entries of the quarantine with their messages, some megabytes at a time: a hundred of them may be hundreds.

use domain::id::ReceiptId;
use domain::quarantine::{ListedEntry, Stage};

/// What messages may take at a time; one that is larger comes alone.
const PAGE_BYTES: u64 = 16 * 1024 * 1024;

/// Names an entry among those of its tenant.
pub(crate) type Key = (ReceiptId, Stage);

/// Which entries are loaded together, in their order.
pub(crate) fn pages(entries: &[ListedEntry]) -> Vec<Vec<Key>> {
    let mut pages: Vec<Vec<Key>> = Vec::new();
    let mut left = 0;
    for entry in entries {
        let key = (entry.receipt, entry.stage);
        match (pages.last_mut(), entry.message_bytes <= left) {
            (Some(page), true) => {
                page.push(key);
                left -= entry.message_bytes;
            }
            _ => {
                pages.push(vec![key]);
                left = PAGE_BYTES.saturating_sub(entry.message_bytes);
            }
        }
    }
    pages
}

#[cfg(test)]
mod tests {
    use domain::id::{SourceId, TenantId};
    use domain::quarantine::{QuarantineState, Reason, ReasonClass};
    use domain::timestamp::Timestamp;

    use super::*;

    fn entry(message_bytes: u64) -> ListedEntry {
        ListedEntry {
            receipt: ReceiptId::generate(),
            stage: Stage::Normalize,
            tenant: TenantId::parse("salon").unwrap(),
            source: SourceId::parse("bot").unwrap(),
            reason: Reason { class: ReasonClass::Invalid, pointer: None, detail: String::new() },
            received_at: Timestamp::EPOCH,
            quarantined_at: Timestamp::EPOCH,
            message_bytes,
            state: QuarantineState::Open,
            replays: 0,
        }
    }

    #[test]
    fn what_is_loaded_together_is_some_megabytes_and_nothing_is_left_out() {
        let megabytes = [4, 4, 4, 4, 1, 100, 1, 15, 1];
        let entries = megabytes.map(|megabytes| entry(megabytes * 1024 * 1024));
        let pages = pages(&entries);
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [4, 1, 1, 2, 1]);
        let keys: Vec<_> = entries.iter().map(|entry| (entry.receipt, entry.stage)).collect();
        assert_eq!(pages.concat(), keys);
        assert!(super::pages(&[]).is_empty());
    }
}
