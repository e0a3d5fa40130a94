//! One master key takes the place of another.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use system_tests::api::eventually;
use system_tests::{Shape, Stand};

on_both_shapes! {
    a_key_is_changed_and_gone_and_everything_reads_as_before
    events_go_on_while_what_is_stored_is_sealed_anew
}

const PHONE: &str = "8 (913) 000-42-42";

fn form() -> Value {
    json!({
        "timestamp": "2026-01-15T12:00:00+03:00", "channel": "site", "session_id": "form-1", "action": "create_lead",
        "user_text": "Хочу на маникюр", "contact": { "phone": PHONE },
    })
}

/// What a client of the same number writes elsewhere.
fn message(nth: u64) -> Value {
    json!({
        "timestamp": format!("2026-01-16T12:00:{:02}+03:00", nth % 60), "channel": "whatsapp",
        "session_id": "79130004242", "action": "message", "user_text": format!("Сообщение {nth}"),
        "contact": { "phone": "+79130004242" },
    })
}

fn unreadable() -> Value {
    json!({"update_id": 5, "message": {"message_id": 1, "date": 1_772_355_600, "text": "Номер +79990000077"}})
}

/// All that is asked for before and after: conversations with their texts, the client, what waits and why it was opened.
async fn answers(stand: &Stand) -> Vec<Value> {
    let typed = json!({ "typed": PHONE });
    let found = stand.api.post(&stand.keys.read, "/v1/subjects/lookup", &typed).await.unwrap();
    assert_eq!(found.status, 200, "{}", found.body);
    let id = found.body["id"].as_str().unwrap().to_owned();
    let mut answers = vec![found.body];
    for path in
        [format!("/v1/subjects/{id}/events"), "/v1/quarantine".to_owned(), "/v1/audit?deed=opened".to_owned()]
    {
        let answer = stand.api.get(&stand.keys.admin, &path).await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answers.push(answer.body);
    }
    answers
}

async fn furnished(shape: Shape) -> Stand {
    let stand = Stand::new(shape).await.unwrap();
    stand.accept(&form()).await.unwrap();
    for nth in 0..3 {
        stand.accept(&message(nth)).await.unwrap();
    }
    assert_eq!(stand.api.telegram(&stand.keys.telegram, &unreadable()).await.unwrap().status, 200);
    stand.settled().await.unwrap();
    open_body(&stand).await;
    stand
}

async fn open_body(stand: &Stand) {
    let list = stand.api.get(&stand.keys.read, "/v1/quarantine").await.unwrap();
    let path = format!("/v1/quarantine/{}/open", list.body["entries"][0]["receipt"].as_str().unwrap());
    let opened = stand.api.post(&stand.keys.read, &path, &json!({"reason": "сверка"})).await.unwrap();
    assert!(opened.body["body"].as_str().unwrap().contains("+79990000077"), "{}", opened.body);
}

/// A new key beside the old one, then in its place; every process starts with each file, as a roll-out would have it.
async fn change_key(stand: &mut Stand) {
    for step in ["next", "promote"] {
        stand.letopis.stop().await.unwrap();
        stand.cli.succeed(&["master-key", step]).await.unwrap();
        stand.hand_keys_to_services().await.unwrap();
        stand.restart().await.unwrap();
    }
}

/// How many rows are under a former key, over all places.
async fn under_former_keys(stand: &Stand) -> u64 {
    let status = stand.cli.json(&["master-key", "status", "--count"]).await.unwrap();
    let places = status["places"].as_array().unwrap();
    assert!(places.iter().all(|place| place["unopenable"] == 0), "{status}");
    places.iter().map(|place| place["former"].as_u64().unwrap()).sum()
}

async fn a_key_is_changed_and_gone_and_everything_reads_as_before(shape: Shape) {
    let mut stand = furnished(shape).await;
    let (before, books) = (answers(&stand).await, stand.settled().await.unwrap());
    change_key(&mut stand).await;
    assert_eq!(answers(&stand).await, before, "with both keys");

    // A resend is a resend, whichever key it was sealed under first.
    stand.accept(&form()).await.unwrap();
    assert_eq!(stand.settled().await.unwrap()["stored"], books["stored"]);

    let refused = stand.cli.run(&["master-key", "retire"]).await.unwrap();
    assert!(!refused.status.success(), "answers sealed before are kept for a day");
    let retired = stand.cli.json(&["master-key", "retire", "--without-waiting"]).await.unwrap();
    assert_eq!(retired["retired"].as_array().unwrap().len(), 1, "{retired}");
    assert_eq!(under_former_keys(&stand).await, 0);
    stand.letopis.stop().await.unwrap();
    stand.hand_keys_to_services().await.unwrap();
    stand.restart().await.unwrap();
    assert_eq!(stand.cli.json(&["master-key", "status"]).await.unwrap().as_array().unwrap().len(), 1);
    assert_eq!(answers(&stand).await, before, "without the former key");
    open_body(&stand).await;

    // The secret of a source still opens, and the next message joins its conversation.
    assert_eq!(stand.api.telegram(&stand.keys.telegram, &unreadable()).await.unwrap().status, 200);
    stand.accept(&message(9)).await.unwrap();
    stand.settled().await.unwrap();
    let conversation = stand.api.session(&stand.keys.read, "79130004242").await.unwrap().unwrap();
    assert_eq!(conversation["session"]["events"], 4, "{conversation}");
}

async fn events_go_on_while_what_is_stored_is_sealed_anew(shape: Shape) {
    let mut stand = furnished(shape).await;
    change_key(&mut stand).await;
    // The one box begins by itself; a cluster is told to, by whoever may change what is recorded.
    let sealing = async {
        if shape == Shape::Cluster {
            stand.cli.succeed(&["master-key", "reseal"]).await.unwrap();
        }
        eventually(Duration::from_secs(30), || async {
            let left = under_former_keys(&stand).await;
            ensure!(left == 0, "{left} rows are under a former key");
            Ok(())
        })
        .await
        .unwrap();
    };
    let sending = async {
        for nth in 10..40 {
            stand.accept(&message(nth)).await.unwrap();
        }
    };
    tokio::join!(sealing, sending);
    let books = stand.settled().await.unwrap();
    assert_eq!((&books["stored"], &books["quarantined"]), (&json!(34), &json!(1)), "{books}");
    assert_eq!(under_former_keys(&stand).await, 0);
}
