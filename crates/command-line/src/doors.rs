//! The doors of the gateway, seen from outside: where they are and what is spoken there.

use std::time::Duration;

use anyhow::Context as _;
use channels::Mapping;
use console::registrar::{keyed, with_parameter};
use domain::id::SourceId;
use domain::registry::SourceKind;
use ports::clock::{Clock as _, SystemClock};
use reqwest::{Client, Url};
use serde_json::json;

/// A client that trusts the certificates the machine trusts.
///
/// # Errors
/// The machine's certificates cannot be read.
pub fn client() -> anyhow::Result<Client> {
    // Installed once a process; a second call finds it there already.
    let _installed_before = rustls::crypto::ring::default_provider().install_default();
    Ok(Client::builder().timeout(Duration::from_secs(60)).build()?)
}

/// Where events are sent with a key. `base` is the gateway's address.
#[must_use]
pub fn events_url(base: &str) -> String {
    format!("{}/v1/events", base.trim_end_matches('/'))
}

/// Where a source's deliveries go. `base` is the gateway's address.
#[must_use]
pub fn hook_url(base: &str, source: &SourceId) -> String {
    format!("{}/v1/hooks/{source}", base.trim_end_matches('/'))
}

/// What to paste at the messenger, and where: for a person who has just added a source.
#[must_use]
pub(crate) fn next_step(kind: SourceKind, mapping: Option<&Mapping>, url: &str, secret: &str) -> String {
    match kind {
        SourceKind::Events => String::new(),
        SourceKind::Telegram => "call setWebhook of the Bot API with this url and secret_token".to_owned(),
        SourceKind::Whatsapp | SourceKind::Instagram => format!(
            "in the Meta app, Webhooks: callback URL {url}, verify token {}; subscribe to messages{}",
            channels::token_for_meta(secret.as_bytes()),
            if kind == SourceKind::Whatsapp { " and smb_message_echoes" } else { " and comments" },
        ),
        SourceKind::Vk => format!(
            "in the community, Manage, API usage, Callback API: address {url}?confirm=STRING, where STRING is what VK says it \
             wants to be answered; secret key as above; events message_new, message_reply, message_event"
        ),
        SourceKind::Max => "call POST /subscriptions of the MAX Bot API with this url and secret".to_owned(),
        SourceKind::Wazzup => {
            format!("call PATCH /v3/webhooks of Wazzup with webhooksUri {}", keyed(url, secret))
        }
        SourceKind::Avito => {
            format!("call POST /messenger/v3/webhook of Avito with the url {}", keyed(url, secret))
        }
        SourceKind::Jivo => {
            format!("give Jivo this address, of the bot or for its webhooks: {}", keyed(url, secret))
        }
        SourceKind::Yclients => {
            format!("in YCLIENTS, Integrations, Webhooks: address {}", keyed(url, secret))
        }
        SourceKind::Cloudevents => format!(
            "give the sender this address: {}; or the url without the key, where it can send the secret as a bearer token",
            keyed(url, secret)
        ),
        SourceKind::Otlp => format!(
            "set OTEL_EXPORTER_OTLP_ENDPOINT={url} and OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20SECRET, where SECRET is \
             the one above; have the instrumentation record what is said: OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental \
             and OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY, or its own switch"
        ),
        SourceKind::Mapping => match mapping.map(Mapping::parameter) {
            Some(None) => "give the other system this url and secret".to_owned(),
            Some(Some(name)) => {
                format!("give the other system this address: {}", with_parameter(url, name, secret))
            }
            None => format!("give the other system this address: {}", keyed(url, secret)),
        },
    }
}

/// Reads the address of a bot. It may hold a token: nothing that is said of it repeats it.
///
/// # Errors
/// It is none.
pub(crate) fn bot_address(text: &str) -> anyhow::Result<Url> {
    let is_usable = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    let url = Url::parse(text.trim()).ok().filter(is_usable);
    let url = url.filter(|url| url.fragment().is_none() && url.as_str().len() <= 2048);
    url.context("the bot's address must begin with http:// or https://, and have at most 2048 characters")
}

/// Where a bot is, without what may be secret in its address.
pub(crate) fn place_of(bot: &Url) -> String {
    bot.origin().ascii_serialization()
}

/// Lines that work when pasted: one sends an event to the gateway at `gateway` with the ingest key `key`, one shows
/// what became of it on the page at `page`.
#[must_use]
pub fn try_it(gateway: &str, page: &str, key: &str) -> String {
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
         Диалог / the conversation: {page}/#/sessions/hello",
        events_url(gateway),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_signs_nothing_gets_the_secret_in_the_address_and_nobody_else() {
        for kind in SourceKind::ALL {
            let said = next_step(kind, None, "https://in.example.ru/v1/hooks/bot", "s3cret");
            let signs_nothing = matches!(
                kind,
                SourceKind::Wazzup
                    | SourceKind::Avito
                    | SourceKind::Jivo
                    | SourceKind::Yclients
                    | SourceKind::Mapping
                    | SourceKind::Cloudevents
            );
            assert_eq!(said.contains("/v1/hooks/bot?key=s3cret"), signs_nothing, "{said}");
            assert_eq!(said.contains("s3cret"), signs_nothing, "{said}");
        }
    }

    #[test]
    fn of_a_bots_address_only_the_place_is_said() {
        let secret = "https://user:pass@bot.example.ru:8443/7001:AAF-token?key=s3cret";
        assert_eq!(place_of(&bot_address(secret).unwrap()), "https://bot.example.ru:8443");
        assert_eq!(place_of(&bot_address("http://127.0.0.1/hook\n").unwrap()), "http://127.0.0.1");
        for wrong in
            ["", "bot.example.ru", "ftp://s3cret.ru/", "https://", "https://bot/#s3cret", "file:///s3cret"]
        {
            let said = format!("{:#}", bot_address(wrong).unwrap_err());
            assert!(said.contains("https://") && !said.contains("s3cret"), "{said}");
        }
    }

    #[test]
    fn a_slash_at_the_end_of_an_address_does_not_matter() {
        let source = SourceId::parse("bot").unwrap();
        for base in ["https://letopis.example.ru", "https://letopis.example.ru/"] {
            assert_eq!(events_url(base), "https://letopis.example.ru/v1/events");
            assert_eq!(hook_url(base, &source), "https://letopis.example.ru/v1/hooks/bot");
        }
    }
}
