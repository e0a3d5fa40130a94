//! The command `tenant`.

use domain::registry::{Tenant, Trade};
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
        TenantCommand::Trade { .. } | TenantCommand::List | TenantCommand::Revoke { .. } => {
            office.visit().await?
        }
    };
    let program = office.program().name;
    match command {
        TenantCommand::Add { id, name, trade } => {
            desk.add_tenant(&id, &name, trade).await?;
            let next = format!("tenant {id} added; next: {program} source add NAME --tenant {id}");
            print.say(&json!({"id": id.as_str(), "name": name, "trade": trade.as_str()}), &next);
        }
        TenantCommand::Trade { id, trade } => {
            desk.registry.set_trade(&id, trade).await?;
            let said = match trade {
                Trade::Ordinary => "texts leave for other systems without persons",
                Trade::Clinic => {
                    "texts leave for other systems without persons and without a word about health"
                }
            };
            let value = json!({"id": id.as_str(), "trade": trade.as_str()});
            print.say(&value, &format!("tenant {id} is of trade {trade}: {said}"));
        }
        TenantCommand::List => {
            let tenants = desk.registry.snapshot().await?.tenants;
            let row = |tenant: &Tenant| {
                json!({
                    "id": tenant.id.as_str(),
                    "name": tenant.name,
                    "trade": tenant.trade.as_str(),
                    "created_at": tenant.created_at.to_string(),
                    "revoked_at": ended(tenant.revoked_at),
                })
            };
            let rows: Vec<_> = tenants.iter().map(row).collect();
            let hint = format!("no tenants yet: {program} tenant add salon --name \"Салон\"");
            print.list(&rows, &["id", "name", "trade", "created_at", "revoked_at"], &hint);
        }
        TenantCommand::Revoke { id } => {
            desk.registry.revoke(&Registered::Tenant(id.clone()), SystemClock.now()).await?;
            print.say(&json!({"id": id.as_str(), "revoked": true}), &format!("tenant {id} revoked"));
        }
    }
    Ok(())
}
