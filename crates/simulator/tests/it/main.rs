//! The salon seen from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod deliveries;
mod live;
mod truth;

use domain::timestamp::Timestamp;
use serde_json::Value;
use simulator::{Delivery, Door, Salon, SalonConfig};

fn config(seed: u64, days: u32) -> SalonConfig {
    SalonConfig::new(seed, Timestamp::parse("2026-03-01T00:00:00+03:00").unwrap(), days)
}

fn body(delivery: &Delivery) -> &Value {
    match &delivery.door {
        Door::Events(body) | Door::Telegram(body) => body,
    }
}

/// The chat an update belongs to.
fn chat(update: &Value) -> String {
    update.get("message").unwrap_or(&update["callback_query"]["message"])["chat"]["id"].to_string()
}

fn bytes(salon: &Salon) -> String {
    salon.deliveries().map(|delivery| format!("{} {}\n", delivery.at, body(&delivery))).collect()
}
