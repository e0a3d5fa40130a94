//! The command `audit`: who opened or read what was sealed, when and why.

use console::audit::AuditView;
use ports::audit::AuditQuery;
use serde_json::Value;

use crate::office::Office;
use crate::print::Print;

pub(crate) async fn run(query: AuditQuery, office: &impl Office, print: &Print) -> anyhow::Result<()> {
    let desk = office.visit().await?;
    let entries = desk.audit.audit(&query).await?;
    let view = |entry| serde_json::to_value(AuditView::new(&desk.vault, entry));
    let rows: Vec<Value> = entries.iter().map(view).collect::<Result<_, _>>()?;
    let columns = ["at", "tenant", "who", "name", "deed", "about", "id", "stage", "reason"];
    print.list(&rows, &columns, "nothing sealed was opened or read");
    Ok(())
}
