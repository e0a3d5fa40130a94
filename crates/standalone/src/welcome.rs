//! What a server says when it is ready, and the first tenant of an empty registry.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use domain::id::{SourceId, TenantId};
use domain::registry::{Scope, Source, SourceKind, SourceSecret, Tenant};
use http_kit::key::{NewKey, issue_key};
use ports::clock::{Clock as _, SystemClock};
use ports::registry::Registry as _;
use serde_json::json;

use crate::commands::send::events_url;
use crate::commands::source::new_secret;
use crate::home::Home;
use crate::print::Print;
use crate::serve::Server;
use crate::settings::Settings;

/// Says where the server listens. In an empty registry, adds a first tenant with a source and keys, and shows them.
pub(crate) async fn greet(settings: &Settings, server: &Server, print: &Print) -> anyhow::Result<()> {
    let base = base_url(settings, server.address);
    let mut value = json!({"listening": format!("http://{}", server.address), "page": format!("{base}/")});
    let mut text = String::new();
    if server.home.ledger.snapshot().await?.tenants.is_empty() {
        let tenant = add_tenant(&server.home, "salon", "Салон").await?;
        let source = add_source(&server.home, &tenant, "bot", SourceKind::Events, None).await?.0;
        let ingest = add_key(&server.home, Scope::Ingest, &tenant, Some(&source)).await?;
        let admin = add_key(&server.home, Scope::Admin, &tenant, None).await?;
        server.keyring.refresh().await;
        let (ingest, admin) = (ingest.text.expose(), admin.text.expose());
        value["keys"] = json!({"ingest": ingest, "admin": admin});
        text = format!(
            "\nПервый запуск: добавлен салон «Салон» (tenant salon, source bot).\n\
             First start: tenant salon with source bot was added. The keys are shown once, keep them:\n\n  \
             ingest  {ingest}\n  admin   {admin}  (вход на страницу / for the page)\n\n{}\n\n",
            try_it(&base, ingest),
        );
    }
    text.push_str(&format!("страница / page  {base}/\n{}", listening(server.address)));
    print.say(&value, &text);
    Ok(())
}

/// The line scripts wait for.
pub(crate) fn listening(address: SocketAddr) -> String {
    format!("listening on http://{address}")
}

/// The address people and senders use.
pub(crate) fn base_url(settings: &Settings, address: SocketAddr) -> String {
    match settings.http.public_url.trim_end_matches('/') {
        "" => format!("http://{address}"),
        public => public.to_owned(),
    }
}

/// A line that works when pasted.
pub(crate) fn try_it(base: &str, key: &str) -> String {
    let now = SystemClock.now();
    let event = json!({
        "timestamp": now.to_string(),
        "channel": "site",
        "session_id": "hello",
        "actor": "client",
        "action": "message",
        "user_text": "Здравствуйте! Можно записаться на завтра?",
    });
    format!(
        "Вставьте в терминал / paste this:\n\n  \
         curl -i {} -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -d '{event}'\n\n\
         Диалог / the conversation: {base}/#/sessions/hello",
        events_url(base),
    )
}

pub(crate) async fn add_tenant(home: &Home, id: &str, name: &str) -> anyhow::Result<TenantId> {
    let id = TenantId::parse(id)?;
    let tenant =
        Tenant { id: id.clone(), name: name.to_owned(), created_at: SystemClock.now(), revoked_at: None };
    home.ledger.add_tenant(&tenant).await?;
    Ok(id)
}

/// Adds a source; gives back its secret, too.
pub(crate) async fn add_source(
    home: &Home,
    tenant: &TenantId,
    id: &str,
    kind: SourceKind,
    rate_limit: Option<NonZeroU32>,
) -> anyhow::Result<(SourceId, String)> {
    let id = SourceId::parse(id)?;
    let secret = new_secret(kind)?;
    let now = SystemClock.now();
    let source = Source {
        id: id.clone(),
        tenant: tenant.clone(),
        kind,
        name: id.to_string(),
        secrets: vec![SourceSecret {
            sealed: home.vault.seal_secret(&id, secret.as_bytes()),
            created_at: now,
        }],
        rate_limit,
        created_at: now,
        revoked_at: None,
    };
    home.ledger.add_source(&source).await?;
    Ok((id, secret))
}

pub(crate) async fn add_key(
    home: &Home,
    scope: Scope,
    tenant: &TenantId,
    source: Option<&SourceId>,
) -> anyhow::Result<NewKey> {
    let made = issue_key(scope, Some(tenant.clone()), source.cloned(), String::new(), SystemClock.now())?;
    home.ledger.add_key(&made.key).await?;
    Ok(made)
}
