//! The command `source`.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use domain::id::{SourceId, TenantId};
use domain::registry::{Source, SourceKind};
use domain::source_state::SourceState;
use domain::timestamp::Timestamp;
use ports::clock::{Clock as _, SystemClock};
use ports::registry::{Registered, RegistryError};
use reqwest::Url;
use serde_json::{Value, json};

use crate::cli::SourceCommand;
use crate::commands::watch::{self, Until};
use crate::commands::{ended, read_mapping};
use crate::desk::{Desk, NewSource, can_forward, mapping_of};
use crate::doors::{bot_address, hook_url, next_step, place_of};
use crate::office::Office;
use crate::print::Print;

pub(crate) async fn run(command: SourceCommand, office: &impl Office, print: &Print) -> anyhow::Result<()> {
    let (desk, program) = (office.visit().await?, office.program().name);
    match command {
        SourceCommand::Add { id, tenant, kind, secret, forward_to, mapping, name, rate } => {
            let mapping = mapping.as_deref().map(read_mapping).transpose()?;
            ensure!(mapping.is_none() || kind.takes_mapping(), "{kind} is not read by a mapping");
            let new =
                NewSource { secret, name, rate_limit: rate, mapping, ..NewSource::new(&tenant, &id, kind) };
            add(new, forward_to, &desk, &office.doors()?, program, print).await?;
        }
        SourceCommand::List { tenant } => {
            list(tenant.as_ref(), &desk, &office.doors()?, program, print).await?
        }
        SourceCommand::Watch { id, first, wait } => {
            watch::run(&id, Until { first, wait }, &desk, print).await?;
        }
        SourceCommand::Rotate { id, secret } => {
            let doors = office.doors()?;
            let (source, secret) = desk.add_secret(&id, secret.map(given).transpose()?).await?;
            rotated(&source, &secret, &doors, program, print);
        }
        SourceCommand::Map { id, mapping } => map(&desk, &id, &mapping, print).await?,
        SourceCommand::Retire { id } => {
            desk.registry.retire_secrets(&id).await?;
            print.say(
                &json!({"id": id.as_str(), "retired": true}),
                &format!("only the last secret of {id} is live now"),
            );
        }
        SourceCommand::Forward { id, to, off: _ } => forward(&desk, &id, to, print).await?,
        SourceCommand::Revoke { id } => {
            desk.registry.revoke(&Registered::Source(id.clone()), SystemClock.now()).await?;
            print.say(&json!({"id": id.as_str(), "revoked": true}), &format!("source {id} revoked"));
        }
    }
    Ok(())
}

async fn add(
    new: NewSource,
    forward_to: Option<String>,
    desk: &Desk,
    doors: &str,
    program: &str,
    print: &Print,
) -> anyhow::Result<()> {
    ensure!(
        new.secret.as_deref() != Some("-") || forward_to.as_deref() != Some("-"),
        "only one of both can be read from standard input"
    );
    let secret = new.secret.map(given).transpose()?;
    let bot = forward_to.map(bot).transpose()?;
    if bot.is_some() {
        can_forward(new.kind)?;
    }
    let forward_to = bot.as_ref().map(Url::to_string);
    let (source, secret) = desk.add_source(NewSource { secret, forward_to, ..new }).await?;
    added(&source, &secret, bot.as_ref(), doors, program, print);
    Ok(())
}

async fn forward(desk: &Desk, id: &SourceId, to: Option<String>, print: &Print) -> anyhow::Result<()> {
    let to = to.map(bot).transpose()?;
    desk.forward(id, to.as_ref()).await?;
    let place = to.as_ref().map(place_of);
    let whom = place.as_deref().unwrap_or("nobody");
    let said = format!("deliveries of {id} are passed on to {whom}");
    print.say(&json!({"id": id.as_str(), "forwards_to": place}), &said);
    Ok(())
}

async fn list(
    tenant: Option<&TenantId>,
    desk: &Desk,
    doors: &str,
    program: &str,
    print: &Print,
) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let (sources, states) =
        (desk.registry.snapshot().await?.sources, desk.sources.states(tenant, now).await?);
    let row = |source: &Source| {
        let state = states.iter().find(|state| state.source == source.id && state.tenant == source.tenant);
        let unheard = || SourceState::unheard(source.tenant.clone(), source.id.clone());
        let mut row = row(source, &state.cloned().unwrap_or_else(unheard), doors, now);
        row["forwards_to"] = json!(desk.forwards_to(source).as_ref().map(place_of));
        row
    };
    let of_tenant = |source: &&Source| tenant.is_none_or(|tenant| *tenant == source.tenant);
    let rows: Vec<_> = sources.iter().filter(of_tenant).map(row).collect();
    let columns = [
        "id",
        "tenant",
        "kind",
        "state",
        "last_event_at",
        "hour",
        "day",
        "refused",
        "quarantined",
        "ahead",
        "url",
        "forwards_to",
    ];
    print.list(&rows, &columns, &format!("no sources yet: {program} source add bot --tenant salon"));
    Ok(())
}

fn row(source: &Source, state: &SourceState, doors: &str, now: Timestamp) -> Value {
    let condition = if source.revoked_at.is_some() { "revoked" } else { state.condition(now).as_str() };
    let refused =
        state.refused.iter().map(|refused| format!("{} {}", refused.reason.as_str(), refused.times));
    json!({
        "id": source.id.as_str(),
        "tenant": source.tenant.as_str(),
        "kind": source.kind.as_str(),
        "name": source.name,
        "state": condition,
        "first_event_at": state.heard.as_ref().map(|heard| heard.first_at.to_string()),
        "last_event_at": state.heard.as_ref().map(|heard| heard.last_at.to_string()),
        "hour": state.events_last_hour,
        "day": state.events_last_day,
        "refused": refused.collect::<Vec<_>>().join(", "),
        "refused_at": state.last_refused().map(|refused| refused.last_at.to_string()),
        "quarantined": state.quarantined,
        "ahead": state.greatest_ahead.map(|ahead| humantime::format_duration(to_millis(ahead)).to_string()),
        "secrets": source.secrets.iter().map(|secret| secret.created_at.to_string()).collect::<Vec<_>>(),
        "url": hook_url(doors, &source.id),
        "rate_limit": source.rate_limit,
        "revoked_at": ended(source.revoked_at),
    })
}

/// To what a person can take in.
fn to_millis(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

async fn map(desk: &Desk, id: &SourceId, file: &Path, print: &Print) -> anyhow::Result<()> {
    let mapping = read_mapping(file)?;
    let sources = desk.registry.snapshot().await?.sources;
    let source = sources.iter().find(|source| source.id == *id).ok_or(RegistryError::NotFound)?;
    ensure!(source.kind.takes_mapping(), "source {id} is of kind {}, which has no mapping", source.kind);
    desk.registry.set_mapping(id, mapping.text()).await?;
    let text = format!("what {id} sends is read by this mapping within two seconds");
    print.say(&json!({"id": id.as_str(), "mapped": true}), &text);
    Ok(())
}

fn rotated(source: &Source, secret: &str, doors: &str, program: &str, print: &Print) {
    let (id, url) = (&source.id, hook_url(doors, &source.id));
    let next = next_step(source.kind, mapping_of(source).ok().flatten().as_ref(), &url, secret);
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

/// The address of a bot as it was given, or the first line of standard input for `-`.
fn bot(address: String) -> anyhow::Result<Url> {
    bot_address(&given(address)?)
}

/// The secret as it was given, or the first line of standard input for `-`.
fn given(secret: String) -> anyhow::Result<String> {
    let secret = if secret == "-" { std::io::read_to_string(std::io::stdin())? } else { secret };
    let secret = secret.trim();
    ensure!(!secret.is_empty(), "what was given is empty");
    Ok(secret.to_owned())
}

fn added(source: &Source, secret: &str, bot: Option<&Url>, doors: &str, program: &str, print: &Print) {
    let id = &source.id;
    let url = hook_url(doors, id);
    let next = next_step(source.kind, mapping_of(source).ok().flatten().as_ref(), &url, secret);
    let value = json!({
        "id": id.as_str(),
        "tenant": source.tenant.as_str(),
        "kind": source.kind.as_str(),
        "url": url,
        "secret": secret,
        "forwards_to": bot.map(place_of),
        "next": next,
    });
    let passed_on = bot.map_or(String::new(), |bot| {
        format!("\nbot     {}  (gets every delivery, with this secret in its header)", place_of(bot))
    });
    let next = match source.kind {
        SourceKind::Events => format!(
            "next, for a bot that sends with a key: {program} key add --scope ingest --tenant {} --source {id}",
            source.tenant
        ),
        _ => format!("next: {next}"),
    };
    print.say(
        &value,
        &format!("source {id} added\nurl     {url}\nsecret  {secret}  (shown once){passed_on}\n{next}"),
    );
}
