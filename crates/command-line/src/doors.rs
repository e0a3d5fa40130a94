//! The doors of the gateway, seen from outside: where they are and what is spoken there.

use std::time::Duration;

use domain::id::SourceId;
use ports::clock::{Clock as _, SystemClock};
use reqwest::Client;
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
    fn a_slash_at_the_end_of_an_address_does_not_matter() {
        let source = SourceId::parse("bot").unwrap();
        for base in ["https://letopis.example.ru", "https://letopis.example.ru/"] {
            assert_eq!(events_url(base), "https://letopis.example.ru/v1/events");
            assert_eq!(hook_url(base, &source), "https://letopis.example.ru/v1/hooks/bot");
        }
    }
}
