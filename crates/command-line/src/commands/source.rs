//! The command `source`.

use anyhow::ensure;
use domain::registry::{Source, SourceKind};
use ports::clock::{Clock as _, SystemClock};
use ports::registry::Registered;
use serde_json::json;

use crate::cli::SourceCommand;
use crate::commands::ended;
use crate::desk::NewSource;
use crate::doors::{hook_url, next_step};
use crate::office::Office;
use crate::print::Print;

pub(crate) async fn run(command: SourceCommand, office: &impl Office, print: &Print) -> anyhow::Result<()> {
    let (desk, program) = (office.visit().await?, office.program().name);
    match command {
        SourceCommand::Add { id, tenant, kind, secret, name, rate } => {
            // First: once the source is there, its secret has to be shown.
            let doors = office.doors()?;
            let secret = secret.map(given).transpose()?;
            let new = NewSource { id, tenant, kind, secret, name, rate_limit: rate };
            let (source, secret) = desk.add_source(new).await?;
            added(&source, &secret, &doors, program, print);
        }
        SourceCommand::List { tenant } => {
            let sources = desk.registry.snapshot().await?.sources;
            let of_tenant = |source: &&Source| tenant.as_ref().is_none_or(|tenant| *tenant == source.tenant);
            let doors = office.doors()?;
            let row = |source: &Source| {
                json!({
                    "id": source.id.as_str(),
                    "tenant": source.tenant.as_str(),
                    "kind": source.kind.as_str(),
                    "name": source.name,
                    "url": hook_url(&doors, &source.id),
                    "rate_limit": source.rate_limit,
                    "revoked_at": ended(source.revoked_at),
                })
            };
            let rows: Vec<_> = sources.iter().filter(of_tenant).map(row).collect();
            let hint = format!("no sources yet: {program} source add bot --tenant salon");
            print.list(&rows, &["id", "tenant", "kind", "name", "url", "rate_limit", "revoked_at"], &hint);
        }
        SourceCommand::Rotate { id, secret } => {
            let doors = office.doors()?;
            let (source, secret) = desk.add_secret(&id, secret.map(given).transpose()?).await?;
            rotated(&source, &secret, &doors, program, print);
        }
        SourceCommand::Retire { id } => {
            desk.registry.retire_secrets(&id).await?;
            print.say(
                &json!({"id": id.as_str(), "retired": true}),
                &format!("only the last secret of {id} is live now"),
            );
        }
        SourceCommand::Revoke { id } => {
            desk.registry.revoke(&Registered::Source(id.clone()), SystemClock.now()).await?;
            print.say(&json!({"id": id.as_str(), "revoked": true}), &format!("source {id} revoked"));
        }
    }
    Ok(())
}

fn rotated(source: &Source, secret: &str, doors: &str, program: &str, print: &Print) {
    let (id, url) = (&source.id, hook_url(doors, &source.id));
    let next = next_step(source.kind, &url, secret);
    let value = json!({"id": id.as_str(), "url": url, "secret": secret, "next": next});
    let next = if next.is_empty() { String::new() } else { format!("next: {next}\n") };
    print.say(
        &value,
        &format!(
            "source {id} has another secret; the last one stays live beside it\nsecret  {secret}  (shown once)\n{next}\
             then: {program} source retire {id}"
        ),
    );
}

/// The secret as it was given, or the first line of standard input for `-`.
fn given(secret: String) -> anyhow::Result<String> {
    let secret = if secret == "-" { std::io::read_to_string(std::io::stdin())? } else { secret };
    let secret = secret.trim();
    ensure!(!secret.is_empty(), "the secret is empty");
    Ok(secret.to_owned())
}

fn added(source: &Source, secret: &str, doors: &str, program: &str, print: &Print) {
    let id = &source.id;
    let url = hook_url(doors, id);
    let value = json!({
        "id": id.as_str(),
        "tenant": source.tenant.as_str(),
        "kind": source.kind.as_str(),
        "url": url,
        "secret": secret,
        "next": next_step(source.kind, &url, secret),
    });
    let next = match source.kind {
        SourceKind::Events => format!(
            "next, for a bot that sends with a key: {program} key add --scope ingest --tenant {} --source {id}",
            source.tenant
        ),
        kind => format!("next: {}", next_step(kind, &url, secret)),
    };
    print.say(&value, &format!("source {id} added\nurl     {url}\nsecret  {secret}  (shown once)\n{next}"));
}
