//! Days of a salon, held against what the salon knows.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::ensure;
use domain::timestamp::Timestamp;
use serde_json::{Value, json};
use simulator::{Door, Salon, SalonConfig, SessionTruth, Truth};
use system_tests::api::{Api, eventually};
use system_tests::{Keys, Shape, Stand};
use tokio::task::JoinSet;

on_both_shapes! {
    after_months_the_overview_and_every_session_equal_the_salons_truth
}

const BATCH: usize = 500;
const CONNECTIONS: usize = 16;

async fn after_months_the_overview_and_every_session_equal_the_salons_truth(shape: Shape) {
    let start = Timestamp::parse("2026-03-01T00:00:00+03:00").unwrap();
    // A request a Telegram update takes its time over two processes and three engines.
    let days = if shape == Shape::Cluster { 30 } else { 90 };
    let salon = Salon::new(SalonConfig::new(42, start, days));
    let truth = salon.truth();
    let stand = Stand::new(shape).await.unwrap();
    play(&stand, &salon).await;
    let books = stand.settled().await.unwrap();
    assert_eq!((&books["stored"], &books["quarantined"]), (&json!(truth.events), &json!(0)));
    compare_overview(&stand, &truth).await;
    compare_sessions(&stand, &truth).await;
}

/// Sends the days through both doors at once, events in batches.
pub(crate) async fn play(stand: &Stand, salon: &Salon) {
    let (mut events, mut updates) = (Vec::new(), Vec::new());
    for delivery in salon.deliveries() {
        match delivery.door {
            Door::Events(event) => events.push(event),
            Door::Telegram(update) => updates.push(update),
        }
    }
    let mut senders = JoinSet::new();
    for share in updates.chunks(updates.len().div_ceil(CONNECTIONS)) {
        senders.spawn(deliver(stand.api.clone(), stand.keys.clone(), share.to_vec()));
    }
    for batch in events.chunks(BATCH) {
        let sent = stand.api.send(&stand.keys.ingest, &json!(batch)).await.unwrap();
        assert_eq!(sent.status, 202, "{sent:?}");
    }
    senders.join_all().await;
}

async fn deliver(api: Api, keys: Keys, updates: Vec<Value>) {
    for update in updates {
        let sent = api.telegram(&keys.telegram, &update).await.unwrap();
        assert_eq!(sent.status, 200, "{sent:?}");
    }
}

/// Analytics is a group of its own and may be a moment behind the books.
async fn compare_overview(stand: &Stand, truth: &Truth) {
    let expected: Vec<Value> = truth.overview.iter().map(|figures| json!(figures)).collect();
    let path = format!("/v1/overview?from={}&until={}", truth.start, truth.end);
    eventually(Duration::from_secs(20), || async {
        let answer = stand.api.get(&stand.keys.read, &path).await?;
        let channels = answer.body["channels"].as_array().cloned().unwrap_or_default();
        let keep = ["channel", "sessions", "appointments"];
        let found: Vec<Value> = channels
            .iter()
            .map(|row| keep.into_iter().map(|key| (key.to_owned(), row[key].clone())).collect())
            .collect();
        ensure!(found == expected, "found {found:#?}\nexpected {expected:#?}");
        Ok(())
    })
    .await
    .unwrap();
}

async fn compare_sessions(stand: &Stand, truth: &Truth) {
    let rows = stand.api.all(&stand.keys.read, "/v1/sessions?limit=200", "sessions").await.unwrap();
    assert_eq!(rows.len(), truth.sessions.len());
    let by_id: BTreeMap<String, Value> =
        rows.into_iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row)).collect();
    let mut lookups = JoinSet::new();
    for share in truth.sessions.chunks(truth.sessions.len().div_ceil(CONNECTIONS)) {
        lookups.spawn(stored_ids(stand.api.clone(), stand.keys.clone(), share.to_vec()));
    }
    let mut compared = 0;
    for (session, id) in lookups.join_all().await.into_iter().flatten() {
        compare_session(&session, &by_id[&id]);
        compared += 1;
    }
    assert_eq!(compared, truth.sessions.len());
}

/// The id each session is stored under, found by typing the id it was sent with.
async fn stored_ids(api: Api, keys: Keys, sessions: Vec<SessionTruth>) -> Vec<(SessionTruth, String)> {
    let mut found = Vec::new();
    for session in sessions {
        let id = api.lookup(&keys.read, &session.session_id).await.unwrap();
        found.push((session, id.unwrap()));
    }
    found
}

fn compare_session(truth: &SessionTruth, row: &Value) {
    let found = json!({
        "channel": row["channel"], "first_at": row["first_at"], "last_at": row["last_at"],
        "events": row["events"], "outcome": row["outcome"], "lead": row["lead"],
    });
    let expected = json!({
        "channel": truth.channel, "first_at": truth.first_at, "last_at": truth.last_at,
        "events": truth.events, "outcome": truth.outcome, "lead": truth.lead,
    });
    assert_eq!(found, expected, "{}", truth.session_id);
}
