//! `letopis source`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::id::SourceId;
use domain::registry::{Source, SourceKind, SourceSecret};
use ports::clock::{Clock as _, SystemClock};
use ports::registry::{Registered, Registry as _};
use serde_json::json;

use crate::cli::SourceCommand;
use crate::commands::ended;
use crate::home::Home;
use crate::print::Print;
use crate::settings::Settings;

pub(crate) async fn run(command: SourceCommand, settings: &Settings, print: &Print) -> anyhow::Result<()> {
    let home = Home::visit(settings)?;
    match command {
        SourceCommand::Add { id, tenant, kind, name, rate } => {
            let secret = new_secret(kind)?;
            let now = SystemClock.now();
            let sealed = home.vault.seal_secret(&id, secret.as_bytes());
            let source = Source {
                name: name.unwrap_or_else(|| id.to_string()),
                tenant,
                kind,
                secrets: vec![SourceSecret { sealed, created_at: now }],
                rate_limit: rate,
                created_at: now,
                revoked_at: None,
                id,
            };
            home.ledger.add_source(&source).await?;
            added(&source, &secret, settings, print);
        }
        SourceCommand::List { tenant } => {
            let sources = home.ledger.snapshot().await?.sources;
            let of_tenant = |source: &&Source| tenant.as_ref().is_none_or(|tenant| *tenant == source.tenant);
            let row = |source: &Source| {
                json!({
                    "id": source.id.as_str(),
                    "tenant": source.tenant.as_str(),
                    "kind": source.kind.as_str(),
                    "name": source.name,
                    "url": door(source, settings),
                    "rate_limit": source.rate_limit,
                    "revoked_at": ended(source.revoked_at),
                })
            };
            let rows: Vec<_> = sources.iter().filter(of_tenant).map(row).collect();
            let hint = "no sources yet: letopis source add bot --tenant salon";
            print.list(&rows, &["id", "tenant", "kind", "name", "url", "rate_limit", "revoked_at"], hint);
        }
        SourceCommand::Revoke { id } => {
            home.ledger.revoke(&Registered::Source(id.clone()), SystemClock.now()).await?;
            print.say(&json!({"id": id.as_str(), "revoked": true}), &format!("source {id} revoked"));
        }
    }
    Ok(())
}

/// A secret in the form its messenger wants: for Telegram letters of `A-Za-z0-9_-`, for our own events the form of
/// Standard Webhooks.
pub(crate) fn new_secret(kind: SourceKind) -> anyhow::Result<String> {
    let key = privacy::MasterKey::generate()?;
    Ok(match kind {
        SourceKind::Telegram => key.to_text().to_string(),
        SourceKind::Events => {
            use base64::engine::general_purpose::URL_SAFE_NO_PAD;
            format!("whsec_{}", STANDARD.encode(URL_SAFE_NO_PAD.decode(key.to_text().as_bytes())?))
        }
    })
}

/// Where its deliveries go.
fn door(source: &Source, settings: &Settings) -> String {
    let base = match settings.http.public_url.trim_end_matches('/') {
        "" => format!("http://{}", settings.http.listen),
        public => public.to_owned(),
    };
    hook_url(&base, &source.id)
}

pub(crate) fn hook_url(base: &str, source: &SourceId) -> String {
    format!("{base}/v1/hooks/{source}")
}

fn added(source: &Source, secret: &str, settings: &Settings, print: &Print) {
    let url = door(source, settings);
    let id = &source.id;
    let value = json!({
        "id": id.as_str(),
        "tenant": source.tenant.as_str(),
        "kind": source.kind.as_str(),
        "url": url,
        "secret": secret,
    });
    let next = match source.kind {
        SourceKind::Events => format!(
            "next, for a bot that sends with a key: letopis key add --scope ingest --tenant {} --source {id}",
            source.tenant
        ),
        SourceKind::Telegram => {
            "next: call setWebhook of the Bot API with this url and secret_token".to_owned()
        }
    };
    print.say(&value, &format!("source {id} added\nurl     {url}\nsecret  {secret}  (shown once)\n{next}"));
}
