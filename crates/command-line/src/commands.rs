//! The shared commands, one module each.

pub(crate) mod audit;
pub(crate) mod healthcheck;
pub(crate) mod inspect;
pub(crate) mod key;
pub(crate) mod master_key;
pub(crate) mod quarantine;
pub(crate) mod reconcile;
mod remap;
pub(crate) mod send;
pub(crate) mod source;
pub(crate) mod subject;
pub(crate) mod tenant;
pub(crate) mod watch;

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use channels::Mapping;
use domain::id::TenantId;

use crate::cli::OfTenant;
use crate::desk::Desk;
use crate::program::Program;

/// Reads a file, or standard input for `-`.
fn read_input(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut content = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_end(&mut content).context("cannot read standard input")?;
    } else {
        content = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    }
    Ok(content)
}

/// The tenant that is meant: the one that was named, or the only one there is.
async fn tenant_of(of: OfTenant, desk: &Desk, program: Program) -> anyhow::Result<TenantId> {
    let mut tenants = desk.registry.snapshot().await?.tenants;
    if let Some(tenant) = of.tenant {
        anyhow::ensure!(tenants.iter().any(|known| known.id == tenant), "there is no tenant {tenant}");
        return Ok(tenant);
    }
    match (tenants.pop(), tenants.is_empty()) {
        (Some(only), true) => Ok(only.id),
        (None, _) => anyhow::bail!("there is no tenant yet: {} tenant add", program.name),
        (Some(_), false) => anyhow::bail!("there are several tenants: say which with --tenant"),
    }
}

/// Reads a mapping file; says everything that is wrong with it.
fn read_mapping(file: &Path) -> anyhow::Result<Mapping> {
    let text = String::from_utf8(read_input(file)?).context("the mapping is not UTF-8")?;
    Mapping::parse(&text).with_context(|| format!("{} cannot be used", file.display()))
}

/// When something ended, for a list; nothing while it lives.
fn ended(revoked_at: Option<domain::timestamp::Timestamp>) -> Option<String> {
    revoked_at.map(|at| at.to_string())
}

#[cfg(test)]
mod tests {
    use domain::id::{SourceId, TenantId};
    use domain::registry::{SourceKind, Trade};

    use crate::desk::NewSource;
    use crate::stand::{Stand, desk};

    /// What a command says, or why it failed.
    async fn answer(stand: &Stand, words: &str) -> String {
        let ran = stand.run(words).await;
        ran.map_or_else(|cause| format!("{cause:#}"), |_| stand.said())
    }

    #[tokio::test]
    async fn every_hint_calls_the_program_by_its_name() {
        let stand = Stand::new();
        for (words, hint) in [
            ("tenant list", "letopis-admin tenant add"),
            ("source list", "letopis-admin source add"),
            ("key list", "letopis-admin key add"),
            ("quarantine list", "letopis-admin tenant add"),
            ("key add --scope read --tenant nobody", "letopis-admin tenant list"),
            ("tenant add salon --name Salon", "letopis-admin source add"),
            ("source add bot --tenant salon", "letopis-admin key add"),
            ("healthcheck", "start ingest-gateway"),
        ] {
            let said = answer(&stand, words).await;
            assert!(said.contains(hint), "{words}: {said}");
            assert!(!said.replace("letopis-admin", "").contains("letopis"), "{words}: {said}");
        }
    }

    #[tokio::test]
    async fn a_source_is_found_at_the_address_of_the_doors() {
        let stand = Stand::new();
        stand.run("tenant add salon --name Salon").await.unwrap();
        for words in ["source add bot --tenant salon", "source list"] {
            let said = answer(&stand, words).await;
            assert!(said.contains("https://in.example.ru/v1/hooks/bot"), "{words}: {said}");
        }
    }

    #[tokio::test]
    async fn deliveries_are_passed_on_where_answers_say_something_and_the_address_is_not_shown() {
        let stand = Stand::new();
        stand.run("tenant add salon --name Salon").await.unwrap();
        stand.said();
        let secret = "https://u:p@bot.example.ru/7001:AAF";
        for (words, place) in [
            (
                format!("source add tg --tenant salon --kind telegram --forward-to {secret}"),
                "https://bot.example.ru",
            ),
            ("source list".to_owned(), "https://bot.example.ru"),
            (format!("source forward tg --to {secret}/2"), "https://bot.example.ru"),
            ("source forward tg --off".to_owned(), "nobody"),
        ] {
            let said = answer(&stand, &words).await;
            assert!(
                said.contains(place) && !said.contains("AAF") && !said.contains("u:p"),
                "{words}: {said}"
            );
        }
        assert!(!answer(&stand, "source list").await.contains("bot.example.ru"));
        stand.run("source add vk --tenant salon --kind vk").await.unwrap();
        stand.said();
        for words in [
            format!("source add max --tenant salon --kind max --forward-to {secret}"),
            format!("source forward vk --to {secret}"),
        ] {
            let said = answer(&stand, &words).await;
            assert!(said.contains("not passed on") && !said.contains("AAF"), "{words}: {said}");
        }
        assert!(answer(&stand, "source forward nobody --off").await.contains("there is no such"));
    }

    #[tokio::test]
    async fn a_source_with_a_bot_behind_it_is_never_there_without_the_bot() {
        let desk = desk();
        let bot = "https://bot.example.ru/7001:AAF";
        let (tenant, id) = (TenantId::parse("salon").unwrap(), SourceId::parse("tg").unwrap());
        desk.add_tenant(&tenant, "Салон", Trade::Ordinary).await.unwrap();
        let new = NewSource::new(&tenant, &id, SourceKind::Telegram);
        desk.add_source(NewSource { forward_to: Some(bot.to_owned()), ..new }).await.unwrap();
        let sources = desk.registry.snapshot().await.unwrap().sources;
        assert_eq!(desk.forwards_to(&sources[0]).unwrap().as_str(), bot);
    }

    #[tokio::test]
    async fn what_is_about_no_store_opens_none() {
        let stand = Stand::new();
        answer(&stand, "healthcheck").await;
        answer(&stand, "inspect --channel events /nowhere").await;
        answer(&stand, "send /nowhere --key k").await;
        assert_eq!(stand.opened(), 0);
        answer(&stand, "tenant list").await;
        assert_eq!(stand.opened(), 1);
    }

    #[tokio::test]
    async fn a_tenant_is_named_only_where_there_are_several() {
        let stand = Stand::new();
        stand.run("tenant add salon --name Salon").await.unwrap();
        stand.said();
        assert_eq!(answer(&stand, "quarantine list").await, "nothing is waiting in quarantine\n");
        stand.run("tenant add clinic --name Clinic").await.unwrap();
        stand.said();
        assert!(answer(&stand, "quarantine list").await.contains("--tenant"));
        assert!(answer(&stand, "quarantine list --tenant nobody").await.contains("no tenant nobody"));
    }

    #[tokio::test]
    async fn a_tenant_is_a_clinic_when_it_is_said_to_be() {
        let stand = Stand::new();
        for (words, said) in [
            ("tenant add smile --name Smile --trade clinic", "tenant smile added"),
            ("tenant list", "clinic"),
            ("tenant trade smile ordinary", "of trade ordinary"),
            ("tenant list", "ordinary"),
            ("tenant trade smile clinic", "without a word about health"),
            ("tenant trade nobody clinic", "there is no such"),
            ("tenant trade smile bakery", "possible values: ordinary, clinic"),
        ] {
            let answer = answer(&stand, words).await;
            assert!(answer.contains(said), "{words}: {answer}");
        }
    }

    #[tokio::test]
    async fn nobody_is_said_to_be_nobody_and_what_was_typed_is_not_repeated() {
        let stand = Stand::new();
        stand.run("tenant add salon --name Salon").await.unwrap();
        stand.said();
        for words in [
            "subject find +79131234567",
            "subject consents +79131234567",
            "subject join +79131234567 BX-7 --reason same",
            "subject split +79131234567 BX-7 --reason other",
        ] {
            let said = answer(&stand, words).await;
            assert!(said.contains("nobody is known by this") && !said.contains("913"), "{words}: {said}");
        }
        assert!(answer(&stand, "subject join a b").await.contains("--reason"));
    }

    #[tokio::test]
    async fn a_mapping_is_tried_kept_with_its_source_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path.display().to_string()
        };
        let rule = "events: [{set: {channel: site, session_id: /who, action: message}}]";
        let good = file("good.yaml", &format!("version: 1\n{rule}"));
        let signed =
            file("signed.json", &format!("{{version: 1, verify: {{by: standard_webhooks}}, {rule}}}"));
        let bad = file(
            "bad.yaml",
            "version: 1\nevents: [{set: {channel: pigeon, session_id: /who, action: message}}]",
        );
        let body = file("body.json", r#"{"who": "anna", "why": 1}"#);

        let stand = Stand::new();
        stand.run("tenant add salon --name Salon").await.unwrap();
        let tried = answer(&stand, &format!("inspect --mapping {good} {body}")).await;
        assert!(tried.contains("\"session_id\": \"anna\"") && tried.contains("\"why\": 1"), "{tried}");
        let wrong = answer(&stand, &format!("inspect --mapping {bad} {body}")).await;
        assert!(wrong.contains("/events/0/set/channel says something"), "{wrong}");

        let add = "source add crm --tenant salon --kind mapping";
        assert!(answer(&stand, add).await.contains("--mapping"), "a source of this kind needs one");
        let other =
            answer(&stand, &format!("source add tg --tenant salon --kind telegram --mapping {good}")).await;
        assert!(other.contains("telegram is not read by a mapping"), "{other}");
        let added = answer(&stand, &format!("{add} --mapping {good}")).await;
        assert!(added.contains("https://in.example.ru/v1/hooks/crm?key="), "{added}");
        let mapped = answer(&stand, &format!("source map crm {signed}")).await;
        assert!(mapped.contains("crm"), "{mapped}");
        let rotated = answer(&stand, "source rotate crm").await;
        assert!(rotated.contains("whsec_") && !rotated.contains("?key="), "{rotated}");
        assert!(answer(&stand, &format!("source map nobody {good}")).await.contains("there is no such"));
    }

    #[tokio::test]
    async fn nothing_accepted_and_nothing_stored_balances() {
        let stand = Stand::new();
        assert!(answer(&stand, "reconcile --wait 0s --drained").await.contains("balanced"));
    }
}
