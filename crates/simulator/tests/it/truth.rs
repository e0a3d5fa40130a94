//! The salon's account of itself.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;
use simulator::{Door, Salon, Truth};

use crate::{chat, config};

/// Sessions as the sent bytes show them: id → number of events, leads in order.
fn sent(salon: &Salon) -> BTreeMap<String, (u64, Vec<String>)> {
    let mut sessions: BTreeMap<String, (u64, Vec<String>)> = BTreeMap::new();
    for delivery in salon.deliveries() {
        let id = match &delivery.door {
            Door::Events(event) => event["session_id"].as_str().unwrap().to_owned(),
            Door::Telegram(update) => chat(update),
        };
        let session = sessions.entry(id).or_default();
        session.0 += 1;
        if let Door::Events(Value::Object(event)) = &delivery.door {
            session.1.extend(event.get("crm_lead_id").map(|lead| lead.as_str().unwrap().to_owned()));
        }
    }
    sessions
}

fn check_sums(truth: &Truth) {
    let total = |pick: fn(&simulator::ChannelTruth) -> u64| truth.overview.iter().map(pick).sum::<u64>();
    let sessions = u64::try_from(truth.sessions.len()).unwrap();
    let bookings = u64::try_from(truth.appointments.len()).unwrap();
    assert_eq!(total(|of| of.sessions.total), sessions);
    let standing = total(|of| {
        of.appointments.booked
            + of.appointments.attended
            + of.appointments.no_show
            + of.appointments.cancelled
    });
    assert_eq!(standing, bookings);
    assert_eq!(truth.events, truth.sessions.iter().map(|session| session.events).sum::<u64>());
    for of in &truth.overview {
        let sessions = of.sessions;
        assert!(sessions.booked <= sessions.with_lead && sessions.with_lead <= sessions.total, "{of:?}");
        assert!(
            sessions.visited <= sessions.booked && sessions.handed_off <= sessions.with_fallback,
            "{of:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_figure_adds_up(seed in any::<u64>(), days in 1_u32..40) {
        check_sums(&Salon::new(config(seed, days)).truth());
    }

    #[test]
    fn the_account_agrees_with_what_was_sent(seed in any::<u64>(), days in 1_u32..15) {
        let salon = Salon::new(config(seed, days));
        let sent = sent(&salon);
        let truth = salon.truth();
        prop_assert_eq!(sent.len(), truth.sessions.len());
        for session in &truth.sessions {
            let (events, leads) = &sent[&session.session_id];
            prop_assert_eq!(*events, session.events);
            prop_assert_eq!(leads.first(), session.lead.as_ref());
        }
    }
}

#[test]
fn every_outcome_occurs_in_ninety_days() {
    let truth = Salon::new(config(1, 90)).truth();
    let outcomes: BTreeSet<&str> = truth.sessions.iter().map(|session| session.outcome).collect();
    let expected: BTreeSet<&str> =
        domain::session::Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
    assert_eq!(outcomes, expected);
}

#[test]
fn a_reminder_and_a_short_wait_make_a_missed_visit_rarer() {
    let salon = Salon::new(config(5, 365));
    let reminded: BTreeSet<String> = salon
        .deliveries()
        .filter_map(|delivery| match delivery.door {
            Door::Events(event) if event["action"] == "remind" => {
                Some(event["appointment"]["id"].to_string())
            }
            _ => None,
        })
        .collect();
    let truth = salon.truth();
    let missed = |with: bool| {
        let due = || {
            let ended = truth.appointments.iter().filter(|one| matches!(one.state, "attended" | "no_show"));
            ended.filter(|one| reminded.contains(&format!("\"{}\"", one.id)) == with)
        };
        let misses = u32::try_from(due().filter(|one| one.state == "no_show").count()).unwrap();
        f64::from(misses) / f64::from(u32::try_from(due().count()).unwrap())
    };
    let (with, without) = (missed(true), missed(false));
    assert!(with * 1.4 < without, "{with} {without}");
    assert!((0.05..0.20).contains(&with), "{with}");
}

#[test]
fn the_account_is_a_json_file() {
    let truth = serde_json::to_value(Salon::new(config(1, 3)).truth()).unwrap();
    for key in ["seed", "start", "end", "events", "sessions", "appointments", "overview"] {
        assert!(truth.get(key).is_some(), "{key}");
    }
}
