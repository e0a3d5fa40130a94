//! The form in which what happens leaves the salon: Telegram updates and canonical events.

use std::collections::BTreeMap;

use domain::action::{Action, Actor};
use domain::channel::Channel;
use serde_json::{Map, Value, json};

use crate::calendar::{instant, rfc3339};
use crate::fact::{Deed, Fact, Report, ThreadId};
use crate::people::Client;
use crate::salon::{Delivery, Door};
use crate::world::{Thread, World};

/// The bot the clients of Telegram write to.
const BOT_ID: u64 = 5_899_999_999;
const CONSENT_EDITION: &str = "2025-09";
const MODEL: &str = "salon-assistant-2";

/// Under which kind of keyboard a client of Telegram finds the buttons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyboard {
    /// Below the chat: a press sends the label as an ordinary message, with a date.
    Reply,
    /// Below the message: a press is a callback query. It has no date of its own, so it can only be told as it happens.
    Inline,
}

/// Renders in order of time: numbers of updates and messages count up.
pub(crate) struct Renderer {
    keyboard: Keyboard,
    next_update: i64,
    /// The last message number of each Telegram chat.
    messages: BTreeMap<ThreadId, u64>,
}

impl Renderer {
    /// Numbers of updates begin at `first_update`.
    pub(crate) const fn new(first_update: i64, keyboard: Keyboard) -> Self {
        Self { keyboard, next_update: first_update, messages: BTreeMap::new() }
    }

    pub(crate) fn deliver(&mut self, world: &World, fact: &Fact) -> Delivery {
        let thread = &world.threads[fact.thread];
        let client = &world.clients[thread.client];
        let door = match (&fact.deed, thread.channel) {
            (Deed::Report(_), Channel::Telegram) => {
                self.next_message(fact.thread);
                Door::Events(canonical(world, thread, client, fact))
            }
            (_, Channel::Telegram) => Door::Telegram(self.update(client, fact)),
            _ => Door::Events(canonical(world, thread, client, fact)),
        };
        Delivery { at: instant(fact.at), door }
    }

    fn next_message(&mut self, thread: ThreadId) -> u64 {
        let last = self.messages.entry(thread).or_insert(0);
        *last += 1;
        *last
    }

    fn update(&mut self, client: &Client, fact: &Fact) -> Value {
        let update_id = self.next_update;
        self.next_update += 1;
        if let (Deed::Presses { label, data }, Keyboard::Inline) = (&fact.deed, self.keyboard) {
            let under = self.messages.get(&fact.thread).copied().unwrap_or(1);
            return json!({"update_id": update_id, "callback_query": press(client, fact, under, label, data)});
        }
        let mut message = json!({
            "message_id": self.next_message(fact.thread),
            "from": person(client),
            "chat": chat(client),
            "date": fact.at,
        });
        match &fact.deed {
            Deed::SharesContact { .. } => {
                message["contact"] = json!({
                    "phone_number": client.phone.trim_start_matches('+'),
                    "first_name": client.first_name,
                    "last_name": client.last_name,
                    "user_id": client.messenger_id,
                });
            }
            Deed::Says(text) | Deed::Presses { label: text, .. } => message["text"] = json!(text),
            Deed::Report(_) => {}
        }
        json!({"update_id": update_id, "message": message})
    }
}

fn press(client: &Client, fact: &Fact, under: u64, label: &str, data: &str) -> Value {
    json!({
        "id": fact.id.simple().to_string(),
        "from": person(client),
        "message": {
            "message_id": under,
            "from": {"id": BOT_ID, "is_bot": true, "first_name": "Мила", "username": "salon_demo_bot"},
            "chat": chat(client),
            "date": fact.at - 1,
            "text": "Выберите, пожалуйста",
            "reply_markup": {"inline_keyboard": [[{"text": label, "callback_data": data}]]},
        },
        "chat_instance": fact.id.simple().to_string(),
        "data": data,
    })
}

fn person(client: &Client) -> Value {
    let mut person = json!({
        "id": client.messenger_id,
        "is_bot": false,
        "first_name": client.first_name,
        "last_name": client.last_name,
        "language_code": "ru",
    });
    if let Some(username) = &client.username {
        person["username"] = json!(username);
    }
    person
}

fn chat(client: &Client) -> Value {
    json!({
        "id": client.messenger_id,
        "first_name": client.first_name,
        "last_name": client.last_name,
        "type": "private",
    })
}

fn canonical(world: &World, thread: &Thread, client: &Client, fact: &Fact) -> Value {
    let mut event = Map::new();
    event.insert("event_id".into(), json!(fact.id.to_string()));
    event.insert("timestamp".into(), json!(rfc3339(fact.at)));
    event.insert("channel".into(), json!(thread.channel.as_str()));
    event.insert("session_id".into(), json!(thread.id));
    match &fact.deed {
        Deed::Says(text) | Deed::Presses { label: text, .. } => client_words(&mut event, text),
        Deed::SharesContact { typed } => {
            client_words(&mut event, typed);
            event.insert("contact".into(), contact(thread, client));
        }
        Deed::Report(report) => insert_report(&mut event, world, thread, client, report),
    }
    Value::Object(event)
}

fn client_words(event: &mut Map<String, Value>, text: &str) {
    event.insert("actor".into(), json!(Actor::Client.as_str()));
    event.insert("action".into(), json!(Action::Message.as_str()));
    event.insert("user_text".into(), json!(text));
}

fn insert_report(
    event: &mut Map<String, Value>,
    world: &World,
    thread: &Thread,
    client: &Client,
    report: &Report,
) {
    let mut insert = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            event.insert(key.to_owned(), value);
        }
    };
    insert("actor", Some(json!(report.actor.as_str())));
    insert("action", Some(json!(report.action.as_str())));
    insert("assistant_response", report.text.as_ref().map(|text| json!(text)));
    insert("intent", report.intent.map(|intent| json!(intent)));
    insert("scenario", report.scenario.map(|branch| json!({"id": branch.id, "version": branch.version})));
    insert("crm_lead_id", report.lead.map(|lead| json!(format!("BX-{lead}"))));
    insert("contact", report.with_contact.then(|| contact(thread, client)));
    let appointment = report.appointment.map(|slot| {
        json!({
            "id": world.bookings[slot.booking].id,
            "starts_at": rfc3339(slot.starts_at),
            "service": slot.service.name,
            "staff": slot.master,
        })
    });
    insert("appointment", appointment);
    let consent = report.consent.map(|consent| {
        json!({
            "purpose": consent.purpose,
            "granted": consent.granted,
            "text_version": CONSENT_EDITION,
        })
    });
    insert("consent", consent);
    if let Some(turn) = report.turn {
        insert("confidence", Some(json!(f64::from(turn.confidence_percent) / 100.0)));
        insert("response_time_ms", Some(json!(turn.response_time_ms)));
        insert("model", Some(json!(MODEL)));
        let usage = json!({"input_tokens": turn.input_tokens, "output_tokens": turn.output_tokens});
        insert("usage", Some(usage));
    }
    for (key, value) in &report.attributes {
        insert(key, Some(value.clone()));
    }
}

fn contact(thread: &Thread, client: &Client) -> Value {
    let mut contact = json!({"phone": client.phone, "name": client.full_name()});
    if let Some(email) = &client.email {
        contact["email"] = json!(email);
    }
    if !matches!(thread.channel, Channel::Phone | Channel::Site | Channel::Whatsapp) {
        contact["messenger_id"] = json!(client.messenger_id.to_string());
    }
    contact
}
