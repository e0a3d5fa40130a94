//! `letopis tenant`.

use domain::registry::Tenant;
use ports::clock::{Clock as _, SystemClock};
use ports::registry::{Registered, Registry as _};
use serde_json::json;

use crate::cli::TenantCommand;
use crate::commands::ended;
use crate::home::Home;
use crate::print::Print;
use crate::settings::Settings;

pub(crate) async fn run(command: TenantCommand, settings: &Settings, print: &Print) -> anyhow::Result<()> {
    // The first tenant may be there before the first start.
    let home = match &command {
        TenantCommand::Add { .. } => Home::open(settings)?,
        TenantCommand::List | TenantCommand::Revoke { .. } => Home::visit(settings)?,
    };
    let registry = home.ledger;
    match command {
        TenantCommand::Add { id, name } => {
            let tenant = Tenant { id, name, created_at: SystemClock.now(), revoked_at: None };
            registry.add_tenant(&tenant).await?;
            let id = tenant.id.as_str();
            let next = format!("tenant {id} added; next: letopis source add NAME --tenant {id}");
            print.say(&json!({"id": id, "name": tenant.name}), &next);
        }
        TenantCommand::List => {
            let tenants = registry.snapshot().await?.tenants;
            let row = |tenant: &Tenant| {
                json!({
                    "id": tenant.id.as_str(),
                    "name": tenant.name,
                    "created_at": tenant.created_at.to_string(),
                    "revoked_at": ended(tenant.revoked_at),
                })
            };
            let rows: Vec<_> = tenants.iter().map(row).collect();
            let hint = "no tenants yet: letopis tenant add salon --name \"Салон\"";
            print.list(&rows, &["id", "name", "created_at", "revoked_at"], hint);
        }
        TenantCommand::Revoke { id } => {
            registry.revoke(&Registered::Tenant(id.clone()), SystemClock.now()).await?;
            print.say(&json!({"id": id.as_str(), "revoked": true}), &format!("tenant {id} revoked"));
        }
    }
    Ok(())
}
