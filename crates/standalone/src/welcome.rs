//! What a server says when it is ready, and the first tenant of an empty registry.

use std::net::SocketAddr;

use command_line::{NewSource, Print, try_it};
use domain::id::{SourceId, TenantId};
use domain::registry::{Scope, SourceKind, Trade};
use serde_json::json;

use crate::serve::Server;
use crate::settings::Settings;

/// Says where the server listens. In an empty registry, adds a first tenant with a source and keys, and shows them.
pub(crate) async fn greet(settings: &Settings, server: &Server, print: &Print) -> anyhow::Result<()> {
    let base = base_url(settings, server.address);
    let mut value = json!({"listening": format!("http://{}", server.address), "page": format!("{base}/")});
    let mut text = String::new();
    let desk = server.home.desk();
    if desk.registry.snapshot().await?.tenants.is_empty() {
        let (tenant, bot) = (TenantId::parse("salon")?, SourceId::parse("bot")?);
        desk.add_tenant(&tenant, "Салон", Trade::Ordinary).await?;
        desk.add_source(NewSource::new(&tenant, &bot, SourceKind::Events)).await?;
        let ingest = desk.add_key(Scope::Ingest, &tenant, Some(&bot)).await?;
        let admin = desk.add_key(Scope::Admin, &tenant, None).await?;
        server.keyring.refresh().await;
        let (ingest, admin) = (ingest.text.expose(), admin.text.expose());
        value["keys"] = json!({"ingest": ingest, "admin": admin});
        text = format!(
            "\nПервый запуск: добавлен салон «Салон» (tenant salon, source bot).\n\
             First start: tenant salon with source bot was added. The keys are shown once, keep them:\n\n  \
             ingest  {ingest}\n  admin   {admin}  (вход на страницу / for the page)\n\n{}\n\n",
            try_it(&base, &base, ingest),
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
