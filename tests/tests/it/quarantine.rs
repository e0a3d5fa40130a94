//! What could not be understood.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use system_tests::api::eventually;
use system_tests::{Shape, Stand};

on_both_shapes! {
    an_entry_is_listed_with_its_reason_by_api_and_command_line_and_shows_nothing_personal
    only_a_person_who_asks_for_it_is_shown_the_body
    a_replayed_entry_that_still_cannot_be_read_comes_back_with_its_times_kept
}

/// An update whose message has no chat: JSON, so the door takes it; no message of Telegram's.
fn unreadable() -> Value {
    json!({"update_id": 5, "message": {"message_id": 1, "date": 1_772_355_600, "text": "Номер +79990000077"}})
}

async fn stand_with_one_entry(shape: Shape) -> (Stand, Value) {
    let stand = Stand::new(shape).await.unwrap();
    let sent = stand.api.telegram(&stand.keys.telegram, &unreadable()).await.unwrap();
    assert_eq!(sent.status, 200);
    let books = stand.settled().await.unwrap();
    assert_eq!((&books["accepted"], &books["quarantined"]), (&json!(1), &json!(1)));
    let list = stand.api.get(&stand.keys.read, "/v1/quarantine").await.unwrap();
    let entry = list.body["entries"][0].clone();
    (stand, entry)
}

async fn an_entry_is_listed_with_its_reason_by_api_and_command_line_and_shows_nothing_personal(shape: Shape) {
    let (stand, entry) = stand_with_one_entry(shape).await;
    assert_eq!(
        (&entry["stage"], &entry["state"], &entry["replays"]),
        (&json!("normalize"), &json!("open"), &json!(0))
    );
    assert!(["unreadable", "invalid"].contains(&entry["class"].as_str().unwrap()), "{entry}");
    assert!(entry["pointer"].as_str().unwrap().starts_with("/message"), "{entry}");
    assert!(!entry.to_string().contains("9990000077"), "{entry}");

    let listed = stand.cli.json(&["quarantine", "list", "--tenant", "salon"]).await.unwrap();
    assert_eq!(listed[0]["receipt"], entry["receipt"]);
    assert_eq!(listed[0]["pointer"], entry["pointer"]);
    assert!(!listed.to_string().contains("9990000077"), "{listed}");
}

async fn only_a_person_who_asks_for_it_is_shown_the_body(shape: Shape) {
    let (stand, entry) = stand_with_one_entry(shape).await;
    let receipt = entry["receipt"].as_str().unwrap();
    let shown = stand.cli.run(&["quarantine", "show", "--tenant", "salon", receipt]).await.unwrap();
    assert!(shown.status.success() && !String::from_utf8_lossy(&shown.stdout).contains("9990000077"));
    let opened =
        stand.cli.run(&["quarantine", "show", "--tenant", "salon", "--body", receipt]).await.unwrap();
    assert!(String::from_utf8_lossy(&opened.stdout).contains("+79990000077"));
}

async fn a_replayed_entry_that_still_cannot_be_read_comes_back_with_its_times_kept(shape: Shape) {
    let (stand, entry) = stand_with_one_entry(shape).await;
    let path = format!("/v1/quarantine/{}/replay?stage=normalize", entry["receipt"].as_str().unwrap());
    assert_eq!(stand.api.post(&stand.keys.read, &path, &json!({})).await.unwrap().status, 403);
    let replayed = stand.api.post(&stand.keys.admin, &path, &json!({})).await.unwrap();
    assert!((200..300).contains(&replayed.status), "{replayed:?}");
    let back = came_back(&stand, 1).await;
    for kept in ["receipt", "received_at", "class", "pointer"] {
        assert_eq!(back[kept], entry[kept], "{kept}");
    }
    let by_command = stand.cli.json(&["quarantine", "replay", "--tenant", "salon", "--open"]).await.unwrap();
    assert_eq!(by_command["replayed"], 1);
    came_back(&stand, 2).await;
    let books = stand.settled().await.unwrap();
    assert_eq!((&books["accepted"], &books["quarantined"]), (&json!(1), &json!(1)));
}

async fn came_back(stand: &Stand, replays: u64) -> Value {
    eventually(Duration::from_secs(20), || async {
        let list = stand.api.get(&stand.keys.read, "/v1/quarantine").await?;
        let entry = &list.body["entries"][0];
        ensure!(entry["state"] == "open" && entry["replays"] == replays, "not back: {entry}");
        Ok(entry.clone())
    })
    .await
    .unwrap()
}
