//! Dealing with the quarantine by cause: what waits for the same reason, sent through again together.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::audit::{About, AuditEntry, Deed, Reason, Who};
use domain::event::Sealed;
use domain::id::{ReceiptId, TenantId};
use domain::quarantine::{Cause, CauseCount, Dismissal, QuarantineEntry, QuarantineState, Stage};
use domain::timestamp::Timestamp;
use event_schema::codec::RawDelivery;
use ports::audit::AuditLog;
use ports::ledger::LedgerError;
use ports::quarantine::{QuarantineQuery, QuarantineStore};
use privacy::Vault;
use xxhash_rust::xxh3::xxh3_64;

use crate::replay::{ReplayError, Replayer, replay_listed};

/// Causes as they are written down that are looked at: spots and numbers apart, far more than there ever are.
const MAX_CAUSES: u32 = 1_000;

/// Entries moved in one transaction, which others wait for.
const AT_ONCE: u32 = 1_000;

/// Entries that wait for one cause, however the spots and numbers in it differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Names it, as long as there is such a cause.
    pub id: String,
    /// The cause, without what differs, and how many wait for it.
    pub count: CauseCount,
    /// The same as it is written down.
    causes: Vec<Cause>,
}

/// What one step of a replay came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Entries sent through again.
    pub sent: u32,
    /// Whether there may be more.
    pub more: bool,
}

/// What there is in quarantine and not home, by cause, the most frequent first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// What waits.
    pub waiting: Vec<Group>,
    /// What was dismissed; a cause may well be in both.
    pub dismissed: Vec<Group>,
}

/// What waits and what was dismissed, by cause.
pub async fn groups(quarantine: &dyn QuarantineStore, tenant: &TenantId) -> Result<Groups, LedgerError> {
    let causes = quarantine.causes(tenant, MAX_CAUSES).await?;
    let (dismissed, waiting): (Vec<_>, Vec<_>) = causes.into_iter().partition(|count| count.dismissed > 0);
    Ok(Groups { waiting: grouped(waiting), dismissed: grouped(dismissed) })
}

fn grouped(causes: Vec<CauseCount>) -> Vec<Group> {
    let mut groups: BTreeMap<Cause, Group> = BTreeMap::new();
    for count in causes {
        let cause = count.cause.normalised();
        match groups.get_mut(&cause) {
            None => {
                let id = id_of(&cause);
                let causes = vec![count.cause.clone()];
                groups.insert(cause.clone(), Group { id, count: CauseCount { cause, ..count }, causes });
            }
            Some(group) => group.take(count),
        }
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.entries()));
    groups
}

/// Sends up to `limit` open entries of a group through again that were put in before an instant: what fails again
/// comes back younger, so that repeating this ends. Stopped anywhere, it is begun again and goes on where it was.
pub async fn replay_step(
    replayer: Replayer<'_>,
    tenant: &TenantId,
    group: &Group,
    before: Timestamp,
    limit: u32,
) -> Result<Step, ReplayError> {
    let mut sent = 0;
    for cause in &group.causes {
        let query =
            QuarantineQuery { cause: Some(cause.clone()), ..open_before(tenant, before, limit - sent) };
        let listed = replayer.quarantine.list(&query).await.map_err(ReplayError::Ledger)?;
        sent += replay_listed(replayer, tenant, &listed, |entry| entry).await?;
        if listed.len() >= usize::try_from(query.limit).unwrap_or(usize::MAX) {
            return Ok(Step { sent, more: true });
        }
    }
    Ok(Step { sent, more: false })
}

/// Dismisses what waits of a group and was put in before an instant, or takes that back; says of how many. Who does it and why
/// is written down first. Stopped anywhere, some are moved and the others are as they were: asked again, it goes on.
pub async fn dismiss(
    quarantine: &dyn QuarantineStore,
    audit: &dyn AuditLog,
    dismissal: Dismissal,
    (tenant, group): (&TenantId, &Group),
    (who, reason): (Who, Option<Sealed>),
    now: Timestamp,
) -> Result<u64, LedgerError> {
    let deed = match dismissal {
        Dismissal::Dismiss => Deed::Dismissed,
        Dismissal::TakeBack => Deed::TookBack,
    };
    let about = About::Cause { group: group.id.clone(), example: group.count.example };
    audit.add_audit(&[AuditEntry { at: now, tenant: tenant.clone(), who, deed, about, reason }]).await?;
    let mut moved = 0;
    for cause in &group.causes {
        loop {
            let step = quarantine.dismiss(dismissal, (tenant, cause), now, AT_ONCE).await?;
            moved += step;
            if step < u64::from(AT_ONCE) {
                break;
            }
        }
    }
    Ok(moved)
}

/// The reason for something done with a group, as it is kept: under the receipt of its example.
#[must_use]
pub fn seal_reason(vault: &Vault, tenant: &TenantId, group: &Group, reason: &Reason) -> Sealed {
    vault.tenant(tenant).seal_body(group.count.example, reason.as_str().as_bytes())
}

/// Why a body could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// What waits is a batch of sealed events: past the stage that had a body.
    #[error("an entry of stage {} holds sealed events, not a body", .0.as_str())]
    NoBody(Stage),
    /// It is gone with what else was kept as long.
    #[error("the body has expired")]
    Expired,
    /// Its key is unknown here, or it is damaged.
    #[error("the body cannot be opened")]
    Sealed,
}

/// The body as it was received. Whoever shows it has written down before who asked for it and why.
pub fn body_of(vault: &Vault, entry: &QuarantineEntry) -> Result<String, BodyError> {
    if entry.stage != Stage::Normalize {
        return Err(BodyError::NoBody(entry.stage));
    }
    if entry.is_expired() {
        return Err(BodyError::Expired);
    }
    // The causes are not passed on: those of unreadable content may quote it.
    let raw =
        RawDelivery::decode(Bytes::from(entry.message.clone())).map_err(|_damaged| BodyError::Sealed)?;
    let body = vault.tenant(&entry.tenant).open_body(entry.receipt, &raw.sealed_body);
    Ok(String::from_utf8_lossy(&body.map_err(|_sealed| BodyError::Sealed)?).into_owned())
}

impl Group {
    /// How many entries there are of it.
    const fn entries(&self) -> u64 {
        self.count.open + self.count.replaying + self.count.dismissed
    }

    fn take(&mut self, more: CauseCount) {
        let count = &mut self.count;
        count.open += more.open;
        count.replaying += more.replaying;
        count.dismissed += more.dismissed;
        count.expired += more.expired;
        count.first_at = count.first_at.min(more.first_at);
        count.last_at = count.last_at.max(more.last_at);
        count.example = count.example.max(more.example);
        self.causes.push(more.cause);
    }
}

/// Open entries that can be sent through again and were put in before an instant, the ones of that very instant not among
/// them.
pub(crate) fn open_before(tenant: &TenantId, before: Timestamp, limit: u32) -> QuarantineQuery {
    QuarantineQuery {
        state: Some(QuarantineState::Open),
        kept: true,
        after: Some((before, first_of_all())),
        ..QuarantineQuery::all_of(tenant.clone(), limit)
    }
}

/// Before every receipt there is.
fn first_of_all() -> ReceiptId {
    ReceiptId::from_slice(&[0; 16]).expect("it has sixteen bytes")
}

/// Sixteen digits that are the same for the same cause.
fn id_of(cause: &Cause) -> String {
    let Cause { source, stage, class, pointer, detail } = cause;
    let pointer = pointer.as_deref().unwrap_or_default();
    let text = [source.as_str(), stage.as_str(), class.as_str(), pointer, detail].join("\n");
    format!("{:016x}", xxh3_64(text.as_bytes()))
}
