//! `quarantine replay --mapping`: what waits is read by a mended mapping, first as a preview, then for good.

use anyhow::{bail, ensure};
use channels::Mapping;
use console::remap::{self, Preview};
use console::workbench;
use domain::audit::{About, AuditEntry, Deed, Who};
use domain::id::{SourceId, TenantId};
use domain::quarantine::{QuarantineEntry, Stage};
use ports::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::account::account;
use crate::commands::quarantine::{STEP, bar};
use crate::desk::Desk;
use crate::print::Print;

/// What is to be read anew.
pub(super) enum Of {
    /// These entries, of one receipt.
    Entries(Vec<QuarantineEntry>),
    /// Every open entry of a source.
    Source(SourceId),
}

/// The source whose open entries are meant: the one that was named, or the only one with any that a mapping reads.
pub(super) async fn source_of(
    desk: &Desk,
    tenant: &TenantId,
    named: Option<SourceId>,
) -> anyhow::Result<SourceId> {
    let mut sources = desk.registry.snapshot().await?.sources;
    sources.retain(|source| source.tenant == *tenant && source.kind.takes_mapping());
    if let Some(named) = named {
        let is_known = sources.iter().any(|source| source.id == named);
        ensure!(is_known, "tenant {tenant} has no source {named} that is read by a mapping");
        return Ok(named);
    }
    let groups = workbench::groups(&*desk.quarantine, tenant).await?.waiting;
    sources.retain(|source| {
        groups.iter().any(|group| {
            let cause = &group.count.cause;
            cause.source == source.id && cause.stage == Stage::Normalize && group.count.open > 0
        })
    });
    match (sources.pop(), sources.is_empty()) {
        (Some(only), true) => Ok(only.id),
        (None, _) => bail!("nothing is waiting that a mapping reads"),
        (Some(_one_of_several), false) => bail!(
            "the entries are of several sources, and a mapping is one source's: say which with --source"
        ),
    }
}

/// Says how many would be understood, and of the others what is wrong with how many.
pub(super) async fn preview(
    desk: &Desk,
    tenant: &TenantId,
    of: &Of,
    mapping: &Mapping,
    print: &Print,
) -> anyhow::Result<()> {
    let preview = match of {
        Of::Source(source) => {
            let opening = remap::opening_all(tenant, source, Who::Account(account()), SystemClock.now());
            let (quarantine, audit) = (&*desk.quarantine, &*desk.audit);
            remap::preview(quarantine, audit, &desk.vault, opening, source, mapping.clone()).await?
        }
        Of::Entries(entries) => {
            let opening = |entry: &QuarantineEntry| AuditEntry {
                at: SystemClock.now(),
                tenant: tenant.clone(),
                who: Who::Account(account()),
                deed: Deed::Opened,
                about: About::Entry { receipt: entry.receipt, stage: entry.stage },
                reason: None,
            };
            desk.audit.add_audit(&entries.iter().map(opening).collect::<Vec<_>>()).await?;
            let mut preview = Preview::default();
            preview.add(&desk.vault, entries, mapping);
            preview
        }
    };
    let (understood, events, not) = (preview.understood, preview.events, preview.not_understood());
    let mut text = format!("{understood} would be understood, as {events} events; {not} would not");
    let mut reasons = serde_json::Map::new();
    for (fault, times) in &preview.faults {
        let spot = fault.pointer.as_deref().unwrap_or_default();
        let reason = format!("{spot} {}", fault.detail).trim_start().to_owned();
        text.push_str(&format!("\n  {times} x {reason}"));
        reasons.insert(reason, Value::from(*times));
    }
    print.say(&json!({"understood": understood, "events": events, "not": not, "reasons": reasons}), &text);
    Ok(())
}

/// Sends entries through again to be read by this mapping; says how many.
pub(super) async fn replay(
    desk: &Desk,
    tenant: &TenantId,
    of: &Of,
    mapping: &Mapping,
    print: &Print,
) -> anyhow::Result<u64> {
    let mut sent = 0;
    match of {
        Of::Entries(entries) => {
            for entry in entries.iter().filter_map(|entry| remap::remapped(entry, mapping)) {
                console::replay::replay(desk.replayer(), &entry).await?;
                sent += 1;
            }
        }
        Of::Source(source) => {
            let before = SystemClock.now();
            let groups = workbench::groups(&*desk.quarantine, tenant).await?.waiting;
            let of_source = groups.iter().filter(|group| {
                group.count.cause.source == *source && group.count.cause.stage == Stage::Normalize
            });
            let bar = bar(of_source.map(|group| group.count.open).sum(), print)?;
            loop {
                let of = (tenant, source);
                let step = remap::replay_step(desk.replayer(), of, mapping, before, STEP).await?;
                sent += u64::from(step.sent);
                bar.set_position(sent);
                if !step.more {
                    break;
                }
            }
            bar.finish_and_clear();
        }
    }
    Ok(sent)
}
