//! Everything the read API answers about some days of a salon, to be compared.

use std::time::Duration;

use anyhow::ensure;
use domain::timestamp::Timestamp;
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde_json::{Value, json};
use simulator::{Delivery, Door, Salon, SalonConfig};
use system_tests::api::{escape, eventually};
use system_tests::{House, Options, Shape, Stand};

/// What of an answer depends on when something arrived, and not on what was said.
const ARRIVAL: [&str; 4] = ["stored_at", "received_at", "receipt", "request_id"];
const OVERVIEW: &str = "/v1/overview?from=2010-01-01T00:00:00Z&until=2030-01-01T00:00:00Z";

/// All answers about one tenant, without what depends on arrival.
pub(crate) struct Answers {
    /// The one who answers.
    stand: Stand,
    /// The question, and what was answered.
    found: Vec<(String, Value)>,
    /// The books, which know of repetitions.
    pub(crate) books: Value,
}

impl Answers {
    /// Fails at the first question that is answered differently.
    pub(crate) async fn assert_same(&self, other: &Self, of: &str) {
        let questions =
            |answers: &Self| answers.found.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
        assert_eq!(questions(self), questions(other), "{of}");
        for ((path, one), (_, another)) in self.found.iter().zip(&other.found) {
            assert_eq!(one, another, "{path}: {of}");
        }
        // Analytics is a group of its own and may be a while behind the books.
        let same_figures = eventually(Duration::from_secs(30), || async {
            let (one, another) = (ask(&self.stand, OVERVIEW).await, ask(&other.stand, OVERVIEW).await);
            ensure!(one == another, "{OVERVIEW}: {of}: {one:#}\nand {another:#}");
            Ok(one)
        });
        let figures = same_figures.await.unwrap();
        assert!(figures["total"]["sessions"]["total"].as_u64().unwrap() > 0, "{figures}");
    }
}

/// So many days of the salon of this seed.
pub(crate) fn days(seed: u64, days: u32) -> Vec<Delivery> {
    let start = Timestamp::parse("2026-03-01T00:00:00+03:00").unwrap();
    Salon::new(SalonConfig::new(seed, start, days)).deliveries().collect()
}

/// The same in another order, a third of it repeated.
pub(crate) fn disturbed(deliveries: &[Delivery], seed: u64) -> Vec<Delivery> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut arrived = deliveries.to_vec();
    for _ in 0..deliveries.len() / 3 {
        arrived.push(deliveries[dice.random_range(0..deliveries.len())].clone());
    }
    arrived.shuffle(&mut dice);
    arrived
}

/// Sends everything to a new system with the master key of `house`, one after the other; gives all it answers afterwards.
pub(crate) async fn answers_to(house: &House, shape: Shape, deliveries: &[Delivery]) -> Answers {
    let stand = house.twin(Options::of(shape)).await.unwrap().open().await.unwrap();
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
    answers_of(stand).await
}

/// All a system answers once everything it took is recorded.
pub(crate) async fn answers_of(stand: Stand) -> Answers {
    let books = stand.settled().await.unwrap();
    let found = collect(&stand).await;
    Answers { stand, found, books }
}

async fn send(stand: &Stand, batch: &mut Vec<Value>) {
    if !batch.is_empty() {
        let sent = stand.api.send(&stand.keys.ingest, &json!(batch)).await.unwrap();
        assert_eq!(sent.status, 202, "{sent:?}");
        batch.clear();
    }
}

/// The list of sessions, every timeline, every lead, the quarantine.
async fn collect(stand: &Stand) -> Vec<(String, Value)> {
    let list = "/v1/sessions";
    let sessions = stand.api.all(&stand.keys.read, list, "sessions").await.unwrap();
    let mut found = vec![(list.to_owned(), json!(sessions))];
    for session in &sessions {
        let timeline = format!("/v1/sessions/{}?limit=200", escape(session["id"].as_str().unwrap()));
        found.push((timeline.clone(), ask(stand, &timeline).await));
        if let Some(lead) = session["lead"].as_str() {
            let events = format!("/v1/leads/{}/events", escape(lead));
            found.push((events.clone(), ask(stand, &events).await));
        }
    }
    let quarantine = "/v1/quarantine".to_owned();
    found.push((quarantine.clone(), ask(stand, &quarantine).await));
    found.iter_mut().for_each(|(_, answer)| forget_arrival(answer));
    found
}

async fn ask(stand: &Stand, path: &str) -> Value {
    let answer = stand.api.get(&stand.keys.read, path).await.unwrap();
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body
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
