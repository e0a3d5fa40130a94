//! Reading what is in quarantine by a mended mapping: first what would become of it, then for good.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use channels::{Kept, Mapping};
use domain::quarantine::{QuarantineEntry, Stage};
use domain::registry::SourceKind;
use event_schema::codec::RawDelivery;
use serde_json::json;

use crate::desk::Desk;
use crate::print::Print;

/// The entries that a mapping reads, each as it would be sent through again by this one.
pub(super) fn remapped(
    entries: Vec<QuarantineEntry>,
    mapping: &Mapping,
) -> anyhow::Result<Vec<(QuarantineEntry, RawDelivery)>> {
    let mut found: Vec<(QuarantineEntry, RawDelivery)> = Vec::new();
    for entry in entries.into_iter().filter(|entry| entry.stage == Stage::Normalize) {
        let raw = RawDelivery::decode(Bytes::from(entry.message.clone())).context("an entry is damaged")?;
        if raw.kind != SourceKind::Mapping {
            continue;
        }
        let raw = raw.remapped(mapping.text().clone());
        let message = raw.encode().to_vec();
        found.push((QuarantineEntry { message, ..entry }, raw));
    }
    let first = found.first().map(|(entry, _)| entry.source.clone());
    let is_of_one = found.iter().all(|(entry, _)| Some(&entry.source) == first.as_ref());
    ensure!(
        is_of_one,
        "the entries are of several sources, and a mapping is one source's: say which with --source"
    );
    Ok(found)
}

/// Says how many would be understood, and of the others what is wrong with how many.
pub(super) fn preview(
    desk: &Desk,
    entries: &[(QuarantineEntry, RawDelivery)],
    mapping: &Mapping,
    print: &Print,
) -> anyhow::Result<()> {
    let open = |(entry, raw): &(QuarantineEntry, RawDelivery)| {
        desk.vault.tenant(&entry.tenant).open_body(entry.receipt, &raw.sealed_body)
    };
    let bodies: Vec<_> = entries.iter().map(open).collect::<Result<_, _>>()?;
    let kept = entries.iter().zip(&bodies);
    let kept = kept.map(|((_, raw), body)| Kept { kind: raw.kind, received_at: raw.received_at, body });
    let verdicts = channels::preview(mapping, kept);
    let understood = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
    let events: usize = verdicts.iter().flatten().map(Vec::len).sum();
    let mut wrong: BTreeMap<String, usize> = BTreeMap::new();
    for unparsed in verdicts.iter().filter_map(|verdict| verdict.as_ref().err()) {
        let spot = unparsed.pointer.as_deref().unwrap_or_default();
        *wrong.entry(format!("{spot} {}", unparsed.detail).trim_start().to_owned()).or_default() += 1;
    }
    let not = verdicts.len() - understood;
    let mut text = format!("{understood} would be understood, as {events} events; {not} would not");
    for (reason, times) in &wrong {
        text.push_str(&format!("\n  {times} x {reason}"));
    }
    print.say(&json!({"understood": understood, "events": events, "not": not, "reasons": wrong}), &text);
    Ok(())
}
