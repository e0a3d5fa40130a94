//! The command `quarantine`: look at what could not be understood, and send it through again.

use anyhow::{Context as _, ensure};
use console::workbench::{self, Group, body_of};
use domain::audit::{About, AuditEntry, Deed, Reason, Who};
use domain::event::Sealed;
use domain::id::{ReceiptId, TenantId};
use domain::quarantine::{Dismissal, ListedEntry, QuarantineEntry, QuarantineState};
use indicatif::{ProgressBar, ProgressStyle};
use ports::clock::{Clock as _, SystemClock};
use ports::quarantine::QuarantineQuery;
use serde_json::{Value, json};

use crate::account::account;
use crate::cli::QuarantineCommand;
use crate::commands::remap::{self, Of};
use crate::commands::{read_mapping, tenant_of};
use crate::desk::Desk;
use crate::office::Office;
use crate::print::Print;
use crate::program::Program;

const COLUMNS: [&str; 9] =
    ["receipt", "stage", "source", "reason", "pointer", "detail", "received_at", "replays", "expired"];

const GROUP_COLUMNS: [&str; 12] = [
    "group",
    "open",
    "replaying",
    "expired",
    "source",
    "stage",
    "reason",
    "pointer",
    "detail",
    "first_at",
    "last_at",
    "example",
];

const DISMISSED_COLUMNS: [&str; 9] =
    ["group", "dismissed", "source", "stage", "reason", "pointer", "detail", "first_at", "last_at"];

/// Entries sent through again before the bar moves.
pub(super) const STEP: u32 = 100;

pub(crate) async fn run(
    command: QuarantineCommand,
    office: &impl Office,
    print: &Print,
) -> anyhow::Result<()> {
    let (desk, program) = (office.visit().await?, office.program());
    match command {
        QuarantineCommand::List { of, class, all, limit } => {
            let tenant = tenant_of(of, &desk, program).await?;
            let state = (!all).then_some(QuarantineState::Open);
            let query = QuarantineQuery { class, state, ..QuarantineQuery::all_of(tenant, limit) };
            let rows: Vec<Value> = desk.quarantine.list(&query).await?.iter().map(row).collect();
            print.list(&rows, &COLUMNS, "nothing is waiting in quarantine");
        }
        QuarantineCommand::Show { of, receipt, body, reason } => {
            let tenant = tenant_of(of, &desk, program).await?;
            let entries = found(&desk, &tenant, receipt).await?;
            show(&desk, &entries, body.then_some(reason).flatten().as_ref(), print).await?;
        }
        QuarantineCommand::Groups { of, dismissed } => {
            let tenant = tenant_of(of, &desk, program).await?;
            groups(&desk, &tenant, dismissed, print).await?;
        }
        QuarantineCommand::Dismiss { of, group, reason } => {
            let tenant = tenant_of(of, &desk, program).await?;
            dismiss(&desk, &tenant, &group, &reason, program, print).await?;
        }
        QuarantineCommand::TakeBack { of, group } => {
            let tenant = tenant_of(of, &desk, program).await?;
            take_back(&desk, &tenant, &group, print).await?;
        }
        QuarantineCommand::Replay { of, receipt, open, group, source, mapping, preview } => {
            let tenant = tenant_of(of, &desk, program).await?;
            if let Some(file) = mapping {
                let mapping = read_mapping(&file)?;
                let of = match receipt {
                    Some(receipt) => Of::Entries(found(&desk, &tenant, receipt).await?),
                    None => Of::Source(remap::source_of(&desk, &tenant, source).await?),
                };
                if preview {
                    return remap::preview(&desk, &tenant, &of, &mapping, print).await;
                }
                let sent = remap::replay(&desk, &tenant, &of, &mapping, print).await?;
                say_sent(sent, program, print);
            } else if let Some(receipt) = receipt {
                replay(&desk, &found(&desk, &tenant, receipt).await?, program, print).await?;
            } else {
                let groups = chosen(&desk, &tenant, group.as_deref().filter(|_| !open)).await?;
                replay_groups(&desk, &tenant, &groups, program, print).await?;
            }
        }
    }
    Ok(())
}

async fn found(desk: &Desk, tenant: &TenantId, receipt: ReceiptId) -> anyhow::Result<Vec<QuarantineEntry>> {
    let entries = desk.quarantine.show(tenant, receipt).await?;
    ensure!(!entries.is_empty(), "tenant {tenant} has nothing in quarantine under receipt {receipt}");
    Ok(entries)
}

/// The group of this id; all there are where none is named.
async fn chosen(desk: &Desk, tenant: &TenantId, id: Option<&str>) -> anyhow::Result<Vec<Group>> {
    let waiting = workbench::groups(&*desk.quarantine, tenant).await?.waiting;
    match id {
        Some(id) => Ok(vec![one(waiting, id)?]),
        None => Ok(waiting),
    }
}

fn one(groups: Vec<Group>, id: &str) -> anyhow::Result<Group> {
    let found = groups.into_iter().find(|known| known.id == id);
    found.with_context(|| format!("there is no group {id}: see quarantine groups"))
}

async fn groups(desk: &Desk, tenant: &TenantId, dismissed: bool, print: &Print) -> anyhow::Result<()> {
    let groups = workbench::groups(&*desk.quarantine, tenant).await?;
    let (groups, columns, nothing) = if dismissed {
        (groups.dismissed, DISMISSED_COLUMNS.as_slice(), "nothing was dismissed")
    } else {
        (groups.waiting, GROUP_COLUMNS.as_slice(), "nothing is waiting in quarantine")
    };
    let rows: Vec<Value> = groups.iter().map(group_row).collect();
    print.list(&rows, columns, nothing);
    Ok(())
}

async fn dismiss(
    desk: &Desk,
    tenant: &TenantId,
    group: &str,
    reason: &Reason,
    program: Program,
    print: &Print,
) -> anyhow::Result<()> {
    let group = one(workbench::groups(&*desk.quarantine, tenant).await?.waiting, group)?;
    let reason = workbench::seal_reason(&desk.vault, tenant, &group, reason);
    let moved = moved(desk, Dismissal::Dismiss, tenant, &group, Some(reason)).await?;
    let text = format!(
        "{moved} dismissed: they wait no more, and are kept as long as everything else; {} quarantine take-back {} undoes it",
        program.name, group.id
    );
    print.say(&json!({"dismissed": moved}), &text);
    Ok(())
}

async fn take_back(desk: &Desk, tenant: &TenantId, group: &str, print: &Print) -> anyhow::Result<()> {
    let group = one(workbench::groups(&*desk.quarantine, tenant).await?.dismissed, group)?;
    let moved = moved(desk, Dismissal::TakeBack, tenant, &group, None).await?;
    print.say(&json!({"taken_back": moved}), &format!("{moved} wait again"));
    Ok(())
}

async fn moved(
    desk: &Desk,
    dismissal: Dismissal,
    tenant: &TenantId,
    group: &Group,
    reason: Option<Sealed>,
) -> anyhow::Result<u64> {
    let (of, by) = ((tenant, group), (Who::Account(account()), reason));
    let moved =
        workbench::dismiss(&*desk.quarantine, &*desk.audit, dismissal, of, by, SystemClock.now()).await;
    Ok(moved?)
}

/// Shows entries, with their bodies if there is a reason to open them.
async fn show(
    desk: &Desk,
    entries: &[QuarantineEntry],
    reason: Option<&Reason>,
    print: &Print,
) -> anyhow::Result<()> {
    let mut shown = Vec::new();
    for entry in entries {
        let mut value = row(&ListedEntry::from(entry));
        if let Some(reason) = reason {
            ensure!(!entry.is_expired(), "the body of {} has expired and is gone", entry.receipt);
            write_down(desk, entry, reason).await?;
            value["body"] = body_of(&desk.vault, entry)?.into();
        }
        shown.push(value);
    }
    print.text(&format!("{:#}\n", Value::from(shown)));
    Ok(())
}

fn row(entry: &ListedEntry) -> Value {
    json!({
        "receipt": entry.receipt.to_string(),
        "stage": entry.stage.as_str(),
        "source": entry.source.as_str(),
        "reason": entry.reason.class.as_str(),
        "pointer": entry.reason.pointer,
        "detail": entry.reason.detail,
        "received_at": entry.received_at.to_string(),
        "quarantined_at": entry.quarantined_at.to_string(),
        "state": entry.state.as_str(),
        "replays": entry.replays,
        "expired": entry.is_expired(),
    })
}

fn group_row(group: &Group) -> Value {
    let count = &group.count;
    json!({
        "group": group.id,
        "open": count.open,
        "replaying": count.replaying,
        "dismissed": count.dismissed,
        "expired": count.expired,
        "source": count.cause.source.as_str(),
        "stage": count.cause.stage.as_str(),
        "reason": count.cause.class.as_str(),
        "pointer": count.cause.pointer,
        "detail": count.cause.detail,
        "first_at": count.first_at.to_string(),
        "last_at": count.last_at.to_string(),
        "example": count.example.to_string(),
    })
}

/// First written down, then opened: a body nobody answers for is not shown.
async fn write_down(desk: &Desk, entry: &QuarantineEntry, reason: &Reason) -> anyhow::Result<()> {
    let keys = desk.vault.tenant(&entry.tenant);
    let audited = AuditEntry {
        at: SystemClock.now(),
        tenant: entry.tenant.clone(),
        who: Who::Account(account()),
        deed: Deed::Opened,
        about: About::Entry { receipt: entry.receipt, stage: entry.stage },
        reason: Some(keys.seal_body(entry.receipt, reason.as_str().as_bytes())),
    };
    Ok(desk.audit.add_audit(&[audited]).await?)
}

/// Sends all that waits in groups through again, a step at a time: killed in between and begun again, it goes on where
/// it was.
async fn replay_groups(
    desk: &Desk,
    tenant: &TenantId,
    groups: &[Group],
    program: Program,
    print: &Print,
) -> anyhow::Result<()> {
    let before = SystemClock.now();
    let bar = bar(groups.iter().map(|group| group.count.open).sum(), print)?;
    let mut sent = 0_u64;
    for group in groups {
        loop {
            let step = workbench::replay_step(desk.replayer(), tenant, group, before, STEP).await?;
            sent += u64::from(step.sent);
            bar.set_position(sent);
            if !step.more {
                break;
            }
        }
    }
    bar.finish_and_clear();
    say_sent(sent, program, print);
    Ok(())
}

pub(super) fn bar(length: u64, print: &Print) -> anyhow::Result<ProgressBar> {
    let bar = if print.is_json() { ProgressBar::hidden() } else { ProgressBar::new(length) };
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} sent through again")?);
    Ok(bar)
}

fn say_sent(sent: u64, program: Program, print: &Print) {
    let text = match sent {
        0 => "nothing is waiting in quarantine".to_owned(),
        sent => {
            format!("{sent} sent through again: {} quarantine groups shows what comes back", program.name)
        }
    };
    print.say(&json!({"replayed": sent}), &text);
}

async fn replay(
    desk: &Desk,
    entries: &[QuarantineEntry],
    program: Program,
    print: &Print,
) -> anyhow::Result<()> {
    for entry in entries {
        console::replay::replay(desk.replayer(), entry).await?;
    }
    say_sent(u64::try_from(entries.len()).unwrap_or(u64::MAX), program, print);
    Ok(())
}
