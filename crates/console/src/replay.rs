//! Sending a quarantined message through again, with the receipt, ids and times it came with.

use bytes::Bytes;
use domain::id::TenantId;
use domain::quarantine::{ListedEntry, QuarantineEntry, QuarantineState, Stage};
use ports::bus::{BusError, EventBus, Message, Partition, Topic};
use ports::ledger::LedgerError;
use ports::quarantine::QuarantineStore;
use privacy::Vault;

use crate::pages::pages;
use crate::reseal::reseal_message;

/// Why a message could not be sent through again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A replay brought it home already.
    #[error("the entry is resolved: there is nothing to send through again")]
    Resolved,
    /// Its message is gone with what else was kept as long.
    #[error("the message has expired: there is nothing left to send through again")]
    Expired,
    /// The message was not published; the entry is as it was.
    #[error("the message could not be published")]
    Bus(#[source] BusError),
    /// The message was published and the entry does not say so: doing it again is harmless.
    #[error("the entry could not be marked")]
    Ledger(#[source] LedgerError),
}

/// Sends entries through again.
#[derive(Clone, Copy)]
pub struct Replayer<'a> {
    /// Where they go.
    pub bus: &'a dyn EventBus,
    /// Where they lie.
    pub quarantine: &'a dyn QuarantineStore,
    /// Seals with the current key what an earlier one sealed.
    pub vault: &'a Vault,
}

/// Publishes the message where its stage begins, then marks the entry.
///
/// It leaves under the current key: on the bus nobody seals anew, and by the time it comes back the former key may have been
/// retired.
///
/// In this order: dying in between leads to a second replay, which ids make harmless; the other way round an entry
/// would say that a message is on its way which is nowhere. An entry that is replaying already may be sent again, for
/// its message may have been lost to a handler's fault.
pub async fn replay(replayer: Replayer<'_>, entry: &QuarantineEntry) -> Result<(), ReplayError> {
    let Replayer { bus, quarantine, vault } = replayer;
    if entry.state == QuarantineState::Resolved {
        return Err(ReplayError::Resolved);
    }
    if entry.is_expired() {
        return Err(ReplayError::Expired);
    }
    // The session is under seal; no order is assumed of what comes back from quarantine.
    let message = reseal_message(vault, entry.stage, Bytes::copy_from_slice(&entry.message));
    let message = Message::new(entry.tenant.clone(), Partition::FIRST, message);
    bus.publish(start_of(entry.stage), vec![message]).await.map_err(ReplayError::Bus)?;
    quarantine.mark_replaying(entry).await.map_err(ReplayError::Ledger)?;
    if entry.stage == Stage::Analyse {
        // The ledger settled this receipt long ago, so nothing will report it home. Should analytics give it up once
        // more, it comes back as an open entry.
        quarantine.resolve(entry).await.map_err(ReplayError::Ledger)?;
    }
    Ok(())
}

/// Sends those of a list through again that still wait, some megabytes of them in memory at a time; says how many those
/// were.
pub(crate) async fn replay_listed(
    replayer: Replayer<'_>,
    tenant: &TenantId,
    listed: &[ListedEntry],
    as_read_now: impl Fn(QuarantineEntry) -> QuarantineEntry,
) -> Result<u32, ReplayError> {
    let mut sent = 0;
    for page in pages(listed) {
        for entry in replayer.quarantine.load(tenant, &page).await.map_err(ReplayError::Ledger)? {
            // Somebody else may have dealt with it since.
            if entry.state == QuarantineState::Open && !entry.is_expired() {
                replay(replayer, &as_read_now(entry)).await?;
                sent += 1;
            }
        }
    }
    Ok(sent)
}

/// Where a message goes in again. Both groups that read events take one they know as the repetition it is.
const fn start_of(stage: Stage) -> Topic {
    match stage {
        Stage::Normalize => Topic::Replay,
        Stage::Record | Stage::Analyse => Topic::Events,
    }
}
