//! Order and repetition change nothing.

use std::time::Duration;

use domain::timestamp::Timestamp;
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde_json::{Value, json};
use simulator::{Delivery, Door, Salon, SalonConfig};
use system_tests::api::escape;
use system_tests::stand::House;
use system_tests::{Options, Stand};

/// What of an answer depends on when something arrived, and not on what was said.
const ARRIVAL: [&str; 4] = ["stored_at", "received_at", "receipt", "request_id"];

/// The salon's days as they happened, shuffled and partly repeated: the answers of the read API must be the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_order_and_any_repetition_of_the_same_events_gives_the_same_answers() {
    // One key makes one set of pseudonyms and derived ids, so that answers can be compared as they are.
    let house = House::new(Options::default()).await.unwrap();
    let start = Timestamp::parse("2026-03-01T00:00:00+03:00").unwrap();
    for seed in 0..2 {
        let salon = Salon::new(SalonConfig::new(seed, start, 3));
        let deliveries: Vec<Delivery> = salon.deliveries().collect();
        let in_order = answers(&house, &deliveries).await;
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let mut arrived = deliveries.clone();
        for _ in 0..deliveries.len() / 3 {
            arrived.push(deliveries[dice.random_range(0..deliveries.len())].clone());
        }
        arrived.shuffle(&mut dice);
        let shuffled = answers(&house, &arrived).await;
        assert_eq!(in_order.len(), shuffled.len());
        for (expected, found) in in_order.iter().zip(&shuffled) {
            assert_eq!(expected, found, "seed {seed}");
        }
    }
}

/// Sends everything one after another to a new server; gives all it answers afterwards.
async fn answers(house: &House, deliveries: &[Delivery]) -> Vec<Value> {
    let stand = house.copy().unwrap().open().await.unwrap();
    let mut batch = Vec::new();
    for delivery in deliveries {
        match &delivery.door {
            Door::Events(event) => batch.push(event.clone()),
            Door::Telegram(update) => {
                let sent = stand.api.telegram(&stand.keys.telegram, update).await.unwrap();
                assert_eq!(sent.status, 200, "{sent:?}");
            }
        }
        if batch.len() == 7 {
            send(&stand, &mut batch).await;
        }
    }
    send(&stand, &mut batch).await;
    stand.settled().await.unwrap();
    collect(&stand).await
}

async fn send(stand: &Stand, batch: &mut Vec<Value>) {
    if !batch.is_empty() {
        let sent = stand.api.send(&stand.keys.ingest, &json!(batch)).await.unwrap();
        assert_eq!(sent.status, 202, "{sent:?}");
        batch.clear();
    }
}

/// The overview, the list of sessions and every timeline.
async fn collect(stand: &Stand) -> Vec<Value> {
    let key = &stand.keys.read;
    let overview = "/v1/overview?from=2026-02-01T00:00:00Z&until=2026-04-01T00:00:00Z";
    let sessions = stand.api.all(key, "/v1/sessions", "sessions").await.unwrap();
    let mut found = vec![settled_overview(stand, overview).await, json!(sessions)];
    for session in &sessions {
        let path = format!("/v1/sessions/{}?limit=200", escape(session["id"].as_str().unwrap()));
        found.push(stand.api.get(key, &path).await.unwrap().body);
    }
    found.iter_mut().for_each(forget_arrival);
    found
}

/// Analytics is a group of its own and may be a moment behind the books: the overview is taken once it holds still
/// with every session in it.
async fn settled_overview(stand: &Stand, path: &str) -> Value {
    let sessions = stand.api.all(&stand.keys.read, "/v1/sessions", "sessions").await.unwrap().len();
    let mut last = Value::Null;
    for _ in 0..200 {
        let overview = stand.api.get(&stand.keys.read, path).await.unwrap().body;
        if overview == last && overview["total"]["sessions"]["total"] == sessions {
            return overview;
        }
        last = overview;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the overview does not settle: {last}");
}

/// Takes out what depends on arrival.
fn forget_arrival(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|key, _| !ARRIVAL.contains(&key.as_str()));
            members.values_mut().for_each(forget_arrival);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_arrival),
        _ => {}
    }
}
