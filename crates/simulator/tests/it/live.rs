//! The salon while somebody watches.

use std::collections::BTreeSet;
use std::time::Duration;

use simulator::{Door, Live, Salon};

use crate::{body, config};

fn live(seed: u64) -> Live {
    let config = config(seed, 10);
    Salon::new(config).live(config.end())
}

#[test]
fn deliveries_come_when_they_are_due_and_never_before() {
    let end = config(1, 10).end();
    let mut live = live(1);
    let mut delivered = 0;
    for second in 0..600 {
        let now = end.plus(Duration::from_secs(second));
        for delivery in live.due(now) {
            assert!(
                delivery.at <= now && now.distance(delivery.at) <= Duration::from_secs(1),
                "{}",
                delivery.at
            );
            delivered += 1;
        }
        assert!(live.next_at() > now);
    }
    assert!((200..2000).contains(&delivered), "{delivered}");
}

#[test]
fn buttons_are_pressed_only_where_somebody_watches() {
    let is_press = |delivery: &simulator::Delivery| body(delivery).get("callback_query").is_some();
    let config = config(1, 10);
    assert!(!Salon::new(config).deliveries().any(|delivery| is_press(&delivery)));
    let mut live = Salon::new(config).live(config.end());
    assert!(live.due(config.end().plus(Duration::from_secs(1200))).iter().any(is_press));
}

#[test]
fn asking_seldom_gives_the_same_as_asking_often() {
    let end = config(2, 10).end();
    let (mut often, mut seldom) = (live(2), live(2));
    let step = |step: u64| end.plus(Duration::from_secs(step));
    let by_step: Vec<_> = (0..=300).flat_map(|second| often.due(step(second))).collect();
    let at_once = seldom.due(step(300));
    assert_eq!(by_step.len(), at_once.len());
}

#[test]
fn two_runs_of_one_salon_share_no_event_id_and_no_update_number() {
    let config = config(3, 10);
    let keys = |from: u64| -> BTreeSet<String> {
        let from = config.end().plus(Duration::from_secs(from));
        let mut live = Salon::new(config).live(from);
        let due = live.due(from.plus(Duration::from_secs(120)));
        let after = due.iter().filter(|delivery| delivery.at >= from);
        after
            .map(|delivery| match delivery.door {
                Door::Events(_) => body(delivery)["event_id"].to_string(),
                Door::Telegram(_) => body(delivery)["update_id"].to_string(),
            })
            .collect()
    };
    let (first, second) = (keys(0), keys(3600));
    assert!(!first.is_empty() && !second.is_empty());
    let shared: Vec<_> = first.intersection(&second).collect();
    assert!(shared.is_empty(), "{shared:?}");
}
