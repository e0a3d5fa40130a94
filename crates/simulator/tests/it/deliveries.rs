//! What leaves the salon.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;
use simulator::{Door, Salon};

use crate::{body, bytes, chat, config};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn one_seed_gives_the_same_bytes_twice_and_another_seed_gives_others(seed in any::<u64>()) {
        let first = bytes(&Salon::new(config(seed, 4)));
        prop_assert_eq!(&first, &bytes(&Salon::new(config(seed, 4))));
        prop_assert_ne!(&first, &bytes(&Salon::new(config(seed.wrapping_add(1), 4))));
    }

    #[test]
    fn deliveries_come_in_order_of_time_and_within_the_days(seed in any::<u64>(), days in 1_u32..20) {
        let config = config(seed, days);
        let mut last = config.start;
        for delivery in Salon::new(config).deliveries() {
            prop_assert!(delivery.at >= last && delivery.at < config.end());
            last = delivery.at;
        }
    }

    #[test]
    fn every_canonical_event_is_valid(seed in any::<u64>()) {
        for delivery in Salon::new(config(seed, 5)).deliveries() {
            if let Door::Events(event) = delivery.door {
                let parsed = event_schema::public::parse(event.clone());
                prop_assert!(parsed.is_ok(), "{event:#}");
            }
        }
    }
}

#[test]
fn the_bytes_of_a_seed_are_the_same_on_every_machine() {
    // FNV-1a over everything sent. A change of a wording or of a chance changes it, and is meant to be seen.
    let digest = bytes(&Salon::new(config(1, 30))).bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    assert_eq!(format!("{digest:016x}"), "74d44d405776ec77");
}

#[test]
fn ninety_days_are_about_thirty_conversations_a_day_through_every_door() {
    let salon = Salon::new(config(1, 90));
    let truth = salon.truth();
    assert!((1800..3300).contains(&truth.sessions.len()), "{}", truth.sessions.len());
    let channels: BTreeSet<&str> = truth.overview.iter().map(|figures| figures.channel).collect();
    let doors = ["avito", "instagram", "max", "phone", "site", "telegram", "vk", "whatsapp"];
    assert_eq!(channels, BTreeSet::from(doors));
}

#[test]
fn event_ids_are_unique_and_update_numbers_count_up_by_one() {
    let mut ids = BTreeSet::new();
    let mut updates: Vec<i64> = Vec::new();
    for delivery in Salon::new(config(2, 30)).deliveries() {
        match &delivery.door {
            Door::Events(event) => assert!(ids.insert(event["event_id"].to_string())),
            Door::Telegram(update) => updates.push(update["update_id"].as_i64().unwrap()),
        }
    }
    assert!(updates.windows(2).all(|pair| pair[1] == pair[0] + 1));
    assert!(updates.len() > 500 && ids.len() > 2000, "{} {}", updates.len(), ids.len());
}

#[test]
fn at_telegram_the_client_comes_as_updates_and_the_bot_as_events_of_the_same_session() {
    let (mut native, mut reported) = (BTreeSet::new(), BTreeSet::new());
    for delivery in Salon::new(config(3, 20)).deliveries() {
        match &delivery.door {
            Door::Telegram(update) => {
                native.insert(chat(update));
            }
            Door::Events(event) if event["channel"] == "telegram" => {
                assert_ne!(
                    (&event["actor"], &event["action"]),
                    (&Value::from("client"), &Value::from("message"))
                );
                reported.insert(event["session_id"].as_str().unwrap().to_owned());
            }
            Door::Events(_) => {}
        }
    }
    // Every conversation has both sides, but the last few may still wait for an answer.
    assert!(native.symmetric_difference(&reported).count() <= 3);
}

#[test]
fn all_actions_of_a_salon_occur() {
    let mut seen = BTreeSet::new();
    for delivery in Salon::new(config(4, 60)).deliveries() {
        let body = body(&delivery);
        match &delivery.door {
            Door::Events(_) => seen.insert(body["action"].as_str().unwrap().to_owned()),
            Door::Telegram(_) if body["message"].get("contact").is_some() => {
                seen.insert("<contact>".to_owned())
            }
            Door::Telegram(_) => seen.insert("<text>".to_owned()),
        };
    }
    let expected = "<contact> <text> attend book call cancel confirm consent_grant consent_withdraw \
                    create_lead decline fallback handoff lead_stage message no_show pay refuse remind reschedule \
                    review";
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>().join(" "), expected);
}
