//! The command `key`.

use anyhow::Context as _;
use domain::registry::{ApiKey, Scope};
use http_kit::key::issue_key;
use ports::clock::{Clock as _, SystemClock};
use ports::registry::Registered;
use serde_json::json;

use crate::cli::KeyCommand;
use crate::commands::ended;
use crate::office::Office;
use crate::print::Print;

pub(crate) async fn run(command: KeyCommand, office: &impl Office, print: &Print) -> anyhow::Result<()> {
    let (registry, program) = (office.visit().await?.registry, office.program().name);
    match command {
        KeyCommand::Add { scope, tenant, source, label } => {
            let scope = Scope::from(scope);
            let made = issue_key(scope, tenant, source, label, SystemClock.now())?;
            let hint = || format!("see {program} tenant list and {program} source list");
            registry.add_key(&made.key).await.with_context(hint)?;
            let (id, text) = (made.key.id.as_str(), made.text.expose());
            let value = json!({"id": id, "scope": scope.as_str(), "key": text});
            print.say(&value, &format!("key {id} ({scope}) added\n{text}\nKeep it: it is not shown again."));
        }
        KeyCommand::List { tenant } => {
            let keys = registry.snapshot().await?.keys;
            let of_tenant = |key: &&ApiKey| tenant.is_none() || tenant == key.tenant;
            let row = |key: &ApiKey| {
                json!({
                    "id": key.id.as_str(),
                    "scope": key.scope.as_str(),
                    "tenant": key.tenant.as_ref().map(ToString::to_string),
                    "source": key.source.as_ref().map(ToString::to_string),
                    "label": key.label,
                    "created_at": key.created_at.to_string(),
                    "revoked_at": ended(key.revoked_at),
                })
            };
            let rows: Vec<_> = keys.iter().filter(of_tenant).map(row).collect();
            let columns = ["id", "scope", "tenant", "source", "label", "created_at", "revoked_at"];
            let hint = format!("no keys yet: {program} key add --scope read --tenant salon");
            print.list(&rows, &columns, &hint);
        }
        KeyCommand::Revoke { id } => {
            registry.revoke(&Registered::Key(id.clone()), SystemClock.now()).await?;
            print.say(&json!({"id": id.as_str(), "revoked": true}), &format!("key {id} revoked"));
        }
    }
    Ok(())
}
