//! What senders send: bodies of the size and alphabet of a salon's day.

use criterion::Throughput;
use domain::registry::SourceKind;
use serde_json::json;
use system_tests::events;

const UPDATE: &str =
    include_str!("../../../crates/channels/tests/fixtures/telegram/business-message-from-client.json");

const WHATSAPP: &str =
    include_str!("../../../crates/channels/tests/fixtures/whatsapp/message-forwarded.json");

/// One body, and how it is read.
pub(crate) struct Body {
    pub(crate) name: &'static str,
    pub(crate) kind: SourceKind,
    pub(crate) text: String,
}

impl Body {
    /// An assistant's turn, without a contact: what the load tools send.
    pub(crate) fn turn() -> Self {
        Self { name: "turn", kind: SourceKind::Events, text: events::numbered(1, 1, 1_000).to_string() }
    }

    /// A client who leaves a phone number and an e-mail address: two pseudonyms and a second seal.
    pub(crate) fn contact() -> Self {
        let event = json!({
            "event_id": events::id(1, 2),
            "timestamp": "2026-03-01T10:20:30+03:00",
            "channel": "site",
            "session_id": events::session(1, 2),
            "actor": "client",
            "action": "create_lead",
            "intent": "appointment_booking",
            "contact": {"phone": "+7 (913) 123-45-67", "email": "Anna@mail.ru", "name": "Анна Смирнова"},
            "user_text": "Здравствуйте! Можно записаться к Оксане на пятницу после трёх?",
        });
        Self { name: "contact", kind: SourceKind::Events, text: event.to_string() }
    }

    /// A message from Telegram, as Telegram sends it: without the fixture's spaces.
    pub(crate) fn update() -> Self {
        let update: serde_json::Value = serde_json::from_str(UPDATE).expect("a fixture of channels is JSON");
        Self { name: "update", kind: SourceKind::Telegram, text: update.to_string() }
    }

    /// A message from WhatsApp: a number, a user id and a name beside the text.
    pub(crate) fn whatsapp() -> Self {
        let body: serde_json::Value = serde_json::from_str(WHATSAPP).expect("a fixture of channels is JSON");
        Self { name: "whatsapp", kind: SourceKind::Whatsapp, text: body.to_string() }
    }

    pub(crate) fn events() -> [Self; 2] {
        [Self::turn(), Self::contact()]
    }

    pub(crate) fn all() -> [Self; 4] {
        [Self::turn(), Self::contact(), Self::update(), Self::whatsapp()]
    }

    /// One body an iteration.
    pub(crate) fn throughput(&self) -> Throughput {
        throughput(1, self.text.len())
    }
}

/// So many events of so many bytes together, as they were sent, an iteration.
pub(crate) fn throughput(events: usize, bytes: usize) -> Throughput {
    let [elements, bytes] = [events, bytes].map(|count| u64::try_from(count).unwrap_or(u64::MAX));
    Throughput::ElementsAndBytes { elements, bytes }
}
