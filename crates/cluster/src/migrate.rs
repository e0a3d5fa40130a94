//! `letopis-admin migrate`: both schemas, one after the other.

use command_line::Print;
use serde_json::json;

use crate::settings::Settings;

/// Brings both stores up to this release and says what was done.
pub async fn run(settings: &Settings, grant_to: Option<&str>, print: &Print) -> anyhow::Result<()> {
    // Where owner and role are one and the same there is nothing to grant.
    let role = match grant_to {
        Some(role) => Some(role.to_owned()),
        None if settings.postgres.owner_url.is_empty() => None,
        None => Some(settings.postgres.role()?),
    };
    let ledger = ledger_postgres::migrate(&settings.postgres, role.as_deref()).await?;
    let retention = (&settings.retention).into();
    let analytics = analytics_clickhouse::migrate(&settings.clickhouse, retention).await?;
    let ledger: Vec<String> =
        ledger.iter().map(|applied| format!("{:04}-{}", applied.version, applied.name)).collect();
    let analytics: Vec<String> = analytics.iter().map(ToString::to_string).collect();
    let text = format!("{}\n{}", done("PostgreSQL", &ledger), done("ClickHouse", &analytics));
    print.say(&json!({"postgres": ledger, "clickhouse": analytics}), &text);
    Ok(())
}

fn done(store: &str, applied: &[String]) -> String {
    match applied {
        [] => format!("{store}: nothing to do"),
        some => format!("{store}: applied {}", some.join(", ")),
    }
}
