//! The command `audit`: who opened what was sealed, when and why.

use domain::audit::AuditEntry;
use domain::id::TenantId;
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::office::Office;
use crate::print::Print;

pub(crate) async fn run(
    tenant: Option<TenantId>,
    limit: u32,
    office: &impl Office,
    print: &Print,
) -> anyhow::Result<()> {
    let desk = office.visit().await?;
    let entries = desk.audit.audit(tenant.as_ref(), limit).await?;
    let rows: Vec<Value> = entries.iter().map(|entry| row(&desk, entry)).collect();
    let columns = ["at", "tenant", "who", "name", "receipt", "stage", "reason"];
    print.list(&rows, &columns, "nothing sealed was opened");
    Ok(())
}

fn row(desk: &Desk, entry: &AuditEntry) -> Value {
    let (who, name) = entry.who.parts();
    let reason = desk.vault.tenant(&entry.tenant).open_body(entry.receipt, &entry.reason).ok();
    json!({
        "at": entry.at.to_string(),
        "tenant": entry.tenant.as_str(),
        "who": who,
        "name": name,
        "receipt": entry.receipt.to_string(),
        "stage": entry.stage.as_str(),
        "reason": reason.map(|reason| String::from_utf8_lossy(&reason).into_owned()),
    })
}
