//! Reading what waits in quarantine by a mended mapping: first what would become of it, then for good. For the page and
//! the command line.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::Arc;

use bytes::Bytes;
use channels::{Kept, Mapping};
use domain::audit::{About, AuditEntry, Deed, Who};
use domain::id::{SourceId, TenantId};
use domain::quarantine::{QuarantineEntry, QuarantineState, Stage};
use domain::timestamp::Timestamp;
use event_schema::codec::RawDelivery;
use ports::audit::AuditLog;
use ports::ledger::LedgerError;
use ports::quarantine::{QuarantineQuery, QuarantineStore};
use privacy::Vault;

use crate::pages::pages;
use crate::replay::{ReplayError, Replayer, replay_listed};
use crate::workbench::{Step, open_before};

/// Entries listed at a time, without what they hold.
const CHUNK: u32 = 1_000;

/// What would become of entries if they were read by a mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Entries that would be understood.
    pub understood: u64,
    /// As how many events.
    pub events: u64,
    /// What is wrong with the others, and with how many of them.
    pub faults: BTreeMap<Fault, u64>,
}

/// Why an entry would not be understood; holds no value out of its body.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// JSON pointer to the spot, where there is one.
    pub pointer: Option<String>,
    /// What was expected there.
    pub detail: String,
}

impl Preview {
    /// Entries that would come back.
    #[must_use]
    pub fn not_understood(&self) -> u64 {
        self.faults.values().sum()
    }

    /// Takes in what would become of these entries. What no mapping reads is passed over.
    pub fn add(&mut self, vault: &Vault, entries: &[QuarantineEntry], mapping: &Mapping) {
        for entry in entries {
            let Some(raw) = mapped(entry) else { continue };
            let body = vault.tenant(&entry.tenant).open_body(entry.receipt, &raw.sealed_body);
            // The cause is not passed on: that of unreadable content may quote it.
            let Ok(body) = body else {
                self.fault(None, "its body cannot be opened: the key is unknown here".to_owned());
                continue;
            };
            let kept = Kept { kind: raw.kind, received_at: raw.received_at, body: &body };
            for verdict in channels::preview(mapping, [kept]) {
                match verdict {
                    Ok(observations) => {
                        self.understood += 1;
                        self.events += u64::try_from(observations.len()).unwrap_or(u64::MAX);
                    }
                    Err(unparsed) => self.fault(unparsed.pointer, unparsed.detail),
                }
            }
        }
    }

    fn fault(&mut self, pointer: Option<String>, detail: String) {
        *self.faults.entry(Fault { pointer, detail }).or_default() += 1;
    }
}

/// What would become of every open entry of a source. Changes nothing, and shows nothing of any body; who has them opened is
/// written down all the same, before.
pub async fn preview(
    quarantine: &dyn QuarantineStore,
    audit: &dyn AuditLog,
    vault: &Arc<Vault>,
    opening: AuditEntry,
    source: &SourceId,
    mapping: Mapping,
) -> Result<Preview, LedgerError> {
    let tenant = opening.tenant.clone();
    audit.add_audit(&[opening]).await?;
    let mapping = Arc::new(mapping);
    let mut preview = Preview::default();
    let mut query = QuarantineQuery {
        source: Some(source.clone()),
        stage: Some(Stage::Normalize),
        state: Some(QuarantineState::Open),
        kept: true,
        ..QuarantineQuery::all_of(tenant.clone(), CHUNK)
    };
    loop {
        let listed = quarantine.list(&query).await?;
        let Some(last) = listed.last() else { return Ok(preview) };
        query.after = Some((last.quarantined_at, last.receipt));
        for page in pages(&listed) {
            let entries = quarantine.load(&tenant, &page).await?;
            let (vault, mapping) = (Arc::clone(vault), Arc::clone(&mapping));
            // Megabytes are opened and parsed, and others are answered meanwhile.
            let adding = tokio::task::spawn_blocking(move || {
                preview.add(&vault, &entries, &mapping);
                preview
            });
            preview = adding.await.unwrap_or_else(|stopped| resume_unwind(stopped.into_panic()));
        }
    }
}

/// What is written down before the bodies of all that waits of a source are opened to try a mapping on them.
#[must_use]
pub fn opening_all(tenant: &TenantId, source: &SourceId, who: Who, now: Timestamp) -> AuditEntry {
    let about = About::Source(source.clone());
    AuditEntry { at: now, tenant: tenant.clone(), who, deed: Deed::Opened, about, reason: None }
}

/// Sends up to `limit` open entries of a source through again, to be read by this mapping, that were put in before an
/// instant: what fails again comes back younger, so that repeating this ends. Stopped anywhere, it is begun again and
/// goes on where it was.
pub async fn replay_step(
    replayer: Replayer<'_>,
    (tenant, source): (&TenantId, &SourceId),
    mapping: &Mapping,
    before: Timestamp,
    limit: u32,
) -> Result<Step, ReplayError> {
    let query = QuarantineQuery {
        source: Some(source.clone()),
        stage: Some(Stage::Normalize),
        ..open_before(tenant, before, limit)
    };
    let listed = replayer.quarantine.list(&query).await.map_err(ReplayError::Ledger)?;
    // What no mapping reads goes through as it is, and comes back as it was: passed over, it would be listed for ever.
    let by_mapping = |entry: QuarantineEntry| remapped(&entry, mapping).unwrap_or(entry);
    let sent = replay_listed(replayer, tenant, &listed, by_mapping).await?;
    Ok(Step { sent, more: listed.len() >= usize::try_from(limit).unwrap_or(usize::MAX) })
}

/// The entry as it goes through again to be read by this mapping; `None` where no mapping reads it.
#[must_use]
pub fn remapped(entry: &QuarantineEntry, mapping: &Mapping) -> Option<QuarantineEntry> {
    let raw = mapped(entry)?.remapped(mapping.text().clone());
    Some(QuarantineEntry { message: raw.encode().to_vec(), ..entry.clone() })
}

/// The delivery an entry holds, where it is one that a mapping reads.
fn mapped(entry: &QuarantineEntry) -> Option<RawDelivery> {
    if entry.stage != Stage::Normalize {
        return None;
    }
    let raw = RawDelivery::decode(Bytes::copy_from_slice(&entry.message)).ok()?;
    raw.kind.takes_mapping().then_some(raw)
}
