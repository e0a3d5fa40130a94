//! The command `tenant`.

use domain::registry::Tenant;
use ports::clock::{Clock as _, SystemClock};
use ports::registry::Registered;
use serde_json::json;

use crate::cli::TenantCommand;
use crate::commands::ended;
use crate::office::Office;
use crate::print::Print;

pub(crate) async fn run(command: TenantCommand, office: &impl Office, print: &Print) -> anyhow::Result<()> {
    // The first tenant may be there before the first start.
    let desk = match &command {
        TenantCommand::Add { .. } => office.open().await?,
        TenantCommand::List | TenantCommand::Revoke { .. } => office.visit().await?,
    };
    let program = office.program().name;
    match command {
        TenantCommand::Add { id, name } => {
            desk.add_tenant(&id, &name).await?;
            let next = format!("tenant {id} added; next: {program} source add NAME --tenant {id}");
            print.say(&json!({"id": id.as_str(), "name": name}), &next);
        }
        TenantCommand::List => {
            let tenants = desk.registry.snapshot().await?.tenants;
            let row = |tenant: &Tenant| {
                json!({
                    "id": tenant.id.as_str(),
                    "name": tenant.name,
                    "created_at": tenant.created_at.to_string(),
                    "revoked_at": ended(tenant.revoked_at),
                })
            };
            let rows: Vec<_> = tenants.iter().map(row).collect();
            let hint = format!("no tenants yet: {program} tenant add salon --name \"Салон\"");
            print.list(&rows, &["id", "name", "created_at", "revoked_at"], &hint);
        }
        TenantCommand::Revoke { id } => {
            desk.registry.revoke(&Registered::Tenant(id.clone()), SystemClock.now()).await?;
            print.say(&json!({"id": id.as_str(), "revoked": true}), &format!("tenant {id} revoked"));
        }
    }
    Ok(())
}
