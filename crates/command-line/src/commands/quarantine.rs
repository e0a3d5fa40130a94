//! The command `quarantine`: look at what could not be understood, and send it through again.

use anyhow::Context as _;
use bytes::Bytes;
use domain::id::{ReceiptId, TenantId};
use domain::quarantine::{QuarantineEntry, QuarantineState, Stage};
use event_schema::codec::RawDelivery;
use indicatif::{ProgressBar, ProgressStyle};
use ports::quarantine::QuarantineQuery;
use serde_json::{Value, json};

use crate::cli::{OfTenant, QuarantineCommand};
use crate::desk::Desk;
use crate::office::Office;
use crate::print::Print;
use crate::program::Program;

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
            let query = QuarantineQuery { tenant, class, state, after: None, limit };
            let rows: Vec<Value> = desk.quarantine.list(&query).await?.iter().map(row).collect();
            let columns =
                ["receipt", "stage", "source", "reason", "pointer", "detail", "received_at", "replays"];
            print.list(&rows, &columns, "nothing is waiting in quarantine");
        }
        QuarantineCommand::Show { of, receipt, body } => {
            let tenant = tenant_of(of, &desk, program).await?;
            let mut shown = Vec::new();
            for entry in found(&desk, &tenant, receipt).await? {
                let mut value = row(&entry);
                if body {
                    value["body"] = opened(&desk, &entry)?.into();
                }
                shown.push(value);
            }
            print.text(&format!("{:#}\n", Value::from(shown)));
        }
        QuarantineCommand::Replay { of, receipt, open } => {
            let tenant = tenant_of(of, &desk, program).await?;
            let entries = match receipt {
                Some(receipt) if !open => found(&desk, &tenant, receipt).await?,
                _ => every_open(&desk, tenant).await?,
            };
            replay(&desk, &entries, program, print).await?;
        }
    }
    Ok(())
}

async fn tenant_of(of: OfTenant, desk: &Desk, program: Program) -> anyhow::Result<TenantId> {
    let mut tenants = desk.registry.snapshot().await?.tenants;
    if let Some(tenant) = of.tenant {
        anyhow::ensure!(tenants.iter().any(|known| known.id == tenant), "there is no tenant {tenant}");
        return Ok(tenant);
    }
    match (tenants.pop(), tenants.is_empty()) {
        (Some(only), true) => Ok(only.id),
        (None, _) => anyhow::bail!("there is no tenant yet: {} tenant add", program.name),
        (Some(_), false) => anyhow::bail!("there are several tenants: say which with --tenant"),
    }
}

async fn found(desk: &Desk, tenant: &TenantId, receipt: ReceiptId) -> anyhow::Result<Vec<QuarantineEntry>> {
    let entries = desk.quarantine.show(tenant, receipt).await?;
    anyhow::ensure!(!entries.is_empty(), "tenant {tenant} has nothing in quarantine under receipt {receipt}");
    Ok(entries)
}

async fn every_open(desk: &Desk, tenant: TenantId) -> anyhow::Result<Vec<QuarantineEntry>> {
    let mut query =
        QuarantineQuery { tenant, class: None, state: Some(QuarantineState::Open), after: None, limit: 500 };
    let mut entries = Vec::new();
    loop {
        let page = desk.quarantine.list(&query).await?;
        let Some(last) = page.last() else { return Ok(entries) };
        query.after = Some((last.quarantined_at, last.receipt));
        entries.extend(page);
    }
}

fn row(entry: &QuarantineEntry) -> Value {
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
    })
}

/// The body as it was received. Only a delivery has one; a batch of events is past that stage.
fn opened(desk: &Desk, entry: &QuarantineEntry) -> anyhow::Result<String> {
    anyhow::ensure!(
        entry.stage == Stage::Normalize,
        "an entry of stage {} holds sealed events, not a body",
        entry.stage.as_str()
    );
    let raw = RawDelivery::decode(Bytes::from(entry.message.clone())).context("the entry is damaged")?;
    let body = desk.vault.tenant(&entry.tenant).open_body(entry.receipt, &raw.sealed_body)?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

async fn replay(
    desk: &Desk,
    entries: &[QuarantineEntry],
    program: Program,
    print: &Print,
) -> anyhow::Result<()> {
    let length = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    let bar = if print.is_json() { ProgressBar::hidden() } else { ProgressBar::new(length) };
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} sent through again")?);
    for entry in entries {
        console::replay::replay(&*desk.bus, &*desk.quarantine, entry).await?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let text = match entries.len() {
        0 => "nothing is waiting in quarantine".to_owned(),
        sent => {
            format!("{sent} sent through again: {} quarantine list shows what comes back", program.name)
        }
    };
    print.say(&json!({"replayed": entries.len()}), &text);
    Ok(())
}
