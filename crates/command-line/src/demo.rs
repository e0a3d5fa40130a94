//! The made-up salon on a system that runs already.

use std::time::Duration;

use anyhow::Context as _;
use domain::id::TenantId;
use domain::registry::{Scope, Trade};
use ports::registry::{RegistryError, RegistrySnapshot};
use serde_json::json;

use crate::cli::Demo;
use crate::desk::Desk;
use crate::doors::{client, try_it};
use crate::office::Office;
use crate::player::Player;
use crate::print::Print;
use crate::program::Program;
use crate::salon::SalonDoors;

/// Gateways look into the registry every second; one that cannot just then has a little longer.
const SETTLING: Duration = Duration::from_secs(15);
/// Far more demos than anybody leaves lying about.
const MOST: u32 = 1_000;

/// Adds a tenant of its own with sources and keys, says how to look at it, and plays: the past days, and then live
/// until the process is stopped. The tenant stays; it is called `demo`, or `demo-2` and so on where that is taken.
///
/// # Errors
/// Nothing listens at the gateway's address, a store cannot be reached, or a door refuses what the salon sends.
pub async fn demo(options: Demo, office: &impl Office, print: &Print) -> anyhow::Result<()> {
    let gateway = match options.gateway {
        Some(gateway) => gateway,
        None => office.doors()?,
    };
    let gateway = gateway.trim_end_matches('/');
    // Before anything is added: a wrong address is to leave no tenant behind.
    knock(gateway, office.program()).await?;
    let desk = office.visit().await?;
    let tenant = add_tenant(&desk).await?;
    let doors = SalonDoors::open(&desk, &tenant).await?;
    let admin = desk.add_key(Scope::Admin, &tenant, None).await?;
    let page = options.console.trim_end_matches('/');
    welcome(&tenant, gateway, page, &doors, admin.text.expose(), print);
    Player::new(gateway, &doors, SETTLING, print)?.play(&options.play).await
}

/// Makes sure that something answers there, whatever it says.
async fn knock(gateway: &str, program: Program) -> anyhow::Result<()> {
    match client()?.get(format!("{gateway}/")).timeout(Duration::from_secs(5)).send().await {
        Ok(_) => Ok(()),
        Err(cause) if cause.is_builder() => {
            anyhow::bail!("--gateway must be like http://127.0.0.1:8686, or https://…")
        }
        Err(cause) if cause.is_connect() => {
            Err(cause).with_context(|| format!("nothing listens at {gateway}: {}", program.start))
        }
        Err(cause) => Err(cause).with_context(|| format!("no answer from {gateway}")),
    }
}

async fn add_tenant(desk: &Desk) -> anyhow::Result<TenantId> {
    let registry = desk.registry.snapshot().await?;
    for number in 1..=MOST {
        let (id, name) = names(number);
        if is_taken(&registry, &id) {
            continue;
        }
        let tenant = TenantId::parse(&id)?;
        match desk.add_tenant(&tenant, &name, Trade::Ordinary).await {
            Ok(()) => return Ok(tenant),
            // Another demo was faster.
            Err(RegistryError::Exists) => {}
            Err(cause) => return Err(cause.into()),
        }
    }
    anyhow::bail!("there are {MOST} demos already")
}

fn names(number: u32) -> (String, String) {
    match number {
        1 => ("demo".to_owned(), "Салон «Весна»".to_owned()),
        number => (format!("demo-{number}"), format!("Салон «Весна» {number}")),
    }
}

/// Whether a tenant of this name, or a source it would have, was ever there.
fn is_taken(registry: &RegistrySnapshot, tenant: &str) -> bool {
    let sources = SalonDoors::sources_of(tenant);
    registry.tenants.iter().any(|known| known.id.as_str() == tenant)
        || registry.sources.iter().any(|known| sources.iter().any(|id| known.id.as_str() == id))
}

fn welcome(tenant: &TenantId, gateway: &str, page: &str, doors: &SalonDoors, admin: &str, print: &Print) {
    let (ingest, read) = (doors.ingest.expose(), doors.read.expose());
    let value = json!({
        "tenant": tenant.as_str(),
        "gateway": gateway,
        "page": format!("{page}/"),
        "keys": {"ingest": ingest, "read": read, "admin": admin},
    });
    let text = format!(
        "\nЛетопись: демонстрационный салон. Letopis: a made-up salon (tenant {tenant}).\n\n  \
         страница / page             {page}/\n  \
         вход на страницу / its key  {read}\n  \
         с правом менять / admin     {admin}\n  \
         ключ / ingest key           {ingest}\n\n{}\n",
        try_it(gateway, page, ingest),
    );
    print.say(&value, &text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Play;
    use crate::stand::{FakeGateway, Stand};

    fn one_past_day(gateway: &str) -> Demo {
        Demo {
            gateway: Some(gateway.to_owned()),
            console: "http://127.0.0.1:8691/".to_owned(),
            play: Play { seed: 7, days: 1, truth: None, past_only: true },
        }
    }

    #[tokio::test]
    async fn every_demo_has_a_tenant_of_its_own() {
        let (stand, gateway) = (Stand::new(), FakeGateway::start(&[]).await);
        for tenant in ["demo", "demo-2", "demo-3"] {
            demo(one_past_day(&gateway.url), &stand, &stand.print(true)).await.unwrap();
            let said: serde_json::Value = serde_json::from_str(&stand.said()).unwrap();
            assert_eq!(said["tenant"], tenant);
            assert_eq!(said["page"], "http://127.0.0.1:8691/");
            assert!(said["keys"]["read"].as_str().is_some_and(|key| key.contains("read")), "{said}");
        }
    }

    #[tokio::test]
    async fn a_source_that_is_taken_makes_a_demo_choose_another_name() {
        let (stand, gateway) = (Stand::new(), FakeGateway::start(&[]).await);
        stand.run("tenant add salon --name Salon").await.unwrap();
        stand.run("source add demo-telegram --tenant salon").await.unwrap();
        demo(one_past_day(&gateway.url), &stand, &stand.print(true)).await.unwrap();
        assert!(stand.said().contains("demo-2"));
    }

    #[tokio::test]
    async fn a_wrong_address_leaves_no_tenant_behind() {
        let stand = Stand::new();
        let error = demo(one_past_day(&FakeGateway::gone().await), &stand, &stand.print(true)).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("start ingest-gateway"), "{error}");
        assert_eq!(stand.opened(), 0);
    }
}
